"""Comparing what should be the same: our rows, the books, and what wallets show.

Nothing here changes money or asks a wallet to. Rows are read in snapshots, a batch at a time;
wallets are asked while no transaction is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from backend.clock import SYSTEM_CLOCK, Clock
from backend.funding.models import Funding
from backend.heartbeat.beating import RECONCILIATION, finished
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Account, Transfer
from backend.ledger.verification import snapshot
from backend.open_payments import Client
from backend.payments.models import Discrepancy, Grant, HeldGrant, Payment
from backend.payments.status import TERMINAL
from backend.reconciliation import books, fundings, receivers, rows, senders
from backend.reconciliation.asking import Asking
from backend.reconciliation.findings import Kind, Record, Report
from backend.reconciliation.senders import Orders

BATCH = 500
M = TypeVar("M", bound=Model)


def reconcile(
    *,
    now: datetime,
    client: Client | None,
    since: datetime | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Report:
    """Compare everything, or what has moved `since` then and what is open; keep what is found.

    Payments are judged when they are over or past their deadline. With `client` None wallets are
    not asked; `clock` says how long they take. Safe to repeat and to interrupt: a discrepancy is
    kept once per subject and kind, resolved by the run that does not find it any more, and opened
    again when it returns.
    """
    record = Record(now=now)
    # First what needs nobody's answer: no wallet can keep us from it.
    _judge_payments(record, since)
    _judge_fundings(record, since)
    _read_the_books(record, since)
    if client is not None:
        _ask_wallets(record, client, since, clock)
        finished(RECONCILIATION, now=clock.now())
    return record.report


def _judge_payments(record: Record, since: datetime | None) -> None:
    for payments in _batches(_judged(now=record.now, since=since)):
        ids = [payment.id for payment in payments]
        with snapshot():
            # Read again: what has moved meanwhile is seen together with what moved with it.
            again = Payment.objects.filter(id__in=ids).select_related("receiver")
            found = list(rows.check(list(again), now=record.now))
        record.settle(rows.KINDS, found, within=Q(subject__in=ids))
        record.report.checked["payments"] += len(ids)


def _judge_fundings(record: Record, since: datetime | None) -> None:
    for some in _batches(_moved(Funding.objects.all(), since)):
        ids = [funding.id for funding in some]
        with snapshot():
            found = list(fundings.check(list(Funding.objects.filter(id__in=ids))))
        record.settle(fundings.KINDS, found, within=Q(subject__in=ids))
        record.report.checked["fundings"] += len(ids)


def _ask_wallets(record: Record, client: Client, since: datetime | None, clock: Clock) -> None:
    """Senders first: what they were to deliver says who it is that has paid a receiver more."""
    orders = Orders(as_of=record.now)
    _ask_senders(record, Asking(client, clock), orders)
    for payments in _batches(_judged(now=record.now, since=since)):
        _ask_receivers(record, payments, client, orders)


def _judged(*, now: datetime, since: datetime | None) -> QuerySet[Payment]:
    over = Q(status__in=sorted(TERMINAL)) | Q(deadline_at__lt=now)
    moved = Q() if since is None else Q(updated_at__gte=since) | ~Q(status__in=sorted(TERMINAL))
    open_now = Discrepancy.objects.filter(resolved_at=None).exclude(payment=None)
    return Payment.objects.filter((over & moved) | Q(id__in=open_now.values("payment")))


def _moved(all_of_them: QuerySet[M], since: datetime | None) -> QuerySet[M]:
    if since is None:
        return all_of_them
    open_now = Discrepancy.objects.filter(resolved_at=None).values("subject")
    return all_of_them.filter(Q(updated_at__gte=since) | Q(id__in=open_now))


def _batches(wanted: QuerySet[M]) -> Iterator[list[M]]:
    """The rows by id, so many at a time; what is added meanwhile may be left to the next run."""
    last: Any = UUID(int=0)
    while batch := list(wanted.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield batch
        last = batch[-1].pk


def _ask_receivers(record: Record, payments: list[Payment], client: Client, orders: Orders) -> None:
    ids = [payment.id for payment in payments]
    fresh = list(Payment.objects.filter(id__in=ids).select_related("receiver"))
    seen = receivers.check(fresh, client=client, orders=orders)
    record.settle(receivers.KINDS, seen.findings, within=Q(subject__in=seen.judged))
    record.report.checked["receivers"] += len(seen.judged)
    if seen.unreadable:
        record.skip(receivers.KINDS, seen.unreadable)
    out_of_sight = sum(payment.sender_id not in orders.asked for payment in fresh)
    if out_of_sight:
        record.skip([*senders.LIST_KINDS, Kind.PAID_BY_STRANGER], out_of_sight)


def _ask_senders(record: Record, asking: Asking, orders: Orders) -> None:
    for grant in senders.live_grants(now=record.now):
        held = grant.held_grant
        assert held is not None
        _ask_what_was_spent(record, grant, held, asking)
        if held.sender_id not in orders.asked and asking.may_ask(held):
            _ask_for_the_list(record, grant, held, asking, orders)


def _ask_what_was_spent(record: Record, grant: Grant, held: HeldGrant, asking: Asking) -> None:
    may_ask = asking.may_ask(held)
    spent = senders.check_spent(grant, asking=asking, now=record.now) if may_ask else None
    if spent is None:
        return record.skip([Kind.GRANT_SPENT_DIFFERS])
    record.settle([Kind.GRANT_SPENT_DIFFERS], spent, within=Q(subject=held.id))
    record.report.checked["consents"] += 1


def _ask_for_the_list(
    record: Record, grant: Grant, held: HeldGrant, asking: Asking, orders: Orders
) -> None:
    found = senders.check_list(grant, asking=asking, now=record.now, orders=orders)
    if found is None:
        return  # told of each of its payments, where the receivers are asked
    of_sender = Q(payment__sender=held.sender_id) | Q(subject=held.sender_id)
    record.settle(senders.LIST_KINDS, found, within=of_sender)
    record.report.checked["senders"] += 1


def _read_the_books(record: Record, since: datetime | None) -> None:
    with snapshot():
        unfounded = list(books.booked_without_payment(since=since))
        for_nothing = list(books.held_for_nothing())
    transfers = Transfer.objects.all() if since is None else Transfer.objects.filter(at__gte=since)
    looked_at = Q() if since is None else Q(subject__in=transfers.values("id"))
    record.settle([Kind.BOOKED_WITHOUT_PAYMENT], unfounded, within=looked_at)
    accounts = Account.objects.filter(kind=AccountKind.ESCROW).values("id")
    record.settle([Kind.ESCROW_DIFFERS], for_nothing, within=Q(subject__in=accounts))
    record.settle([Kind.BOOKS_BROKEN], list(books.broken()))
    record.report.checked["transfers"] += transfers.count()
