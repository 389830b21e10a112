"""Slow wallets have half of a worker's threads; fast ones have as many as there are."""

from contextlib import ExitStack

import pytest

from backend.outbound import HostBusy
from backend.payments import bulkheads
from backend.payments.bulkheads import SLOW_AFTER_SECONDS, SLOW_FOR_SECONDS, SlowHostBulkhead

SLOW, FAST = "slow.example", "fast.example"


class Seconds:
    """A clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    monkeypatch.setattr(bulkheads, "SLOT_WITHIN_SECONDS", 0.01)
    return Seconds()


def taken_at(bulkhead: SlowHostBulkhead, host: str, *, tries: int = 6) -> int:
    """How many slots there are at once, of so many that are asked for."""
    with ExitStack() as taken:
        for number in range(tries):
            try:
                taken.enter_context(bulkhead.slot(host))
            except HostBusy:
                return number
        return tries


def a_slow_call(bulkhead: SlowHostBulkhead, clock: Seconds) -> None:
    with bulkhead.slot(SLOW):
        clock.now += SLOW_AFTER_SECONDS


def test_a_host_that_answers_quickly_has_every_thread(clock: Seconds) -> None:
    assert taken_at(SlowHostBulkhead(limit=4, clock=clock), FAST) == 6


def test_a_host_that_was_slow_has_its_share_and_others_have_every_thread(clock: Seconds) -> None:
    bulkhead = SlowHostBulkhead(limit=4, clock=clock)

    a_slow_call(bulkhead, clock)

    assert taken_at(bulkhead, SLOW) == 4
    assert taken_at(bulkhead, FAST) == 6
    assert taken_at(bulkhead, SLOW) == 4


def test_a_host_that_is_quick_again_has_every_thread_after_a_while(clock: Seconds) -> None:
    bulkhead = SlowHostBulkhead(limit=4, clock=clock)
    a_slow_call(bulkhead, clock)

    clock.now += SLOW_FOR_SECONDS

    assert taken_at(bulkhead, SLOW) == 6


def test_calls_that_began_before_it_was_slow_give_no_slot_back_twice(clock: Seconds) -> None:
    bulkhead = SlowHostBulkhead(limit=1, clock=clock)
    with bulkhead.slot(SLOW):
        a_slow_call(bulkhead, clock)

    assert taken_at(bulkhead, SLOW) == 1
