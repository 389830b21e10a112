"""A payment of which no wallet says anything ends by the word of two operators, and of no fewer."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.conf import LazySettings
from django.db import IntegrityError, ProgrammingError, connection, transaction

from backend import rate_limits
from backend.accounts.models import User
from backend.errors import Forbidden, NotFound, ValidationFailed
from backend.events.models import Event
from backend.funding.models import Funding, Payable
from backend.funding.status import FundingStatus, PayableStatus
from backend.ids import new_id
from backend.jobs.status import ReviewDecision
from backend.payments import claims, resolving
from backend.payments.errors import BeingLookedAt, NotResolvable
from backend.payments.models import Attempt, HeldGrant, Payment, PaymentResolution
from backend.payments.status import PaymentStatus
from backend.receipts.models import Receipt
from tests.jobs.people import a_person
from tests.jobs.test_concurrency import at_once
from tests.simulation.market import Market
from tests.simulation.simulator import Simulation

pytestmark = pytest.mark.django_db(transaction=True)

P = PaymentStatus
SILENT = 1_000_000


@pytest.fixture(autouse=True)
def _no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    # They are about money here, not about how often somebody may try.
    monkeypatch.setattr(rate_limits, "hit", lambda *_: None)


def an_operator(name: str = "op") -> User:
    return User.objects.create(
        email=f"{name}-{new_id()}@example.org", display_name=name, is_staff=True
    )


def go_silent(simulation: Simulation, *, order: str | None) -> None:
    """The receiver's wallet answers nobody; the order's answer is lost `before` or `after` it."""
    simulation.fault(call="get-public-incoming-payment", act="reset", times=SILENT)
    if order is not None:
        simulation.fault(call="create-outgoing-payment", when=order, act="reset", times=SILENT)


def work_past_the_deadline(simulation: Simulation) -> Payment:
    """Let the engine try in vain until nobody works, nothing is due and a person is called."""
    for _ in range(400):
        payment = simulation.payment = simulation.payment_now()
        late = payment.deadline_at < simulation.clock.now()
        rests = payment.due_at is not None and payment.due_at > simulation.clock.now()
        if late and rests and payment.discrepancies.exists():
            return payment
        simulation.visit_wallet()
        if not simulation.work():
            simulation._wait()
    raise AssertionError(f"it is {payment.status}")


def hanging(status: PaymentStatus, *, order: str = "before") -> Simulation:
    """A payment that the engine cannot end: UNKNOWN or SENT, past its deadline."""
    simulation = Simulation(temperament="strict")
    go_silent(simulation, order=order if status is P.UNKNOWN else None)
    assert work_past_the_deadline(simulation).status == status
    return simulation


def say(
    simulation: Simulation,
    operator: User,
    outcome: PaymentStatus = P.COMPLETED,
    *,
    evidence: str | None = None,
    note: str = "Seen in the wallet.",
    key: UUID | None = None,
    payment_id: UUID | None = None,
) -> Payment:
    return resolving.resolve_unknown_payment(
        user=operator,
        payment_id=payment_id or simulation.payment.id,
        outcome=outcome,
        evidence_url=evidence or f"https://wallet.example/{operator.pk}",
        note=note,
        idempotency_key=key or new_id(),
        now=simulation.clock.now(),
    )


def look_once_more(simulation: Simulation) -> None:
    """The engine's look at the wallets that a proposal asks for."""
    while simulation._advance_the_payment():
        pass


def resolved(simulation: Simulation, outcome: PaymentStatus) -> Payment:
    say(simulation, an_operator("first"), outcome)
    look_once_more(simulation)
    return say(simulation, an_operator("second"), outcome)


