"""Payments, quotes and lists of them.

Spec: Open Payments resource server 1.3.0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Self, TypeVar

from backend.open_payments import documents
from backend.open_payments.errors import InvalidValue
from backend.open_payments.types.amounts import Amount

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class IlpMethod:
    """Where an incoming payment takes packets; the shared secret is a secret."""

    ilp_address: str
    shared_secret: str = field(repr=False)

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="a payment method")
        return cls(
            ilp_address=documents.text(document, "ilpAddress"),
            shared_secret=documents.text(document, "sharedSecret"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingPayment:
    """A place to send money to.

    Money arrived only as far as `received_amount` says; `completed` says it takes no more.
    `incoming_amount` None takes any sum. `methods` is empty where the server shows none.

    Spec: resource server, schemas `incoming-payment` and `incoming-payment-with-methods`.
    """

    id: str
    wallet_address: str
    completed: bool
    incoming_amount: Amount | None
    received_amount: Amount
    expires_at: datetime | None
    created_at: datetime
    metadata: Mapping[str, object] | None
    methods: tuple[IlpMethod, ...] = field(repr=False)

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="the incoming payment")
        incoming = documents.optional(document, "incomingAmount", Amount.from_json)
        received = Amount.from_json(documents.required(document, "receivedAmount"))
        if incoming and not incoming.same_asset(received):
            raise InvalidValue("incomingAmount and receivedAmount are of different assets")
        return cls(
            id=documents.url(document, "id"),
            wallet_address=documents.url(document, "walletAddress"),
            completed=documents.boolean(document, "completed"),
            incoming_amount=incoming,
            received_amount=received,
            expires_at=documents.optional(document, "expiresAt", documents.read_instant),
            created_at=documents.instant(document, "createdAt"),
            metadata=documents.optional(document, "metadata", documents.metadata),
            methods=_read_methods(document),
        )


def _read_methods(document: documents.JsonObject) -> tuple[IlpMethod, ...]:
    listed = documents.as_list(document.get("methods") or [], what="methods", max_items=100)
    items = [documents.as_object(item, what="a payment method") for item in listed]
    return tuple(IlpMethod.from_json(item) for item in items if item.get("type") == "ilp")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicIncomingPayment:
    """What anybody may know of an incoming payment; a cheap look at whether money arrived.

    Spec: resource server, schema `public-incoming-payment`.
    """

    received_amount: Amount | None
    auth_server: str

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="the incoming payment")
        return cls(
            received_amount=documents.optional(document, "receivedAmount", Amount.from_json),
            auth_server=documents.url(document, "authServer"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A wallet's offer: it takes `debit_amount`, fees included, and delivers `receive_amount`.

    Usable once, and only before `expires_at`; None means the wallet did not say.

    Spec: resource server, schema `quote`.
    """

    id: str
    wallet_address: str
    receiver: str
    debit_amount: Amount
    receive_amount: Amount
    method: str
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="the quote")
        return cls(
            id=documents.url(document, "id"),
            wallet_address=documents.url(document, "walletAddress"),
            receiver=documents.url(document, "receiver"),
            debit_amount=Amount.from_json(documents.required(document, "debitAmount")),
            receive_amount=Amount.from_json(documents.required(document, "receiveAmount")),
            method=documents.text(document, "method"),
            created_at=documents.instant(document, "createdAt"),
            expires_at=documents.optional(document, "expiresAt", documents.read_instant),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingPayment:
    """An instruction to pay. Neither `failed` False nor `sent_amount` proves delivery: the
    receiver's `received_amount` does.

    `grant_spent_*` are hints that only the answer to the creation carries.

    Spec: resource server, schemas `outgoing-payment`, `outgoing-payment-with-spent-amounts`.
    """

    id: str
    wallet_address: str
    quote_id: str | None
    failed: bool
    receiver: str
    debit_amount: Amount
    receive_amount: Amount
    sent_amount: Amount
    created_at: datetime
    metadata: Mapping[str, object] | None
    grant_spent_debit_amount: Amount | None
    grant_spent_receive_amount: Amount | None

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="the outgoing payment")
        debit = Amount.from_json(documents.required(document, "debitAmount"))
        sent = Amount.from_json(documents.required(document, "sentAmount"))
        if not sent.same_asset(debit):
            raise InvalidValue("sentAmount and debitAmount are of different assets")
        return cls(
            id=documents.url(document, "id"),
            wallet_address=documents.url(document, "walletAddress"),
            quote_id=documents.optional_text(document, "quoteId"),
            failed=documents.boolean(document, "failed", default=False),
            receiver=documents.url(document, "receiver"),
            debit_amount=debit,
            receive_amount=Amount.from_json(documents.required(document, "receiveAmount")),
            sent_amount=sent,
            created_at=documents.instant(document, "createdAt"),
            metadata=documents.optional(document, "metadata", documents.metadata),
            grant_spent_debit_amount=documents.optional(
                document, "grantSpentDebitAmount", Amount.from_json
            ),
            grant_spent_receive_amount=documents.optional(
                document, "grantSpentReceiveAmount", Amount.from_json
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentAmounts:
    """What a grant has spent, in the current interval if it has one; None outside of it.

    Spec: resource server, GET /outgoing-payment-grant.
    """

    debit_amount: Amount | None
    receive_amount: Amount | None

    @classmethod
    def from_json(cls, obj: object) -> Self:
        document = documents.as_object(obj, what="the spent amounts")
        if not {"spentDebitAmount", "spentReceiveAmount"} <= document.keys():
            raise InvalidValue("a spent amount is missing")
        return cls(
            debit_amount=documents.optional(document, "spentDebitAmount", Amount.from_json),
            receive_amount=documents.optional(document, "spentReceiveAmount", Amount.from_json),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A part of a list, with the cursors of its ends; None where the page is empty.

    Spec: resource server, schema `page-info`.
    """

    items: tuple[T, ...]
    start_cursor: str | None
    end_cursor: str | None
    has_next_page: bool
    has_previous_page: bool

    @classmethod
    def from_json(cls, obj: object, *, item: Callable[[object], T]) -> Self:
        document = documents.as_object(obj, what="the list")
        info = documents.as_object(document.get("pagination"), what="pagination")
        listed = documents.as_list(document.get("result"), what="result")
        return cls(
            items=tuple(item(each) for each in listed),
            start_cursor=documents.optional_text(info, "startCursor"),
            end_cursor=documents.optional_text(info, "endCursor"),
            has_next_page=documents.boolean(info, "hasNextPage"),
            has_previous_page=documents.boolean(info, "hasPreviousPage"),
        )
