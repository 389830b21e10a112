"""A way out of CANNOT_LOOK_UP: two operators say what became of a payment that a backup holds."""

import pytest
from django.conf import LazySettings

from backend import rate_limits
from backend.errors import FaenaError, ValidationFailed
from backend.funding import returning
from backend.funding.models import Funding, Payable
from backend.funding.status import FundingMode, FundingStatus, PayableStatus
from backend.ids import new_id
from backend.jobs.status import ReviewDecision
from backend.ledger.bookings import debited_value
from backend.open_payments.types import Amount
from backend.payments import resolving, standstill
from backend.payments.errors import BeingLookedAt, NotResolvable
from backend.payments.models import Discrepancy, Payment
from backend.payments.status import PaymentStatus
from backend.receipts.models import Receipt
from tests.payments.test_resolving import an_operator, look_once_more
from tests.reconciliation.conftest import open_kinds, run
from tests.simulation.crashes import CrashPoints
from tests.simulation.market import Market
from tests.simulation.restoring import AfterEveryCommit, Rows, backup, restore
from tests.simulation.simulator import BASE_URL, Simulation
from tests.simulation.test_restored import a_market, all_paid, paid_twice

pytestmark = pytest.mark.django_db(transaction=True)

P = PaymentStatus
BEFORE_THE_ORDER = [P.CREATED, P.AWAITING_APPROVAL, P.AUTHORIZED, P.QUOTED]


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    # It is about money here, not about how often somebody may try.
    monkeypatch.setattr(rate_limits, "hit", lambda *_: None)


def say(
    world: Simulation,
    outcome: PaymentStatus,
    *,
    arrived: int | None = None,
    debited: int | None = None,
) -> Payment:
    def usd(value: int | None) -> Amount | None:
        return None if value is None else Amount(value=value, asset_code="USD", asset_scale=2)

    operator = an_operator()
    return resolving.resolve_unknown_payment(
        user=operator,
        payment_id=world.payment.id,
        outcome=outcome,
        arrived=usd(arrived),
        debited=usd(debited),
        evidence_url=f"https://wallet.example/{operator.pk}",
        note="Seen in the wallet.",
        idempotency_key=new_id(),
        now=world.clock.now(),
    )


def both_say(world: Simulation, outcome: PaymentStatus, *, arrived: int | None = None) -> Payment:
    say(world, outcome, arrived=arrived)
    look_once_more(world)
    return say(world, outcome, arrived=arrived)


def payers_payment(status: PaymentStatus, *, paid: bool) -> Simulation:
    """Restored to when a payer's payment was in `status`; its receiver's wallet lists nothing."""
    world = Simulation(temperament="strict")
    backups: list[Rows] = []

    def keep() -> None:
        if world.payment_now().status == status:
            backups.append(backup(at=world.clock.now()))

    keep()
    world.points = AfterEveryCommit(keep)
    if not paid:
        world.fault(call="create-outgoing-payment", when="before", act="503", times=1000)
    world.run()
    world.points = CrashPoints()
    world._control("DELETE", "faults")
    come_back_unlisted(world, backups[0])
    return world


def payout(mode: FundingMode, status: PaymentStatus, *, paid: bool) -> Market:
    """The same for what a worker is owed."""
    market = a_market(mode, workers=2)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.payment = Payment.objects.get(purpose="PAYOUT")
    backups = [backup(at=market.now)]

    def keep() -> None:
        if market.payment_now().status == status:
            backups.append(backup(at=market.now))

    market.points = AfterEveryCommit(keep)
    if paid:
        assert market.settle_down(all_paid)
    market.points = CrashPoints()
    come_back_unlisted(market, backups[-1])
    return market


def come_back_unlisted(world: Simulation, rows: Rows) -> None:
    world.clock.advance(120)
    restore(rows)
    assert standstill.notice(now=world.clock.now())
    world.clock.advance(1)
    world.fault(
        call="list-incoming-payments", when="before", act="status", status=403, times=1_000_000
    )
    if isinstance(world, Market):
        world._stir()
    for _ in range(60):
        if Discrepancy.objects.filter(kind="CANNOT_LOOK_UP").exists():
            return
        if not world.work():
            world._wait()
    raise AssertionError(f"it is {world.payment_now()}")


def arrived_at(name: str, world: Simulation) -> int:
    movements = world._control("GET", "ledger")["movements"]
    mine = [each for each in movements if (each["kind"], each["to"]) == ("deliver", f"user:{name}")]
    return sum(int(each["value"]) for each in mine)


# --- a payer's own payment ------------------------------------------------------------------------


@pytest.mark.parametrize("status", BEFORE_THE_ORDER)
def test_what_had_arrived_in_full_is_completed(status: PaymentStatus) -> None:
    world = payers_payment(status, paid=True)

    payment = both_say(world, P.COMPLETED)

    assert payment.status == P.COMPLETED
    assert world.booked(payment) == payment.delivered_value == arrived_at("shop", world) == 2500
    assert Funding.objects.get(id=payment.reference).status == FundingStatus.SETTLED
    assert not Receipt.objects.exists()
    assert not Discrepancy.objects.filter(resolved_at=None).exists()
    moves = payment.transitions.order_by("at", "id").values_list("old", "new")
    assert list(moves)[-2:] == [(status, "SENT"), ("SENT", "COMPLETED")]