# --- two of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [P.UNKNOWN, P.SENT])
def test_two_operators_who_saw_that_it_arrived_complete_it(status: PaymentStatus) -> None:
    simulation = hanging(status, order="after")

    payment = resolved(simulation, P.COMPLETED)

    assert (payment.status, payment.delivered_value) == (P.COMPLETED, payment.receive_value)
    last = payment.transitions.order_by("at", "id").last()
    assert last is not None
    assert (last.old, last.new, last.reason) == (status, P.COMPLETED, "confirmed by two operators")
    assert Funding.objects.get(id=payment.reference).status == FundingStatus.SETTLED
    assert simulation.booked(payment) == payment.receive_value
    told = Event.objects.filter(topic=f"payment:{payment.id}").order_by("seq").last()
    assert told is not None
    assert told.payload == {"status": "COMPLETED", "previous": str(status)}


@pytest.mark.parametrize("status", [P.UNKNOWN, P.SENT])
def test_two_operators_who_saw_that_nothing_arrived_fail_it(status: PaymentStatus) -> None:
    simulation = hanging(status)

    payment = resolved(simulation, P.FAILED)

    assert (payment.status, payment.failure_code) == (P.FAILED, "NOT_DELIVERED")
    assert (payment.delivered_value, payment.reserved_value) == (0, 0)
    assert Funding.objects.get(id=payment.reference).status == FundingStatus.FAILED
    assert simulation.booked(payment) == 0
    attempt = Attempt.objects.get(payment=payment, number=payment.attempts.count())
    assert (attempt.dead_at, attempt.proof) == (simulation.clock.now(), resolving.BY_OPERATORS)


def test_one_operator_alone_ends_nothing() -> None:
    simulation, operator = hanging(P.UNKNOWN), an_operator()

    payment = say(simulation, operator)
    look_once_more(simulation)
    with pytest.raises(Forbidden, match="another operator"):
        say(simulation, operator, evidence="https://wallet.example/more")

    assert payment.status == simulation.payment_now().status == P.UNKNOWN
    assert payment.resolutions.count() == 1


def test_the_second_brings_evidence_of_their_own() -> None:
    simulation = hanging(P.UNKNOWN)
    say(simulation, an_operator(), evidence="https://wallet.example/1")
    look_once_more(simulation)

    with pytest.raises(ValidationFailed) as refused:
        say(simulation, an_operator(), evidence=" https://wallet.example/1 ")

    assert refused.value.path == ("evidenceUrl",)
    assert simulation.payment_now().status == P.UNKNOWN


def test_another_outcome_takes_the_proposals_place() -> None:
    simulation = hanging(P.UNKNOWN)
    first, second = an_operator(), an_operator()
    say(simulation, first, P.COMPLETED)
    look_once_more(simulation)
    assert say(simulation, second, P.FAILED).status == P.UNKNOWN
    look_once_more(simulation)

    # The first one's old word is gone: what counts now is FAILED, proposed by the second.
    with pytest.raises(Forbidden):
        say(simulation, second, P.FAILED)
    assert say(simulation, first, P.FAILED).status == P.FAILED

    said = PaymentResolution.objects.order_by("at", "id")
    assert [row.outcome for row in said] == ["COMPLETED", "FAILED", "FAILED"]
    assert [row.confirms_id for row in said] == [None, None, said[1].id]


def test_each_act_is_kept_with_who_when_what_and_the_evidence() -> None:
    simulation = hanging(P.SENT)

    payment = resolved(simulation, P.COMPLETED)

    proposed, confirmed = payment.resolutions.order_by("at", "id")
    assert confirmed.confirms == proposed
    assert proposed.operator_id != confirmed.operator_id
    for row in (proposed, confirmed):
        assert row.evidence_url == f"https://wallet.example/{row.operator_id}"
        assert (row.note, row.outcome, row.status) == ("Seen in the wallet.", "COMPLETED", "SENT")
    assert proposed.at <= confirmed.at == payment.updated_at


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such triggers")
def test_what_was_said_is_never_changed() -> None:
    simulation = hanging(P.UNKNOWN)
    say(simulation, an_operator())

    for change in (
        lambda: PaymentResolution.objects.update(outcome="FAILED"),
        lambda: PaymentResolution.objects.all().delete(),
    ):
        with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
            change()


