"""The auth server's grant endpoint and continuation: who may do what, and who agreed.

    pending ──approve──> approved ──continue──> issued
       └────decline────> rejected                  │
    any of them ──DELETE continue.uri──> revoked <─┘

A grant that needs nobody's consent is born `issued`.

Spec: RFC 9635; Open Payments auth server 1.3.0; open behaviour follows Rafiki.
"""

import hmac
import json
import re
import sqlite3
from typing import Any
from urllib.parse import urlencode

from sandbox_wallet import clients, tokens
from sandbox_wallet.access import check_access, invalid, needs_interaction
from sandbox_wallet.bank import Bank, Call
from sandbox_wallet.clients import Client
from sandbox_wallet.clock import SECOND
from sandbox_wallet.signed import check_for_auth_server
from sandbox_wallet.wire import (
    NO_CONTENT,
    Json,
    WireResponse,
    auth_refusal,
    json_response,
    parse_object,
)

# It becomes a header of our answer, so it must not be able to begin another one.
_FINISH_URI = re.compile(r"https?://[\x21-\x7e]+\Z")


def request_grant(bank: Bank, call: Call) -> WireResponse:
    """Answer a grant request: a token at once, or the page where somebody must agree first.

    Spec: POST / of the auth server.
    """
    body = parse_object(call.request.body)
    if body is None:
        raise invalid("the body must be a JSON object")
    if unknown := set(body) - {"access_token", "client", "interact", "subject"}:
        raise invalid(f"unknown members: {', '.join(sorted(unknown))}")
    tenant = call.args["tenant"]
    client = clients.parse_client(body.get("client"))
    if client is None:
        raise invalid("client must be a wallet address or a JSON Web Key")
    call.client = client.name
    access = _requested_access(bank, tenant, body)
    subject = _requested_subject(bank, tenant, body)
    if not access and subject is None:
        raise invalid("ask for an access_token, a subject or both")
    check_for_auth_server(bank, call, client)

    if subject is None and not needs_interaction(access):
        grant_id = _store(bank, call, client, access, state="issued")
        token = tokens.issue(bank, call, grant_id)
        answer = {"access_token": token, "continue": _continuation(bank, grant_id)}
        return json_response(200, answer)
    return _ask_somebody(bank, call, client, access, subject, body.get("interact"))


def _requested_access(bank: Bank, tenant: str, body: Json) -> list[Json]:
    if "access_token" not in body:
        return []
    wanted = body["access_token"]
    if not isinstance(wanted, dict) or set(wanted) != {"access"}:
        raise invalid("access_token must be an object with access")
    return check_access(bank, tenant, wanted["access"])


def _requested_subject(bank: Bank, tenant: str, body: Json) -> Json | None:
    if "subject" not in body:
        return None
    subject = body["subject"]
    ids = subject.get("sub_ids") if isinstance(subject, dict) else None
    if not isinstance(ids, list) or len(ids) != 1 or not isinstance(ids[0], dict):
        raise invalid("subject.sub_ids must hold exactly one identifier")
    if set(ids[0]) != {"id", "format"} or ids[0]["format"] != "uri":
        raise invalid("subject.sub_ids[0] must have an id and the format uri")
    wallet = bank.wallet_at(ids[0]["id"])
    if wallet is None or wallet.tenant != tenant:
        raise auth_refusal(
            400, "invalid_request", "subject.sub_ids[0].id is not a wallet address of this server"
        )
    return {"sub_ids": [{"id": wallet.url, "format": "uri"}]}


def _ask_somebody(
    bank: Bank,
    call: Call,
    client: Client,
    access: list[Json],
    subject: Json | None,
    interact: Any,
) -> WireResponse:
    finish = _checked_interact(interact)
    if client.jwk is not None:
        raise auth_refusal(
            400, "invalid_client", "JWK client identifier cannot be used for interactive grants"
        )
    name = _client_name(bank, call, client)
    grant_id = _store(bank, call, client, access, state="pending", subject=subject)
    interact_id, redirect_nonce = bank.new_id(), bank.new_secret()
    # Rafiki shows this nonce in the redirect as well. It is half of what protects the finish
    # hash, so here it travels only in this answer.
    interact_nonce = bank.new_secret()
    bank.db.execute(
        "UPDATE grants SET client_name = ?, interact_id = ?, redirect_nonce = ?,"
        " interact_nonce = ?, interact_ref = ?, interact_until = ?, finish_uri = ?,"
        " client_nonce = ? WHERE id = ?",
        (
            name,
            interact_id,
            redirect_nonce,
            interact_nonce,
            bank.new_id(),
            call.now + round(bank.options.interaction_life_s * SECOND),
            finish.get("uri"),
            finish.get("nonce"),
            grant_id,
        ),
    )
    if bank.options.auto_accept:
        bank.db.execute("UPDATE grants SET state = 'approved' WHERE id = ?", (grant_id,))
    query = urlencode({"clientName": name, "clientUri": client.name})
    redirect = f"{bank.base_url}/interact/{interact_id}/{redirect_nonce}?{query}"
    answer = {
        "interact": {"redirect": redirect, "finish": interact_nonce},
        "continue": _continuation(bank, grant_id, wait=bank.options.wait_s),
    }
    return json_response(200, answer)


def _checked_interact(interact: Any) -> Json:
    if interact is None:
        raise auth_refusal(400, "invalid_request", "missing required request field 'interact'")
    if not isinstance(interact, dict) or interact.get("start") != ["redirect"]:
        raise invalid('interact.start must be ["redirect"]')
    if "finish" not in interact:
        return {}
    finish = interact["finish"]
    if not isinstance(finish, dict) or finish.get("method") != "redirect":
        raise invalid("interact.finish.method must be redirect")
    uri, nonce = finish.get("uri"), finish.get("nonce")
    if not isinstance(uri, str) or not _FINISH_URI.match(uri):
        raise invalid("interact.finish.uri must be an http or https URL")
    if not isinstance(nonce, str) or not nonce:
        raise invalid("interact.finish.nonce must be a string")
    return finish


