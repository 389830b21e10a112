"""The crash matrix and random histories: nothing lost, nothing doubled, nothing stranded.

sizes.py says how to play more of them, or one of them again.
"""

from functools import cache

import pytest
from django.conf import LazySettings

from backend.payments.status import PaymentStatus
from tests.simulation import histories, matrix
from tests.simulation.simulator import BASE_URL, Simulation, Verdict
from tests.simulation.sizes import CASE, CASES, HISTORY, SEED, SEEDS

pytestmark = pytest.mark.django_db(transaction=True)

# Parts that pytest-xdist can hand out; more of them balance better.
PARTS = 20


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


@pytest.mark.parametrize("temperament", matrix.TEMPERAMENTS)
def test_a_payment_without_any_trouble_completes(temperament: str) -> None:
    simulation = Simulation(temperament=temperament)

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    assert verdict.problems == []


@pytest.mark.parametrize("part", range(PARTS))
def test_no_crash_beside_a_fault_loses_or_doubles_money(part: int) -> None:
    troubled = []
    for case in chosen_cases()[part::PARTS]:
        verdict = case.play()
        if verdict.problems:
            troubled.append((f"SIMULATION_CASE={case}", verdict.problems, verdict.history))

    assert troubled == [], f"SIMULATION_SEED={SEED}"


@pytest.mark.parametrize("part", range(PARTS))
def test_no_random_history_loses_or_doubles_money(part: int) -> None:
    troubled = []
    for seed in chosen_histories()[part::PARTS]:
        verdict: Verdict = histories.play(seed)
        if verdict.problems:
            troubled.append((f"SIMULATION_HISTORY={seed}", verdict.problems, verdict.history))

    assert troubled == []


def test_the_same_seed_plays_the_same_history() -> None:
    first, second = histories.play(SEED), histories.play(SEED)

    assert first == second


@cache
def chosen_cases() -> list[matrix.Case]:
    if CASE:
        return [matrix.Case.parse(CASE)]
    points = {temperament: matrix.happy_points(temperament) for temperament in matrix.TEMPERAMENTS}
    cases = list(matrix.every_case(points))
    if CASES == "all":
        return cases
    return matrix.sample(cases, size=int(CASES), seed=SEED)


def chosen_histories() -> list[int]:
    if HISTORY:
        return [int(HISTORY)]
    return [SEED + number for number in range(SEEDS)]