@pytest.mark.parametrize("status", BEFORE_THE_ORDER)
def test_what_never_arrived_fails_and_is_funded_again(status: PaymentStatus) -> None:
    world = payers_payment(status, paid=False)

    payment = both_say(world, P.FAILED)

    assert (payment.status, payment.failure_code) == (P.FAILED, "NOT_DELIVERED")
    assert world.booked(payment) == arrived_at("shop", world) == 0
    assert Funding.objects.get(id=payment.reference).status == FundingStatus.FAILED
    world.payment = world._fund()
    world._control("DELETE", "faults")
    assert world.run().problems == []


@pytest.mark.parametrize("status", BEFORE_THE_ORDER)
def test_a_part_that_arrived_is_booked_as_such(status: PaymentStatus) -> None:
    world = payers_payment(status, paid=True)

    payment = both_say(world, P.FAILED, arrived=900)

    assert (payment.status, payment.failure_code) == (P.FAILED, "PARTIALLY_DELIVERED")
    assert world.booked(payment) == payment.delivered_value == 900
    (open_one,) = Discrepancy.objects.filter(resolved_at=None)
    assert (open_one.kind, open_one.expected, open_one.actual) == (
        "PARTIALLY_DELIVERED",
        "2500",
        "900",
    )


# --- what a worker is owed ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
@pytest.mark.parametrize("status", [P.AUTHORIZED, P.QUOTED])
def test_a_worker_who_had_been_paid_is_paid_once(mode: FundingMode, status: PaymentStatus) -> None:
    market = payout(mode, status, paid=True)

    payment = both_say(market, P.COMPLETED)

    payable = Payable.objects.get(id=payment.reference)
    assert (payment.status, payable.status) == (P.COMPLETED, PayableStatus.PAID)
    assert paid_twice(market) == []
    assert market.booked(payment) == 1250
    assert payment.reserved_value == payment.debit_value
    run(market)
    assert open_kinds() == []


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_a_worker_who_had_not_been_paid_is_paid_again_by_a_person(mode: FundingMode) -> None:
    market = payout(mode, P.AUTHORIZED, paid=False)

    payment = both_say(market, P.FAILED)
    assert Payable.objects.get(id=payment.reference).status == PayableStatus.STUCK
    again = returning.retry_payment(
        user=an_operator(), payment_id=payment.id, idempotency_key=new_id(), now=market.now
    )

    # Two operators' word stands for the look, which the wallet still refuses.
    assert again.look_up_since is None
    market._stir()
    assert market.settle_down(all_paid)
    assert paid_twice(market) == []


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_the_rest_of_a_part_stays_owed(mode: FundingMode) -> None:
    market = payout(mode, P.AUTHORIZED, paid=False)

    payment = both_say(market, P.FAILED, arrived=400)

    payable = Payable.objects.get(id=payment.reference)
    assert (payable.status, payable.value) == (PayableStatus.STUCK, 850)
    assert payable.allocation is not None and payable.allocation.released_value == 400
    assert market.booked(payment) == 400


# --- what is refused ------------------------------------------------------------------------------


def test_another_sum_is_another_proposal() -> None:
    world = payers_payment(P.AUTHORIZED, paid=True)
    say(world, P.FAILED, arrived=900)
    look_once_more(world)

    payment = say(world, P.FAILED, arrived=901)

    assert payment.status == P.AUTHORIZED
    assert list(payment.resolutions.values_list("arrived_value", "confirms")) == [
        (900, None),
        (901, None),
    ]


@pytest.mark.parametrize(
    ("outcome", "sums", "refusal"),
    [
        (P.FAILED, {"arrived": 0}, ValidationFailed),
        (P.FAILED, {"arrived": 2500}, ValidationFailed),
        (P.FAILED, {"debited": 2500}, ValidationFailed),
        (P.FAILED, {"arrived": 900, "debited": 899}, ValidationFailed),
        (P.FAILED, {"arrived": 1, "debited": 2**62}, ValidationFailed),
        (P.COMPLETED, {"arrived": 2499}, ValidationFailed),
        (P.COMPLETED, {"debited": 2499}, ValidationFailed),
    ],
)
def test_sums_that_cannot_be_are_refused(
    outcome: PaymentStatus, sums: dict[str, int], refusal: type[FaenaError]
) -> None:
    world = payers_payment(P.AUTHORIZED, paid=True)

    with pytest.raises(refusal):
        say(world, outcome, **sums)

    assert not world.payment_now().resolutions.exists()


def test_what_was_debited_is_booked_to_the_cent() -> None:
    world = payers_payment(P.AUTHORIZED, paid=True)
    say(world, P.FAILED, arrived=901, debited=917)
    look_once_more(world)

    payment = say(world, P.FAILED, arrived=901, debited=917)

    assert payment.status == P.FAILED
    assert debited_value(payment) == 917


def test_a_look_that_works_again_comes_first() -> None:
    world = payers_payment(P.AUTHORIZED, paid=True)
    say(world, P.FAILED)
    world._control("DELETE", "faults")
    with pytest.raises(BeingLookedAt):
        say(world, P.FAILED)

    look_once_more(world)
    world.run()

    with pytest.raises(NotResolvable):
        say(world, P.FAILED)
    assert world.payment_now().status == P.COMPLETED
    assert not Discrepancy.objects.filter(resolved_at=None).exists()