def test_the_database_lets_a_payment_be_ended_so_once() -> None:
    simulation = hanging(P.UNKNOWN)
    resolved(simulation, P.FAILED)
    row = PaymentResolution.objects.get(confirms=None)

    row.id = new_id()
    row.save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentResolution.objects.create(
            payment=row.payment,
            operator=row.operator,
            outcome="COMPLETED",
            evidence_url="https://wallet.example/",
            note="-",
            status="UNKNOWN",
            attempt_number=1,
            confirms=row,
            at=row.at,
        )


def test_what_operators_confirmed_has_no_receipt() -> None:
    payment = resolved(hanging(P.UNKNOWN, order="after"), P.COMPLETED)

    assert not Receipt.objects.filter(payment=payment).exists()


# --- who, what and when ---------------------------------------------------------------------------


def test_only_operators_who_take_no_part_in_it_are_asked() -> None:
    simulation = hanging(P.UNKNOWN)
    payer = User.objects.get(id=simulation.payer.id)
    auditor = a_person(is_auditor=True)

    with pytest.raises(NotFound):
        say(simulation, a_person())
    for who in (payer, auditor):
        with pytest.raises(Forbidden):
            say(simulation, who)
    payer.is_staff = True
    payer.save()
    with pytest.raises(Forbidden, match="from you or to you"):
        say(simulation, payer)
    assert not PaymentResolution.objects.exists()


def test_who_was_made_an_operator_after_it_began_is_not_asked() -> None:
    simulation, sudden = hanging(P.UNKNOWN), an_operator("sudden")
    since = simulation.payment.created_at + timedelta(seconds=1)
    User.objects.filter(id=sudden.id).update(operator_since=since)
    sudden.refresh_from_db()

    with pytest.raises(Forbidden, match="after this payment began"):
        say(simulation, sudden)

    assert not PaymentResolution.objects.exists()


@pytest.mark.parametrize("first", ["maker", "made"])
def test_who_made_the_other_an_operator_is_no_second_one(first: str) -> None:
    simulation = hanging(P.UNKNOWN)
    maker, made = an_operator("maker"), an_operator("made")
    made.operator_since, made.made_operator_by = simulation.payment.created_at, maker
    made.save()
    proposing, confirming = (maker, made) if first == "maker" else (made, maker)
    say(simulation, proposing)
    look_once_more(simulation)

    with pytest.raises(Forbidden, match="a third operator has to confirm"):
        say(simulation, confirming)

    assert simulation.payment_now().status == P.UNKNOWN
    assert say(simulation, an_operator("third")).status == P.COMPLETED


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"outcome": P.CANCELED}, "outcome"),
        ({"note": "  "}, "note"),
        ({"note": "x" * 2001}, "note"),
        ({"evidence": "in my drawer"}, "evidenceUrl"),
        ({"evidence": " "}, "evidenceUrl"),
        ({"evidence": "javascript:alert(1)"}, "evidenceUrl"),
    ],
)
def test_evidence_and_a_note_are_needed(given: dict[str, Any], path: str) -> None:
    simulation = hanging(P.UNKNOWN)

    with pytest.raises(ValidationFailed) as refused:
        say(simulation, an_operator(), **given)

    assert refused.value.path == (path,)
    assert not PaymentResolution.objects.exists()


def test_what_is_not_late_is_the_engines_alone() -> None:
    simulation = Simulation(temperament="strict")
    go_silent(simulation, order="before")
    for _ in range(30):
        simulation.payment = simulation.payment_now()
        if simulation.payment.status == P.UNKNOWN:
            break
        simulation.visit_wallet()
        if not simulation.work():
            simulation._wait()

    with pytest.raises(NotResolvable):
        say(simulation, an_operator())

    assert simulation.payment_now().status == P.UNKNOWN


