"""Everything that happened to a payment, in one list; nothing that is secret.

The journal's bodies stay sealed: of a call are shown its step, host, outcome, duration and the
digest of the request, which says whether two requests were the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backend.ledger.models import Entry, Transfer
from backend.money import number_of
from backend.open_payments.types import Amount
from backend.payments.models import Payment, WalletCall
from backend.payments.status import TERMINAL, PaymentStatus
from backend.receipts.models import Receipt

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SHORT_DIGEST = 12


class Kind(StrEnum):
    """What a line of the timeline is about; also how it is drawn."""

    STATUS = "status"
    ATTEMPT = "attempt"
    CALL = "call"
    CONSENT = "consent"
    WORD = "word"
    BOOKS = "books"
    RECEIPT = "receipt"
    DISCREPANCY = "discrepancy"


NAMES: dict[Kind, _StrPromise] = {
    Kind.STATUS: gettext_lazy("Status"),
    Kind.ATTEMPT: gettext_lazy("Attempt"),
    Kind.CALL: gettext_lazy("Wallet call"),
    Kind.CONSENT: gettext_lazy("Consent"),
    Kind.WORD: gettext_lazy("Operator"),
    Kind.BOOKS: gettext_lazy("Books"),
    Kind.RECEIPT: gettext_lazy("Receipt"),
    Kind.DISCREPANCY: gettext_lazy("Discrepancy"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line. `tone` is "good", "bad" or empty; `url` is the evidence's, where there is one."""

    at: datetime
    kind: Kind
    what: str
    details: tuple[str, ...] = ()
    tone: str = ""
    url: str = ""
    took_ms: int | None = None
    # Of a call that was made over and over: how often, and when for the last time.
    times: int = 1
    until: datetime | None = None

    @property
    def name(self) -> str:
        """The kind, to be read."""
        return str(NAMES[self.kind])


def timeline(payment: Payment) -> list[Moment]:
    """All moments of a payment, in their order; a fixed number of queries."""
    parts = (_created, _calls, _consents, _attempts, _statuses, _words, _books, _receipts, _doubts)
    moments = [moment for part in parts for moment in part(payment)]
    return _together(sorted(moments, key=lambda moment: moment.at))


def _together(moments: list[Moment]) -> list[Moment]:
    """The same, where calls that only repeat the one before are one line."""
    found: list[Moment] = []
    for moment in moments:
        last = found[-1] if found else None
        if last and moment.kind is Kind.CALL and _alike(last) == _alike(moment):
            found[-1] = replace(last, times=last.times + 1, until=moment.at)
        else:
            found.append(moment)
    return found


def _alike(moment: Moment) -> tuple[object, ...]:
    return moment.kind, moment.what, moment.tone, moment.details


def written(amount: Amount | None) -> str:
    """A sum with its currency, to be read; a dash for none."""
    if amount is None:
        return "-"
    return f"{number_of(amount.value, amount.asset_scale)} {amount.asset_code}"


def _created(payment: Payment) -> Iterator[Moment]:
    amount = payment.receive_amount or payment.send_amount
    first = payment.transitions.order_by("at", "id").values_list("old", flat=True).first()
    yield Moment(
        at=payment.created_at,
        kind=Kind.STATUS,
        what=first or payment.status,
        details=(f"{payment.get_purpose_display()}, {written(amount)}",),
    )


def _statuses(payment: Payment) -> Iterator[Moment]:
    for row in payment.transitions.order_by("at", "id"):
        yield Moment(
            at=row.at,
            kind=Kind.STATUS,
            what=f"{row.old} → {row.new}",
            details=(row.reason,) if row.reason else (),
            tone=_tone_of(row.new),
        )


def _tone_of(status: str) -> str:
    if status == PaymentStatus.COMPLETED:
        return "good"
    ended_badly = status in TERMINAL
    return "bad" if ended_badly or status == PaymentStatus.UNKNOWN else ""


def _attempts(payment: Payment) -> Iterator[Moment]:
    for row in payment.attempts.order_by("number"):
        name = _("Attempt %(number)s") % {"number": row.number}
        yield Moment(at=row.started_at, kind=Kind.ATTEMPT, what=name + ": " + _("begun"))
        if row.sent_at:
            yield Moment(
                at=row.sent_at,
                kind=Kind.ATTEMPT,
                what=name + ": " + _("the order goes out"),
                details=tuple(filter(None, (row.quote_url, row.incoming_payment_url))),
            )
        if row.fenced_at:
            what = name + ": " + _("its receiver is closed, nothing can arrive any more")
            yield Moment(at=row.fenced_at, kind=Kind.ATTEMPT, what=what)
        if row.dead_at:
            yield Moment(
                at=row.dead_at,
                kind=Kind.ATTEMPT,
                what=name + ": " + _("proved dead"),
                details=(row.proof,) if row.proof else (),
                tone="bad",
            )


