"""Consent and tokens: the authorization server's operations.

Spec: Open Payments auth server 1.3.0; RFC 9635 (GNAP).
"""

from collections.abc import Sequence

from backend.open_payments import documents, grants, urls
from backend.open_payments.errors import InvalidValue, MismatchedResponse
from backend.open_payments.exchange import Operation, operation
from backend.open_payments.types import (
    Access,
    AccessToken,
    Continuation,
    Interact,
    IssuedGrant,
    JsonWebKey,
    PendingContinuation,
    PendingGrant,
)
from backend.open_payments.wallet_addresses import same_wallet_address


def request_grant(
    *,
    auth_server: str,
    client: str | JsonWebKey,
    access: Sequence[Access] = (),
    subject: str | None = None,
    interact: Interact | None = None,
) -> Operation[PendingGrant | IssuedGrant]:
    """Ask for a token, for proof that a person owns the wallet address `subject`, or for both.

    `client` is our wallet address, or a key for grants without interaction. Any grant may turn
    out pending: operators decide what needs a person. Repeating leaves an unused grant behind.

    Raises:
        InvalidValue: the specification does not allow this request; nothing was sent.

    Spec: auth server, POST /; RFC 9635 section 2.
    """
    urls.check_url(auth_server, what="auth_server")
    grants.check_request(access, interactive=interact is not None)
    if not access and subject is None:
        raise InvalidValue("a grant request asks for access, a subject or both")
    if subject is not None and interact is None:
        raise InvalidValue("only a person can prove that a wallet address is theirs")
    if isinstance(client, JsonWebKey) and interact is not None:
        raise InvalidValue("a client that is only a key cannot ask a person")
    body: dict[str, object] = {}
    if access:
        body["access_token"] = {"access": [item.to_json() for item in access]}
    if subject is not None:
        urls.check_url(subject, what="subject")
        body["subject"] = {"sub_ids": [{"id": subject, "format": "uri"}]}
    body["client"] = _client_json(client)
    if interact is not None:
        body["interact"] = interact.to_json()

    def read(document: object) -> PendingGrant | IssuedGrant:
        answer = documents.as_object(document, what="the grant")
        if answer.get("interact") is not None:
            return _read_pending(answer, auth_server=auth_server, interact=interact)
        issued = _read_issued(
            answer, auth_server=auth_server, requested=tuple(access), subject=subject
        )
        if issued is None:
            raise InvalidValue("neither access_token, subject nor interact was answered")
        return issued

    return operation("request-grant", method="POST", url=auth_server, body=body, read=read)


def continue_grant(
    *,
    uri: str,
    token: str,
    interact_ref: str | None = None,
    requested: Sequence[Access] | None = None,
    subject: str | None = None,
) -> Operation[IssuedGrant | PendingContinuation]:
    """Collect what a person consented to, or, without `interact_ref`, ask whether they have.

    `uri` and `token` are the continuation's. Pass what was `requested` (and the `subject`) to
    have the answer refused when it grants more. Not repeatable: servers issue the token once, so
    a lost answer is a lost token.

    Spec: auth server, POST /continue/{id}; RFC 9635 section 5.
    """
    urls.check_url(uri, what="uri")
    body = None if interact_ref is None else {"interact_ref": interact_ref}

    def read(document: object) -> IssuedGrant | PendingContinuation:
        answer = documents.as_object(document, what="the grant")
        issued = _read_issued(answer, auth_server=uri, requested=requested, subject=subject)
        if issued is not None:
            return issued
        continuation = Continuation.from_json(documents.required(answer, "continue"))
        urls.require_same_origin(continuation.uri, as_url=uri, what="continue.uri")
        return PendingContinuation(continuation=continuation)

    return operation(
        "continue-grant",
        method="POST",
        url=uri,
        token=token,
        body=body,
        read=read,
        repeatable=False,
    )


def cancel_grant(*, uri: str, token: str) -> Operation[None]:
    """Revoke a grant with all its tokens, or withdraw a pending one.

    `uri` and `token` are the continuation's. Safe to repeat: ContinuationInvalid then means done.

    Spec: auth server, DELETE /continue/{id}.
    """
    return _delete("cancel-grant", url=uri, token=token)


