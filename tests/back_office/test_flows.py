"""The plot of the start page says what the books say."""

from datetime import timedelta

import pytest

from backend.back_office.flows import flows
from backend.back_office.plot import plot
from backend.ids import new_id
from backend.ledger import refs
from tests.conftest import NOON
from tests.ledger.books import EUR, USD, a_payee, a_payer, moved

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def test_each_day_has_what_came_in_what_went_out_and_what_was_held_at_its_end() -> None:
    escrow = refs.escrow(new_id(), new_id(), USD)
    payer = a_payer()
    moved(payer, escrow, 1000, at=NOON - 40 * DAY)
    moved(payer, escrow, 500, at=NOON - 2 * DAY)
    moved(escrow, a_payee(), 300, at=NOON - DAY)
    moved(escrow, payer, 200, at=NOON)

    (flow,) = flows(now=NOON, days=4)

    assert [(day.came_in, day.went_out, day.held) for day in flow.days] == [
        (0, 0, 1000),
        (500, 0, 1500),
        (0, 300, 1200),
        (0, 200, 1000),
    ]


def test_assets_are_never_added_up() -> None:
    moved(a_payer(), a_payee(), 100)
    moved(a_payer(EUR), a_payee(EUR), 7)

    found = {flow.asset: flow.days[-1] for flow in flows(now=NOON)}

    assert found.keys() == {USD, EUR}
    assert (found[EUR].came_in, found[EUR].went_out, found[EUR].held) == (7, 7, 0)


def test_a_day_ends_at_midnight_in_utc() -> None:
    midnight = NOON.replace(hour=0)
    moved(a_payer(), a_payee(), 1, at=midnight - timedelta(microseconds=1))
    moved(a_payer(), a_payee(), 2, at=midnight)

    (flow,) = flows(now=NOON, days=2)

    assert [day.came_in for day in flow.days] == [1, 2]


def test_bars_share_one_scale_and_what_moved_at_all_is_seen() -> None:
    moved(a_payer(), a_payee(), 100_000, at=NOON - DAY)
    moved(a_payer(), a_payee(), 1, at=NOON)

    drawn = plot(flows(now=NOON, days=3)[0])

    assert [bar.in_height for bar in drawn.bars] == ["0", "50", "1.5"]
    assert [row[0].came_in for row in drawn.rows] == [1, 100_000]
    assert drawn.came_in == "1,000.01 USD"