def test_what_was_sent_needs_a_discrepancy_too() -> None:
    simulation = hanging(P.SENT)
    simulation.payment.discrepancies.update(resolved_at=simulation.clock.now())

    with pytest.raises(NotResolvable):
        say(simulation, an_operator())


def test_the_same_key_is_one_word() -> None:
    simulation, key = hanging(P.UNKNOWN), new_id()
    operator = an_operator()

    for _ in range(3):
        say(simulation, operator, key=key)

    assert PaymentResolution.objects.count() == 1


# --- the engine comes first -----------------------------------------------------------------------


def test_a_proposal_has_the_wallets_asked_once_more_and_what_they_show_wins() -> None:
    simulation = hanging(P.UNKNOWN, order="after")
    say(simulation, an_operator(), P.FAILED)
    simulation._control("DELETE", "faults")

    with pytest.raises(BeingLookedAt):
        say(simulation, an_operator(), P.FAILED)
    look_once_more(simulation)
    with pytest.raises(NotResolvable, match="over by itself"):
        say(simulation, an_operator(), P.FAILED)

    assert simulation.payment_now().status == P.COMPLETED
    assert Receipt.objects.filter(payment=simulation.payment).exists()


def test_a_payment_that_has_moved_on_needs_a_new_proposal() -> None:
    simulation = hanging(P.UNKNOWN, order="after")
    say(simulation, an_operator(), P.COMPLETED)
    # The sender's wallet was found to have the order: another status, other evidence.
    Payment.objects.filter(id=simulation.payment.id).update(
        status=P.SENT, due_at=simulation.clock.now() + timedelta(hours=1)
    )

    payment = say(simulation, an_operator(), P.COMPLETED)

    assert payment.status == P.SENT
    assert list(payment.resolutions.values_list("status", "confirms")) == [
        ("UNKNOWN", None),
        ("SENT", None),
    ]


def test_nobody_is_listened_to_while_a_worker_has_the_payment_in_hand() -> None:
    simulation = hanging(P.SENT)
    say(simulation, an_operator(), P.COMPLETED)
    look_once_more(simulation)
    payment = simulation.payment_now()
    assert payment.due_at is not None
    simulation.clock.at = payment.due_at
    claims.claim_due(Payment, now=simulation.clock.now(), limit=1, only=payment.id)
    Payment.objects.filter(id=payment.id).update(due_at=payment.due_at + timedelta(hours=1))

    with pytest.raises(BeingLookedAt) as refused:
        say(simulation, an_operator(), P.COMPLETED)

    assert refused.value.retryable
    assert simulation.payment_now().status == P.SENT


def test_a_worker_that_slept_through_the_decision_changes_nothing() -> None:
    simulation = hanging(P.SENT)
    say(simulation, an_operator("first"), P.FAILED)
    look_once_more(simulation)
    payment = simulation.payment_now()
    assert payment.due_at is not None
    simulation.clock.at = payment.due_at
    payment_was = P.SENT

    def sleep(request: httpx.Request) -> None:
        """Past the lease, with the question to the receiver's wallet in hand."""
        nonlocal payment_was
        simulation.before_each_call = lambda request: None
        simulation.clock.advance(61)
        # Somebody else looks, in vain, and the second operator confirms.
        look_once_more(simulation)
        payment_was = PaymentStatus(say(simulation, an_operator("second"), P.FAILED).status)
        simulation._control("DELETE", "faults")

    simulation.before_each_call = sleep
    look_once_more(simulation)

    # What it then read, all of the money, came too late for its claim.
    assert payment_was == simulation.payment_now().status == P.FAILED
    assert simulation.booked(simulation.payment_now()) == 0
    assert simulation.payment_now().transitions.filter(new="COMPLETED").count() == 0


