"""What to ask a grant for, and whether what was granted is no more than that.

Spec: auth server, schemas `access-item` and `limits-outgoing`.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from backend.open_payments import documents, urls
from backend.open_payments.errors import InvalidValue, MismatchedResponse
from backend.open_payments.types import Access, Amount, Limits

MAX_ACCESS_ITEMS = 3
ACTIONS = {
    "incoming-payment": frozenset({"create", "complete", "read", "read-all", "list", "list-all"}),
    "outgoing-payment": frozenset({"create", "read", "read-all", "list", "list-all"}),
    "quote": frozenset({"create", "read", "read-all"}),
}
RECEIVER = re.compile(r"https?://.+/incoming-payments/.+")
DURATION = re.compile(
    r"P(?!$)(\d{1,4}Y)?(\d{1,4}M)?(\d{1,4}W)?(\d{1,5}D)?"
    r"(T(?!$)(\d{1,6}H)?(\d{1,6}M)?(\d{1,8}S)?)?",
    re.ASCII,
)
REPETITIONS = re.compile(r"R(-1|\d{0,9})", re.ASCII)


def incoming_payment_access(
    *,
    identifier: str | None = None,
    actions: Sequence[str] = ("create", "read", "complete", "list"),
) -> Access:
    """Ask for a receiver's incoming payments; `identifier` None is every wallet of the server."""
    return Access(type="incoming-payment", actions=tuple(actions), identifier=identifier)


def quote_access(*, actions: Sequence[str] = ("create", "read")) -> Access:
    """Ask for quotes; they have no identifier."""
    return Access(type="quote", actions=tuple(actions))


def outgoing_payment_access(
    *,
    identifier: str,
    limits: Limits | None,
    actions: Sequence[str] = ("create", "read", "list"),
) -> Access:
    """Ask to pay from the wallet `identifier`; `limits` None lets the client spend everything."""
    return Access(
        type="outgoing-payment", actions=tuple(actions), identifier=identifier, limits=limits
    )


def single_window(*, start: datetime, days: int) -> str:
    """Write the interval of one window that ends by itself: `R0/<start>/P<days>D`.

    Rafiki counts n+1 windows for Rn, so R0 is one.

    Raises:
        InvalidValue: `start` has no time zone or `days` is not 1 to 99999.
    """
    return check_interval(f"R0/{documents.write_instant(start)}/P{days}D")


def repeating(*, start: datetime, days: int) -> str:
    """Write an interval that begins afresh every `days` days, for ever: `R/<start>/P<days>D`.

    Raises:
        InvalidValue: `start` has no time zone or `days` is not 1 to 99999.
    """
    return check_interval(f"R/{documents.write_instant(start)}/P{days}D")


def check_interval(interval: str) -> str:
    """Return `interval` if it is an ISO 8601 repeating interval that can end.

    Rafiki grants any text here and fails only when money should move.

    Raises:
        InvalidValue: it is not of the forms Rn/start/duration, Rn/duration/end, Rn/start/end.

    Spec: auth server, schema `interval`.
    """
    parts = interval.split("/")
    if len(parts) != 3 or not REPETITIONS.fullmatch(parts[0]):
        raise InvalidValue("an interval is R, a count or nothing, then two parts after slashes")
    one, other = parts[1:]
    if one.startswith("P"):
        _check_duration(one)
        documents.read_instant(other)
    elif other.startswith("P"):
        documents.read_instant(one)
        _check_duration(other)
    elif documents.read_instant(one) >= documents.read_instant(other):
        raise InvalidValue("an interval ends after it starts")
    return interval


def check_request(access: Sequence[Access], *, interactive: bool) -> None:
    """Refuse, before anybody is asked for consent, what a server refuses or grants too widely.

    Raises:
        InvalidValue: an access item is not one of the specification's, both amounts are limited,
            or an outgoing payment lacks its identifier.
    """
    if len(access) > MAX_ACCESS_ITEMS or len(set(access)) != len(access):
        raise InvalidValue(f"a grant has at most {MAX_ACCESS_ITEMS} different access items")
    for item in access:
        if not item.actions or not set(item.actions) <= ACTIONS.get(item.type, frozenset()):
            raise InvalidValue(f"{item.type} has no actions {', '.join(item.actions)}")
        if item.identifier is not None:
            urls.check_url(item.identifier, what="identifier")
        if item.type != "outgoing-payment":
            if item.limits is not None or (item.type == "quote" and item.identifier is not None):
                raise InvalidValue(f"{item.type} access has no such limits or identifier")
        elif item.identifier is None or not interactive:
            raise InvalidValue("paying needs the payer's wallet address and their interaction")
        elif item.limits is not None:
            _check_limits(item.limits)


def require_not_wider(granted: Sequence[Access], *, requested: Sequence[Access]) -> None:
    """Refuse a token that may do more than was asked: a person would be blamed for it.

    Raises:
        MismatchedResponse: an item has other actions, another identifier or looser limits.
    """
    for item in granted:
        if not any(_covers(asked, item) for asked in requested):
            raise MismatchedResponse(
                "granted access",
                expected=[each.to_json() for each in requested],
                received=item.to_json(),
            )


def _covers(asked: Access, granted: Access) -> bool:
    return (
        asked.type == granted.type
        and set(granted.actions) <= set(asked.actions)
        and asked.identifier in (None, granted.identifier)
        and _limits_cover(asked.limits or Limits(), granted.limits or Limits())
    )


def _limits_cover(asked: Limits, granted: Limits) -> bool:
    # With an amount, an interval that nobody asked for spends that amount again and again.
    has_amount = asked.debit_amount is not None or asked.receive_amount is not None
    interval_is_free = asked.interval is None and not has_amount
    return (
        asked.receiver in (None, granted.receiver)
        and (interval_is_free or asked.interval == granted.interval)
        and _amount_covers(asked.debit_amount, granted.debit_amount)
        and _amount_covers(asked.receive_amount, granted.receive_amount)
    )


def _amount_covers(asked: Amount | None, granted: Amount | None) -> bool:
    if asked is None:
        return True
    return granted is not None and asked.same_asset(granted) and granted.value <= asked.value


def _check_limits(limits: Limits) -> None:
    if limits.debit_amount is not None and limits.receive_amount is not None:
        raise InvalidValue("limits have a debit amount or a receive amount, not both")
    if limits.receiver is not None:
        check_receiver(limits.receiver)
    if limits.interval is not None:
        check_interval(limits.interval)


def check_receiver(receiver: str) -> None:
    """Refuse a receiver that is not the URL of an incoming payment."""
    urls.check_url(receiver, what="receiver")
    if not RECEIVER.fullmatch(receiver):
        raise InvalidValue("a receiver is the URL of an incoming payment, not a wallet address")


def _check_duration(duration: str) -> None:
    if not DURATION.fullmatch(duration) or not re.search(r"[1-9]", duration):
        raise InvalidValue("an interval's duration is like P1M, P90D or PT12H, and not zero")