def _client_name(bank: Bank, call: Call, client: Client) -> str:
    try:
        name = clients.display_name(bank, call, client)
    except clients.UnknownClient as unknown:
        raise auth_refusal(400, "invalid_client", str(unknown)) from unknown
    if name is None:
        raise auth_refusal(400, "invalid_client", "the client's wallet address has no publicName")
    return name


def _store(
    bank: Bank,
    call: Call,
    client: Client,
    access: list[Json],
    *,
    state: str,
    subject: Json | None = None,
) -> str:
    grant_id = bank.new_id()
    name, jwk = clients.client_to_row(client)
    bank.db.execute(
        "INSERT INTO grants (id, tenant, client, client_jwk, access, subject, state, created_at,"
        " continue_token, continue_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            grant_id,
            call.args["tenant"],
            name,
            jwk,
            json.dumps(access),
            None if subject is None else json.dumps(subject),
            state,
            call.now,
            bank.new_secret(),
            call.now + bank.options.wait_s * SECOND,
        ),
    )
    return grant_id


def _continuation(bank: Bank, grant_id: str, wait: int | None = None) -> Json:
    row = bank.db.execute("SELECT continue_token FROM grants WHERE id = ?", (grant_id,)).fetchone()
    continuation: Json = {
        "access_token": {"value": row["continue_token"]},
        "uri": f"{bank.base_url}/continue/{grant_id}",
    }
    if wait is not None:
        continuation["wait"] = wait
    return continuation


def continue_grant(bank: Bank, call: Call) -> WireResponse:
    """Answer a continuation: the token, once; or, to a client that polls, "not yet".

    Spec: POST /continue/{id} of the auth server.
    """
    grant = _grant_of(bank, call)
    if grant is None or grant["state"] == "revoked":
        raise auth_refusal(401, "invalid_continuation", "invalid grant")
    check_for_auth_server(bank, call, _client_of(grant))
    if call.now < grant["continue_after"] and not call.late:
        raise auth_refusal(400, "too_fast", "continued before the end of the wait")
    if call.request.body:
        _check_interact_ref(bank, call, grant)
    elif grant["finish_uri"] is not None:
        raise auth_refusal(401, "request_denied", "grant cannot be polled")
    elif grant["state"] == "pending" and call.now < grant["interact_until"]:
        wait = bank.options.wait_s
        bank.db.execute(
            "UPDATE grants SET continue_after = ? WHERE id = ?",
            (call.now + wait * SECOND, grant["id"]),
        )
        return json_response(200, {"continue": _continuation(bank, grant["id"], wait=wait)})
    if grant["state"] != "approved":
        raise auth_refusal(401, "request_denied", "grant interaction not approved")
    bank.db.execute("UPDATE grants SET state = 'issued' WHERE id = ?", (grant["id"],))
    answer: Json = {"continue": _continuation(bank, grant["id"])}
    if json.loads(grant["access"]):
        answer["access_token"] = tokens.issue(bank, call, grant["id"])
    if grant["subject"] is not None:
        answer["subject"] = json.loads(grant["subject"])
    return json_response(200, answer)


def _check_interact_ref(bank: Bank, call: Call, grant: sqlite3.Row) -> None:
    body = parse_object(call.request.body)
    ref = None if body is None else body.get("interact_ref")
    if not isinstance(ref, str):
        raise auth_refusal(401, "invalid_request", "missing interact_ref")
    if grant["interact_ref"] is None or not hmac.compare_digest(
        ref.encode(), grant["interact_ref"].encode()
    ):
        raise auth_refusal(404, "invalid_continuation", "grant not found")
    if not grant["finished"] and grant["state"] == "approved":
        # The reference reaches the client only in the finish redirect.
        raise auth_refusal(401, "request_denied", "interaction not finished")


def cancel_grant(bank: Bank, call: Call) -> WireResponse:
    """Revoke a grant with all its tokens.

    Spec: DELETE /continue/{id} of the auth server.
    """
    grant = _grant_of(bank, call)
    if grant is None:
        raise auth_refusal(404, "invalid_request", "unknown grant")
    check_for_auth_server(bank, call, _client_of(grant))
    if grant["state"] == "revoked":
        raise auth_refusal(401, "invalid_continuation", "invalid grant")
    revoke(bank, grant["id"])
    return NO_CONTENT


def revoke(bank: Bank, grant_id: str) -> None:
    """End a grant: its tokens answer no more. Safe to repeat."""
    bank.db.execute("UPDATE grants SET state = 'revoked' WHERE id = ?", (grant_id,))
    bank.db.execute("UPDATE tokens SET revoked = 1 WHERE grant_id = ?", (grant_id,))


def _grant_of(bank: Bank, call: Call) -> sqlite3.Row | None:
    """Return the grant that URL and continue token agree on, or None."""
    row: sqlite3.Row | None = bank.db.execute(
        "SELECT * FROM grants WHERE id = ?", (call.args["id"],)
    ).fetchone()
    token = tokens.presented(call)
    if row is None or token is None:
        return None
    if not hmac.compare_digest(token.encode(), row["continue_token"].encode()):
        return None
    call.client = row["client"]
    return row


def _client_of(grant: sqlite3.Row) -> Client:
    return clients.client_from_row(grant["client"], grant["client_jwk"])
