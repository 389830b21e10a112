"""Who has to be looked up after a standstill, and what is done about wallets that leave one out."""

from datetime import timedelta

import httpx
import pytest
from django.core.management import CommandError, call_command

from backend.funding.models import Payable
from backend.funding.status import FundingMode
from backend.heartbeat.beating import TICK
from backend.heartbeat.models import Heartbeat
from backend.jobs.status import ReviewDecision
from backend.open_payments import Client
from backend.payments import claims, standstill
from backend.payments.models import Discrepancy, Payment
from backend.payments.status import PaymentStatus
from sandbox_wallet.transport import WorldTransport
from tests.simulation.crashes import CrashPoints
from tests.simulation.market import Market
from tests.simulation.restoring import AfterEveryCommit, Rows, backup, restore
from tests.simulation.simulator import KEY, Simulation

pytestmark = pytest.mark.django_db(transaction=True)


def beaten(world: Simulation) -> Simulation:
    Heartbeat.objects.update_or_create(name=TICK, defaults={"at": world.clock.now()})
    return world


def test_a_short_pause_marks_nothing() -> None:
    world = beaten(Simulation(temperament="strict"))
    world.clock.advance(59)

    assert not standstill.notice(now=world.clock.now())

    assert world.payment_now().look_up_since is None


def test_a_standstill_marks_what_is_open_once() -> None:
    world = beaten(Simulation(temperament="strict"))
    stopped_at = world.clock.now()
    world.clock.advance(61)

    assert standstill.notice(now=world.clock.now())
    assert not standstill.notice(now=world.clock.now())

    assert world.payment_now().look_up_since == stopped_at


def test_an_installation_that_never_ran_has_nothing_to_look_up() -> None:
    world = Simulation(temperament="strict")

    assert not standstill.notice(now=world.clock.now())


def test_a_worker_that_has_a_payment_in_hand_loses_it_to_the_mark() -> None:
    world = beaten(Simulation(temperament="strict"))
    (mine,) = claims.claim_due(Payment, now=world.clock.now(), limit=1, only=world.payment.id)
    world.clock.advance(61)

    standstill.notice(now=world.clock.now())

    assert world.payment_now().fence == mine.fence + 1


def test_a_second_standstill_does_not_forget_what_the_first_may_have_lost() -> None:
    world = beaten(Simulation(temperament="strict"))
    first = world.clock.now()
    for _ in range(2):
        world.clock.advance(600)
        assert standstill.notice(now=world.clock.now())

    assert world.payment_now().look_up_since == first
    assert standstill.look_up_since(first) == first
    assert standstill.look_up_since(world.clock.now() + timedelta(seconds=1)) is None


def test_a_mere_standstill_costs_a_look_and_the_payment_goes_on() -> None:
    world = beaten(Simulation(temperament="strict"))
    world.clock.advance(61)
    standstill.notice(now=world.clock.now())

    assert world.run().problems == []

    payment = world.payment_now()
    assert (payment.status, payment.attempts.count()) == (PaymentStatus.COMPLETED, 1)


def test_while_a_wallet_does_not_answer_nothing_is_ordered_and_nothing_fails() -> None:
    world = Simulation(temperament="strict")
    back_to(world, PaymentStatus.AUTHORIZED)
    world.fault(call="list-incoming-payments", when="before", act="503", times=1000)

    for _ in range(6):
        world.work()
        world.clock.advance(700)

    assert world.payment_now().status == PaymentStatus.AUTHORIZED
    assert Discrepancy.objects.get(payment=world.payment).kind == "CANNOT_LOOK_UP"


def test_a_receivers_wallet_that_leaves_out_what_it_got_is_not_paid_again() -> None:
    market = Market(mode=FundingMode.ESCROW, workers=1)
    market.secure()
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    rows = backup(at=market.now)
    assert market.settle_down(lambda: not unpaid())
    market.clock.advance(120)
    restore(rows)
    standstill.notice(now=market.now)
    market.client = client_that_is_shown_no_list(market)

    market.settle_down(lambda: not unpaid(), rounds=40)

    note = Discrepancy.objects.get()
    assert (note.kind, unpaid()) == ("CANNOT_LOOK_UP", True)
    assert note.actual.startswith("the sender's wallet pays to ")
    assert delivered_to("shop", market) == 1250


def back_to(world: Simulation, status: PaymentStatus) -> None:
    """Play to the end, and come back to a backup of when the payment was in `status`."""
    backups: list[Rows] = []

    def keep() -> None:
        if world.payment_now().status == status:
            backups.append(backup(at=world.clock.now()))

    world.points = AfterEveryCommit(keep)
    world.run()
    world.points = CrashPoints()
    world.clock.advance(120)
    restore(backups[0])
    assert standstill.notice(now=world.clock.now())


def client_that_is_shown_no_list(market: Market) -> Client:
    wallets = WorldTransport(market.world, sleep=market.clock.advance)

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path.endswith("/incoming-payments"):
            page = {"hasNextPage": False, "hasPreviousPage": False}
            return httpx.Response(200, json={"result": [], "pagination": page})
        return wallets.handle_request(request)

    http = httpx.Client(transport=httpx.MockTransport(handle), timeout=10)
    return Client(http, KEY, clock=market.clock.now)


def unpaid() -> bool:
    return Payable.objects.exclude(status="PAID").exists()


def delivered_to(name: str, market: Market) -> int:
    movements = market._control("GET", "ledger")["movements"]
    return sum(
        int(move["value"])
        for move in movements
        if move["kind"] == "deliver" and move["to"] == f"user:{name}"
    )


def test_the_command_marks_at_once_and_says_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    beaten(Simulation(temperament="strict"))

    call_command("after_restore")

    assert "asked about 1 open payments" in capsys.readouterr().out
    assert Payment.objects.exclude(look_up_since=None).count() == 1


def test_the_command_needs_to_know_since_when() -> None:
    with pytest.raises(CommandError, match="--since"):
        call_command("after_restore")
