"""A payer hears in time that their consent is about to end, and only if that matters."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.db import connection

from backend.events.models import Event
from backend.funding import reminding
from backend.funding.models import Funding
from backend.funding.reminding import remind_of_consents
from backend.jobs.models import Job
from backend.jobs.status import ReviewDecision
from backend.payments.models import HeldGrant
from backend.payments.status import HeldGrantStatus
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


@pytest.fixture
def market() -> Market:
    market = Market(workers=1)
    market.secure()
    return market


def end_of_consent(market: Market) -> datetime:
    held = HeldGrant.objects.get(payer=market.payer, status=HeldGrantStatus.HELD)
    assert held.ends_at is not None
    return held.ends_at


def told(market: Market) -> list[Event]:
    return list(Event.objects.filter(type="funding.consent_reminder").order_by("seq"))


def test_its_payer_is_told_three_days_and_one_day_before(market: Market) -> None:
    ends_at = end_of_consent(market)

    hours_before = [*range(96, 0, -1)]
    times = [before for before in hours_before if remind_of_consents(now=ends_at - before * HOUR)]

    assert times == [72, 24]
    assert {event.topic for event in told(market)} == {f"user:{market.payer.id}"}
    assert told(market)[0].payload == {
        "status": "SECURED",
        "job": str(market.job.id),
        "ends_at": ends_at.isoformat(),
    }


def test_a_late_run_tells_once_and_one_that_is_too_late_not_at_all(market: Market) -> None:
    ends_at = end_of_consent(market)

    assert remind_of_consents(now=ends_at - HOUR) == 1
    assert remind_of_consents(now=ends_at - HOUR / 2) == 0
    Funding.objects.update(consent_reminded_at=None)
    assert remind_of_consents(now=ends_at) == 0


def test_one_that_fails_does_not_keep_the_others_from_being_told(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = end_of_consent(market) - 24 * HOUR
    monkeypatch.setattr(reminding, "_end_of_consent", lambda *_, **__: 1 / 0)
    assert remind_of_consents(now=at) == 0
    monkeypatch.undo()

    assert remind_of_consents(now=at) == 1


def test_nobody_is_told_when_all_is_paid(market: Market) -> None:
    ends_at = end_of_consent(market)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)

    assert remind_of_consents(now=ends_at - 24 * HOUR) == 0


def test_a_renewed_consent_is_told_of_in_its_own_time(market: Market) -> None:
    first = end_of_consent(market)
    market.clock.at = first - 72 * HOUR
    assert remind_of_consents(now=market.clock.at) == 1

    Job.objects.filter(id=market.job.id).update(
        submit_until=first + 100 * HOUR, expires_at=first + 200 * HOUR
    )
    market.renew()
    market.settle_down(lambda: end_of_consent_is_not(market, first))
    second = end_of_consent(market)

    assert remind_of_consents(now=first - 24 * HOUR) == 0
    assert remind_of_consents(now=second - 72 * HOUR) == 1


def end_of_consent_is_not(market: Market, former: datetime) -> bool:
    ends = HeldGrant.objects.filter(payer=market.payer, status=HeldGrantStatus.HELD)
    return list(ends.exclude(ends_at=former).values_list("id")) != [] and ends.count() == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time")
def test_of_runs_at_once_one_tells(market: Market) -> None:
    at = end_of_consent(market) - 24 * HOUR

    def run(_: int) -> int:
        try:
            return remind_of_consents(now=at)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(run, range(8))) == 1


def test_nobody_is_asked_to_consent_again_when_nobody_is_to_be_paid() -> None:
    market = Market(workers=1)
    Job.objects.filter(id=market.job.id).update(review_days=60)
    market.secure()
    market.days_pass(6)
    work = market.submit(market.workers[0])
    market.days_pass(59)
    market.review(work, ReviewDecision.ACCEPT, value=500)
    market.days_pass(8)  # it is paid, and the rest is not wanted

    for _ in range(60):
        market.days_pass(1)
        remind_of_consents(now=market.now)

    assert told(market) == []
    said = Event.objects.filter(topic=f"user:{market.payer.id}", type="funding.status")
    assert [each.payload["status"] for each in said.order_by("seq")] == ["SECURED", "SETTLED"]