# --- fifty at once --------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [P.COMPLETED, P.FAILED])
def test_fifty_confirmations_have_one_outcome(outcome: PaymentStatus) -> None:
    simulation = hanging(P.UNKNOWN, order="after")
    say(simulation, an_operator(), outcome)
    look_once_more(simulation)
    operators = [an_operator() for _ in range(50)]

    ends = at_once(*[partial(say, simulation, each, outcome) for each in operators])

    assert ends.pop("done") == 1
    assert set(ends) <= {"NotResolvable", "BeingLookedAt"}
    _has_ended_once(simulation, outcome)


def test_fifty_who_disagree_and_a_worker_leave_one_outcome() -> None:
    simulation = hanging(P.UNKNOWN, order="after")
    operators = [an_operator() for _ in range(50)]
    acts: list[Callable[[], object]] = [
        partial(say, simulation, each, P.FAILED if number % 2 else P.COMPLETED)
        for number, each in enumerate(operators)
    ]
    stop = threading.Event()

    def keep_working() -> None:
        try:
            while not stop.wait(0.02):
                simulation._advance_the_payment()
        finally:
            connection.close()

    worker = threading.Thread(target=keep_working)
    worker.start()
    try:
        at_once(*acts)
    finally:
        stop.set()
        worker.join(30)
    # Whatever they came to: two more who agree bring it to an end, if it has none.
    look_once_more(simulation)
    for _ in range(2):
        if simulation.payment_now().status == P.UNKNOWN:
            say(simulation, an_operator(), P.COMPLETED)
            look_once_more(simulation)

    _has_ended_once(simulation, PaymentStatus(simulation.payment_now().status))


def _has_ended_once(simulation: Simulation, outcome: PaymentStatus) -> None:
    payment = simulation.payment_now()
    assert payment.status == outcome in {P.COMPLETED, P.FAILED}
    assert payment.transitions.filter(new__in=["COMPLETED", "FAILED"]).count() == 1
    assert PaymentResolution.objects.exclude(confirms=None).count() == 1
    wanted = payment.receive_value if outcome is P.COMPLETED else 0
    assert simulation.booked(payment) == wanted
    settled = Funding.objects.get(id=payment.reference).status == FundingStatus.SETTLED
    assert settled == (outcome is P.COMPLETED)


# --- what is paid under a consent that is held ----------------------------------------------------


@pytest.fixture
def market(settings: LazySettings) -> Market:
    """A worker's payout that hangs."""
    market = Market(workers=1)
    market.secure()
    go_silent(market, order="after")
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.payment = Payment.objects.get(purpose="PAYOUT", payer=market.payer)
    for _ in range(400):
        payment = market.payment_now()
        rests = payment.due_at is not None and payment.due_at > market.now
        if payment.deadline_at < market.now and rests and payment.discrepancies.exists():
            return market
        if not market.work():
            market.wait()
    raise AssertionError("it does not hang")


def test_a_payout_that_arrived_is_counted_as_paid(market: Market) -> None:
    payment = resolved(market, P.COMPLETED)

    payable = Payable.objects.get(id=payment.reference)
    assert (payment.status, payable.status) == (P.COMPLETED, PayableStatus.PAID)
    assert payable.allocation is not None
    assert payable.allocation.released_value == payable.value
    assert HeldGrant.objects.get(payer=market.payer).reserved_value == payment.debit_value


def test_a_payout_that_did_not_arrive_keeps_its_room_and_waits_for_a_person(
    market: Market,
) -> None:
    payment = resolved(market, P.FAILED)

    assert payment.status == P.FAILED
    # The payer's wallet may count it, so it stays counted here.
    assert payment.reserved_value == payment.debit_value
    assert HeldGrant.objects.get(payer=market.payer).reserved_value == payment.debit_value
    # Nobody closed the receiver: nothing is paid again by itself.
    payable = Payable.objects.get(id=payment.reference)
    assert (payable.status, payable.due_at) == (PayableStatus.STUCK, None)
    assert Payment.objects.filter(reference=payable.id).count() == 1