def _calls(payment: Payment) -> Iterator[Moment]:
    # An answer is told with its intent.
    rows = payment.calls.filter(intent=None).select_related("answer").order_by("at", "id")
    for row in rows:
        answer = row if row.is_answer else getattr(row, "answer", None)
        yield Moment(
            at=row.at,
            kind=Kind.CALL,
            what=row.operation,
            took_ms=None if answer is None else answer.duration_ms,
            details=tuple(
                filter(
                    None,
                    (
                        row.host,
                        _outcome(answer, repeatable=row.is_answer),
                        _("request %(digest)s") % {"digest": row.request_digest[:SHORT_DIGEST]},
                    ),
                )
            ),
            tone="" if answer and answer.status and answer.status < 400 else "bad",
        )


def _outcome(answer: WalletCall | None, *, repeatable: bool) -> str:
    if answer is None:
        return _("no answer was written down: the process ended first")
    if answer.status is not None:
        return f"HTTP {answer.status}"
    error = {"error": answer.error}
    if not answer.request_sent:
        return _("not sent (%(error)s)") % error
    if repeatable:
        return _("no answer (%(error)s)") % error
    return _("no answer (%(error)s), it may have been done") % error


def _consents(payment: Payment) -> Iterator[Moment]:
    for row in payment.grants.order_by("created_at", "id"):
        yield Moment(
            at=row.created_at,
            kind=Kind.CONSENT,
            what=_("%(kind)s grant, now %(status)s") % {"kind": row.kind, "status": row.status},
            details=(row.auth_server,),
        )
    if payment.under is not None:
        for step in payment.under.transitions.order_by("at", "id"):
            yield Moment(
                at=step.at,
                kind=Kind.CONSENT,
                what=_("Held grant: %(old)s → %(new)s") % {"old": step.old, "new": step.new},
                details=(step.reason,) if step.reason else (),
            )


def _words(payment: Payment) -> Iterator[Moment]:
    for row in payment.resolutions.select_related("operator").order_by("at", "id"):
        names = {"operator": row.operator, "outcome": row.outcome}
        said = _("%(operator)s proposes %(outcome)s") % names
        if row.confirms_id:
            said = _("%(operator)s confirms %(outcome)s") % names
        yield Moment(
            at=row.at,
            kind=Kind.WORD,
            what=said,
            details=(row.note, *([written(row.arrived)] if row.arrived else [])),
            url=row.evidence_url,
        )


def _books(payment: Payment) -> Iterator[Moment]:
    for transfer in Transfer.objects.filter(payment=payment).prefetch_related("entries__account"):
        yield Moment(
            at=transfer.at,
            kind=Kind.BOOKS,
            what=_("Booked: %(reason)s") % {"reason": transfer.reason},
            details=tuple(_line(each) for each in sorted(transfer.entries.all(), key=_amount)),
        )


def _amount(entry: Entry) -> int:
    return entry.amount


def _line(entry: Entry) -> str:
    account = entry.account
    code, scale = account.asset
    number = number_of(entry.amount, scale)
    return f"{account.kind} {'+' if entry.amount > 0 else ''}{number} {code}"


def _receipts(payment: Payment) -> Iterator[Moment]:
    for row in Receipt.objects.filter(payment=payment):
        yield Moment(at=row.issued_at, kind=Kind.RECEIPT, what=row.number, tone="good")


def _doubts(payment: Payment) -> Iterator[Moment]:
    for row in payment.discrepancies.order_by("first_seen_at", "id"):
        yield Moment(
            at=row.first_seen_at,
            kind=Kind.DISCREPANCY,
            what=row.kind,
            details=(
                _("expected %(expected)s, found %(actual)s")
                % {"expected": row.expected, "actual": row.actual},
            ),
            tone="" if row.resolved_at else "bad",
        )
        if row.resolved_at:
            yield Moment(
                at=row.resolved_at,
                kind=Kind.DISCREPANCY,
                what=_("%(kind)s is gone") % {"kind": row.kind},
                tone="good",
            )
