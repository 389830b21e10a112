"""What `manage.py pump --loop` does besides payments: beat's work, without beat."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from celery.schedules import crontab

from backend import pumps
from backend.funding.management.commands.pump import PAYEES_EVERY, Behind
from backend.pumps import NIGHT, NIGHTLY, Nights, nightly, work_of_the_night
from celery_app import app
from tests.conftest import NOON

PATIENCE_SECONDS = 20.0
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
A_SECOND = timedelta(seconds=1)


@pytest.fixture
def only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is registered from now on is all."""
    monkeypatch.setattr(pumps, "NIGHTLY", [])


def test_the_pump_does_what_beat_asks_for_at_night() -> None:
    entries = app.conf.beat_schedule.values()
    at_night = [each for each in entries if isinstance(each["schedule"], crontab)]

    first = min(
        timedelta(hours=min(each["schedule"].hour), minutes=min(each["schedule"].minute))
        for each in at_night
    )
    assert sorted(task.name for task in NIGHTLY) == sorted(each["task"] for each in at_night)  # type: ignore[attr-defined]
    assert first == NIGHT


def test_a_night_comes_once_a_day() -> None:
    nights = Nights(now=MIDNIGHT + NIGHT - A_SECOND)

    came = [
        nights.one_has_come(now=MIDNIGHT + NIGHT + after)
        for after in (-A_SECOND, timedelta(), A_SECOND, timedelta(days=1), timedelta(days=1.5))
    ]

    assert came == [False, True, False, True, False]


def test_who_starts_in_the_morning_waits_for_the_next_night() -> None:
    nights = Nights(now=MIDNIGHT + NIGHT + A_SECOND)

    assert not nights.one_has_come(now=MIDNIGHT + timedelta(days=1))
    assert nights.one_has_come(now=MIDNIGHT + timedelta(days=1) + NIGHT)


@pytest.mark.usefixtures("only_these")
def test_what_fails_at_night_keeps_nothing_else_from_being_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = []
    nightly(lambda: 1 / 0)
    nightly(lambda: done.append("the rest"))

    assert work_of_the_night() is False

    assert done == ["the rest"]
    assert "was broken off" in caplog.text


@pytest.mark.usefixtures("only_these")
def test_a_loop_goes_on_while_payees_and_the_work_of_the_night_take_their_time() -> None:
    at_wallets, at_work = threading.Event(), threading.Event()
    go_on = threading.Event()

    def at(begun: threading.Event) -> bool:
        begun.set()
        go_on.wait(PATIENCE_SECONDS)
        return False

    nightly(lambda: at(at_work))
    behind = Behind(lambda: at(at_wallets), now=NOON)

    behind.wake(now=NOON + PAYEES_EVERY - A_SECOND)
    assert not at_wallets.wait(0.1)
    behind.wake(now=NOON + PAYEES_EVERY)
    assert at_wallets.wait(PATIENCE_SECONDS)
    assert not at_work.is_set()
    behind.wake(now=NOON + timedelta(days=1))
    assert at_work.wait(PATIENCE_SECONDS)

    go_on.set()
