"""The tick, the crew and the pump: what is due is brought by whoever is there."""

import threading
import time
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connections

from backend.clock import SYSTEM_CLOCK
from backend.crew import Crew
from backend.webhooks import sending, tasks
from backend.webhooks.models import WebhookDelivery
from backend.webhooks.status import DeliveryStatus
from celery_app import app
from tests.webhooks.world import Receiver, a_user, an_endpoint, announce

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 20.0


@pytest.fixture(autouse=True)
def _a_client_of_its_own() -> None:
    # It has the policy of the settings at its making.
    sending._client_of.cache_clear()


def wait_for(done: "threading.Event") -> None:
    assert done.wait(PATIENCE_SECONDS)


def something_is_due(receiver: Receiver, number: int = 1) -> None:
    person = a_user()
    now = SYSTEM_CLOCK.now()
    an_endpoint(person, receiver.url, now=now)
    for _ in range(number):
        announce(f"user:{person.id}", at=now)


def test_beat_asks_for_it_every_second_and_the_task_exists() -> None:
    entry = app.conf.beat_schedule["deliver-webhooks"]

    assert entry["schedule"] <= 1.0
    assert {entry["task"], app.conf.beat_schedule["forget-old-webhooks"]["task"]} <= set(app.tasks)


def test_the_pump_brings_what_is_due(receiver: Receiver, settings: LazySettings) -> None:
    settings.DEBUG, settings.SELLER_WALLET_ADDRESS_URL = True, ""
    something_is_due(receiver, 3)

    call_command("pump", "--once", stdout=StringIO(), stderr=StringIO())

    assert [request.seq for request in receiver.got] == [1, 2, 3]
    sending.webhook_client().close()


def test_the_tick_has_it_brought_by_the_crew(receiver: Receiver) -> None:
    something_is_due(receiver, 5)

    tasks.deliver_due()

    deadline = time.monotonic() + PATIENCE_SECONDS
    left = WebhookDelivery.objects.filter(status=DeliveryStatus.PENDING)
    while left.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [request.seq for request in receiver.got] == [1, 2, 3, 4, 5]
    sending.webhook_client().close()


def test_one_slow_piece_of_work_does_not_keep_the_crew_from_others() -> None:
    slow, quick = threading.Event(), threading.Event()
    turns = iter([slow, quick])
    lock = threading.Lock()
    both_began = threading.Barrier(2)

    def work() -> bool:
        with lock:
            mine = next(turns, None)
        if mine is None:
            return False
        both_began.wait(PATIENCE_SECONDS)
        mine.set()
        return True

    crew = Crew(work, name="test", threads=3)
    crew.wake()
    crew.wake()

    wait_for(slow)
    wait_for(quick)


def test_a_bug_in_a_piece_of_work_ends_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    failed, worked = threading.Event(), threading.Event()

    def work() -> bool:
        if not failed.is_set():
            failed.set()
            raise ZeroDivisionError
        worked.set()
        return False

    crew = Crew(work, name="test", threads=1)
    crew.wake()
    wait_for(failed)
    crew.wake()
    wait_for(worked)

    assert "a round was broken off" in caplog.text


def test_a_bug_in_bringing_puts_the_event_back(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    something_is_due(receiver)

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(tasks, "deliver", fail)

    assert tasks.bring_all() == 1

    delivery = WebhookDelivery.objects.get()
    assert delivery.lease_until is None
    assert delivery.due_at is not None and delivery.due_at > SYSTEM_CLOCK.now()
    connections.close_all()
