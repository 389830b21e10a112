"""What a worker is owed and will never be paid is written off: the job ends, the rest goes back."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from backend.accounts.erasing import hindrances_to_erasing
from backend.events.models import Event
from backend.funding.models import Funding, Payable
from backend.funding.status import FundingMode, FundingStatus, PayableStatus
from backend.funding.writing_off import CannotBeWrittenOff, write_off
from backend.ids import new_id
from backend.jobs.models import Application, Job
from backend.jobs.status import ReviewDecision
from backend.payments import standstill
from backend.payments.models import HeldGrant, Payment
from backend.payments.status import HELD_GRANT_OVER
from backend.reconciliation import fundings as reconciled
from tests.funding.test_elsewhere import closes
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)
MODES = [FundingMode.PREAPPROVED, FundingMode.ESCROW]


@pytest.fixture(autouse=True)
def _treasury(settings: LazySettings) -> None:
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def a_market(mode: FundingMode, *, workers: int = 1, fee_bps: int = 0) -> Market:
    market = Market(mode=mode, workers=workers, fee_bps=fee_bps)
    market.secure()
    return market


def their_wallet_closes(market: Market) -> None:
    """The first worker's wallet takes nothing any more, and what they have done is accepted."""
    closes(market, "shop")
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(lambda: owed_to_the_first(market).status == PayableStatus.STUCK)


def owed_to_the_first(market: Market) -> Payable:
    return Payable.objects.get(allocation__application=application_of(market))


def application_of(market: Market) -> Application:
    return Application.objects.get(applicant=market.workers[0])


def ends_well(market: Market) -> None:
    assert market.settle_down(market.is_over)
    assert market.verdict().problems == []
    assert list(reconciled.check(list(Funding.objects.all()))) == []


@pytest.mark.parametrize(
    ("mode", "then"),
    [
        (FundingMode.PREAPPROVED, FundingStatus.CANCELED),
        (FundingMode.ESCROW, FundingStatus.REFUNDED),
    ],
)
def test_the_job_ends_and_its_payer_keeps_the_money(mode: FundingMode, then: FundingStatus) -> None:
    market = a_market(mode)
    their_wallet_closes(market)

    amount = write_off(application_id=application_of(market).id, now=market.now)

    ends_well(market)
    assert amount.value == market.job.reward_value
    assert owed_to_the_first(market).status == PayableStatus.WAIVED
    assert Job.objects.get().status == "COMPLETE"
    assert Funding.objects.get().status == then
    assert not HeldGrant.objects.filter(payer=market.payer).exclude(status__in=HELD_GRANT_OVER)


@pytest.mark.parametrize("mode", MODES)
def test_the_others_are_paid_and_the_fee_is_of_what_they_got(mode: FundingMode) -> None:
    market = a_market(mode, workers=2, fee_bps=1000)
    their_wallet_closes(market)

    write_off(application_id=application_of(market).id, now=market.now)
    market.review(market.submit(market.workers[1]), ReviewDecision.ACCEPT)

    ends_well(market)
    funding = Funding.objects.get()
    assert funding.status == FundingStatus.SETTLED
    assert funding.paid_to_workers_value == market.job.reward_value
    assert funding.fee_paid_value == market.job.reward_value // 10


def test_what_waits_for_a_consent_that_never_comes_is_written_off_too() -> None:
    market = a_market(FundingMode.PREAPPROVED)
    submission = market.submit(market.workers[0])
    market.fault(call="create-outgoing-payment", act="revoke_grant")
    market.review(submission, ReviewDecision.ACCEPT)
    market.settle_down(lambda: owed_to_the_first(market).status == PayableStatus.OWED)
    assert Funding.objects.get().status == FundingStatus.LAPSED

    write_off(application_id=application_of(market).id, now=market.now)

    ends_well(market)
    assert Funding.objects.get().status == FundingStatus.CANCELED


def test_whoever_was_owed_can_be_forgotten_then() -> None:
    market = a_market(FundingMode.PREAPPROVED)
    their_wallet_closes(market)
    worker, payer = market.workers[0], market.payer
    assert "OWED" in {each.code for each in hindrances_to_erasing(worker)}

    write_off(application_id=application_of(market).id, now=market.now)
    ends_well(market)

    for person in (worker, payer):
        assert {each.code for each in hindrances_to_erasing(person)} & {
            "OWED",
            "FUNDING_OPEN",
        } == set()


def test_both_sides_are_told() -> None:
    market = a_market(FundingMode.PREAPPROVED)
    their_wallet_closes(market)
    before = Event.objects.order_by("-id").values_list("id", flat=True).first()

    write_off(application_id=application_of(market).id, now=market.now)

    told = Event.objects.filter(id__gt=before, type="funding.status")
    assert {f"user:{market.workers[0].pk}", f"user:{market.payer.pk}"} <= set(
        told.values_list("topic", flat=True)
    )
    assert told.order_by("id").last().payload["failing"] is False  # type: ignore[union-attr]


def test_nothing_is_written_off_that_is_being_paid_or_was() -> None:
    market = a_market(FundingMode.PREAPPROVED)
    application = application_of(market).id
    for unknown in (new_id(), application):
        with pytest.raises(CannotBeWrittenOff):
            write_off(application_id=unknown, now=market.now)

    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    with pytest.raises(CannotBeWrittenOff):
        write_off(application_id=application, now=market.now)
    market.settle_down(market.is_over)
    with pytest.raises(CannotBeWrittenOff):
        write_off(application_id=application, now=market.now)

    assert owed_to_the_first(market).status == PayableStatus.PAID


def not_shown(market: Market) -> None:
    paid_for = Payment.objects.filter(reference=owed_to_the_first(market).id)
    paid_for.update(failure_code="NOT_DELIVERED")


def after_a_standstill(market: Market) -> None:
    standstill.mark_all(since=market.now, now=market.now)


@pytest.mark.parametrize("happens", [not_shown, after_a_standstill])
def test_what_the_treasury_may_have_sent_goes_back_only_once_an_operator_has_looked(
    happens: Callable[[Market], None],
) -> None:
    market = a_market(FundingMode.ESCROW)
    their_wallet_closes(market)
    happens(market)
    application = application_of(market).id

    with pytest.raises(CannotBeWrittenOff):
        write_off(application_id=application, now=market.now)
    assert owed_to_the_first(market).status == PayableStatus.STUCK

    write_off(application_id=application, is_held=True, now=market.now)
    assert market.settle_down(market.is_over)
    assert Funding.objects.get().status == FundingStatus.REFUNDED


@pytest.mark.parametrize("happens", [not_shown, after_a_standstill])
def test_a_payers_own_money_is_not_sent_back(happens: Callable[[Market], None]) -> None:
    market = a_market(FundingMode.PREAPPROVED)
    their_wallet_closes(market)
    happens(market)

    write_off(application_id=application_of(market).id, now=market.now)

    assert owed_to_the_first(market).status == PayableStatus.WAIVED


def test_there_is_a_command_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    market = a_market(FundingMode.PREAPPROVED)
    their_wallet_closes(market)
    with pytest.raises(CommandError):
        call_command("write_off", str(new_id()))

    call_command("write_off", str(application_of(market).id))

    assert "12.50 USD" in capsys.readouterr().out
