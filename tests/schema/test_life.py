"""Random histories of several people: what is offered works, and the books of work stay right.

Everybody asks for `allowedActions` and does something of it; others try what is not offered; time
passes, late and twice. After each step the invariants of the marketplace are asked of the database.
`LIFE_HISTORIES=3000 python -m pytest -s tests/schema/test_life.py` is the long run, and prints what
was offered, done and moved how often. LIFE_FIRST=n begins with the history of seed n.
"""

import os
import time
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from backend import rate_limits
from tests.schema.life.machine import BUSY, MODELS, PEOPLE, Life

HISTORIES = int(os.environ.get("LIFE_HISTORIES", "6"))
FIRST = int(os.environ.get("LIFE_FIRST", "0"))
STEPS = 45
# So many histories come by every action and every move.
ENOUGH_FOR_ALL = 1000


@pytest.fixture(autouse=True)
def _no_limits(settings: Any, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    settings.RETURN_URLS = frozenset({"http://127.0.0.1:8000"})
    monkeypatch.setattr(rate_limits, "hit", lambda *_args: None)
    Life.invite()


def test_what_is_offered_works_in_every_history_and_the_books_of_work_stay_right() -> None:
    began = time.process_time(), time.perf_counter()
    for seed in range(FIRST, FIRST + HISTORIES):
        try:
            _play(Random(seed))
        except BaseException as error:
            error.add_note(f"in the history of seed {seed}: LIFE_FIRST={seed} LIFE_HISTORIES=1")
            raise

    print(f"\n{Life.played.table()}")
    print(f"{time.perf_counter() - began[1]:.0f} s, {time.process_time() - began[0]:.0f} s of CPU")
    assert HISTORIES < ENOUGH_FOR_ALL or not Life.played.missing()


def test_hypothesis_finds_no_shorter_way_into_trouble() -> None:
    run_state_machine_as_test(Life, settings=SHORT)


def _play(rng: Random) -> None:
    life = Life()
    try:
        life.move_in(rng.random() < 0.6)
        for _ in range(STEPS):
            _one_step(life, rng)
            life.the_books_are_right()
    finally:
        life.teardown()


def _one_step(life: Life, rng: Random) -> None:
    chance = rng.random()
    if chance < 0.8:
        life.somebody_does_something(rng.randrange(2**32))
    elif chance < 0.87:
        life.a_payment_ends(rng.randrange(10), rng.random() < 0.85)
    elif chance < 0.93:
        life.time_passes(rng.choice((1, 24, 24, 4 * 24, 6 * 24, 6 * 24, 15 * 24, 40 * 24)))
        life.the_clock_comes_by()
    elif chance < 0.99:
        who, kind = rng.choice((*PEOPLE, None)), rng.choice(sorted(MODELS))
        life.try_what_is_not_offered(who, rng.randrange(10_000), kind, rng.randint(1, 2500))
    else:
        life.create(rng.choice(BUSY), rng.randrange(100))


SHORT = settings(
    max_examples=max(5, min(HISTORIES // 10, 100)),
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