def rotate_token(
    *, manage_url: str, token: str, requested: Sequence[Access] | None = None
) -> Operation[AccessToken]:
    """Exchange a token, even an expired one, for a new one; value and manage URL both change.

    Not repeatable: the old token dies at once, so a lost answer loses the grant's token.

    Spec: auth server, POST /token/{id}.
    """
    urls.check_url(manage_url, what="manage_url")

    def read(document: object) -> AccessToken:
        answer = documents.as_object(document, what="the answer")
        fresh = AccessToken.from_json(documents.required(answer, "access_token"))
        return _checked_token(fresh, auth_server=manage_url, requested=requested)

    return operation(
        "rotate-token", method="POST", url=manage_url, token=token, read=read, repeatable=False
    )


def revoke_token(*, manage_url: str, token: str) -> Operation[None]:
    """Kill one token of a grant. Safe to repeat: TokenInactive then means done.

    Spec: auth server, DELETE /token/{id}.
    """
    return _delete("revoke-token", url=manage_url, token=token)


def _delete(name: str, *, url: str, token: str) -> Operation[None]:
    urls.check_url(url)
    return operation(
        name, method="DELETE", url=url, token=token, expected_status=204, read=_read_nothing
    )


def _read_nothing(_: object) -> None:
    return None


def _client_json(client: str | JsonWebKey) -> documents.JsonObject:
    if isinstance(client, JsonWebKey):
        return {"jwk": client.to_json()}
    urls.check_url(client, what="client")
    return {"walletAddress": client}


def _read_pending(
    answer: documents.JsonObject, *, auth_server: str, interact: Interact | None
) -> PendingGrant:
    if answer.get("access_token") is not None:
        raise InvalidValue("the grant is both pending and issued")
    interaction = documents.as_object(answer["interact"], what="interact")
    continuation = Continuation.from_json(documents.required(answer, "continue"))
    redirect = documents.url(interaction, "redirect")
    nonce = documents.optional_text(interaction, "finish")
    # Without the server's nonce the finish redirect could not be told from a forged one.
    if not nonce and interact is not None and interact.finish_uri is not None:
        raise InvalidValue("interact.finish is missing")
    urls.require_same_origin(redirect, as_url=auth_server, what="interact.redirect")
    urls.require_same_origin(continuation.uri, as_url=auth_server, what="continue.uri")
    return PendingGrant(redirect=redirect, interact_nonce=nonce or "", continuation=continuation)


def _read_issued(
    answer: documents.JsonObject,
    *,
    auth_server: str,
    requested: Sequence[Access] | None,
    subject: str | None,
) -> IssuedGrant | None:
    token = documents.optional(answer, "access_token", AccessToken.from_json)
    proved = documents.optional(answer, "subject", _read_subject) or ()
    if token is None and not proved:
        return None
    if token is not None:
        _checked_token(token, auth_server=auth_server, requested=requested)
    if subject is not None:
        _require_subject(proved, asked=subject)
    continuation = documents.optional(answer, "continue", Continuation.from_json)
    if continuation is not None:
        urls.require_same_origin(continuation.uri, as_url=auth_server, what="continue.uri")
    return IssuedGrant(access_token=token, subject=proved, continuation=continuation)


def _checked_token(
    token: AccessToken, *, auth_server: str, requested: Sequence[Access] | None
) -> AccessToken:
    urls.require_same_origin(token.manage_url, as_url=auth_server, what="manage")
    if requested is not None:
        grants.require_not_wider(token.access, requested=requested)
    return token


def _read_subject(value: object) -> tuple[str, ...]:
    listed = documents.as_object(value, what="subject").get("sub_ids")
    items = [
        documents.as_object(item, what="a subject id")
        for item in documents.as_list(listed, what="sub_ids")
    ]
    return tuple(documents.url(item, "id") for item in items if item.get("format") == "uri")


def _require_subject(proved: Sequence[str], *, asked: str) -> None:
    # Somebody else's proof is no proof: every identifier must be the one that was asked for.
    if not proved or not all(same_wallet_address(asked, each) for each in proved):
        raise MismatchedResponse("subject", expected=asked, received=list(proved))
