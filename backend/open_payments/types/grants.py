"""Consent and what comes of it.

Spec: Open Payments auth server 1.3.0; RFC 9635 (GNAP).
"""

from dataclasses import dataclass, field
from typing import Self

from backend.open_payments import documents
from backend.open_payments.errors import InvalidValue
from backend.open_payments.types.amounts import Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Maxima over all payments of a grant, per `interval` if there is one; None is no limit.

    `receiver` is the URL of one incoming payment, never a wallet address.

    Spec: auth server, schema `limits-outgoing`.
    """

    receiver: str | None = None
    debit_amount: Amount | None = None
    receive_amount: Amount | None = None
    interval: str | None = None

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="limits")
        return cls(
            receiver=documents.optional_text(document, "receiver"),
            debit_amount=documents.optional(document, "debitAmount", Amount.from_json),
            receive_amount=documents.optional(document, "receiveAmount", Amount.from_json),
            interval=documents.optional_text(document, "interval"),
        )

    def to_json(self) -> dict[str, object]:
        return _without_none(
            receiver=self.receiver,
            debitAmount=self.debit_amount and self.debit_amount.to_json(),
            receiveAmount=self.receive_amount and self.receive_amount.to_json(),
            interval=self.interval,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One right of a token: what it may do, to whose resources, within which limits.

    `identifier` None covers every wallet address of the server.

    Spec: auth server, schema `access-item`.
    """

    type: str
    actions: tuple[str, ...]
    identifier: str | None = None
    limits: Limits | None = None

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="an access item")
        actions = documents.as_list(documents.required(document, "actions"), what="actions")
        if not all(isinstance(action, str) for action in actions):
            raise InvalidValue("an action is not a text")
        return cls(
            type=documents.text(document, "type"),
            actions=tuple(str(action) for action in actions),
            identifier=documents.optional_text(document, "identifier"),
            limits=documents.optional(document, "limits", Limits.from_json),
        )

    def to_json(self) -> dict[str, object]:
        return _without_none(
            type=self.type,
            actions=list(self.actions),
            identifier=self.identifier,
            limits=self.limits and self.limits.to_json(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A token and the URL that rotates or revokes it; both are secrets.

    `expires_in` counts seconds from the answer; None means the server did not say.

    Spec: auth server, schema `access_token`.
    """

    value: str = field(repr=False)
    manage_url: str = field(repr=False)
    expires_in: int | None
    access: tuple[Access, ...]

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="the access token")
        access = documents.as_list(documents.required(document, "access"), what="access")
        return cls(
            value=documents.token(document, "value"),
            manage_url=documents.url(document, "manage"),
            expires_in=documents.optional_seconds(document, "expires_in"),
            access=tuple(Access.from_json(item) for item in access),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """How to go on with a grant: the only way to finish, poll or cancel it.

    `wait_seconds` None means the server named no time; RFC 9635 section 5 then asks for 5.
    """

    uri: str = field(repr=False)
    token: str = field(repr=False)
    wait_seconds: int | None = None

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="continue")
        token = documents.as_object(document.get("access_token"), what="continue.access_token")
        return cls(
            uri=documents.url(document, "uri"),
            token=documents.token(token, "value"),
            wait_seconds=documents.optional_seconds(document, "wait"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingGrant:
    """A grant that waits for a person: send their browser to `redirect`.

    `interact_nonce` is empty only if no finish redirect was asked for.
    """

    redirect: str
    interact_nonce: str = field(repr=False)
    continuation: Continuation


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedGrant:
    """A grant that was given: a token, the identifiers that were proved, or both.

    `continuation` is None if the server keeps no further business with the grant (1.4.0).
    """

    access_token: AccessToken | None
    subject: tuple[str, ...]
    continuation: Continuation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingContinuation:
    """The person has not decided yet; go on with this continuation, not the old one."""

    continuation: Continuation


@dataclass(frozen=True, slots=True, kw_only=True)
class Interact:
    """The wish to let a person consent by redirect.

    `finish_uri` None means that nobody comes back and the grant is polled.
    """

    finish_uri: str | None = None
    client_nonce: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.finish_uri is None) != (self.client_nonce is None):
            raise InvalidValue("a finish redirect needs both its URI and a nonce")

    def to_json(self) -> dict[str, object]:
        finish = {"method": "redirect", "uri": self.finish_uri, "nonce": self.client_nonce}
        return _without_none(start=["redirect"], finish=finish if self.finish_uri else None)


def _without_none(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
