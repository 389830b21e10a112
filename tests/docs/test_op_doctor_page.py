"""The page about op_doctor has every check, and every code with the cure that is printed."""

from backend.clock import SYSTEM_CLOCK
from backend.doctor import stores, wallet
from backend.doctor.checks import all_checks
from backend.doctor.examining import SECONDS_FOR_A_CHECK
from backend.doctor.findings import KINDS, Code
from tests.docs import pages

PAGE = pages.DOCS / "op-doctor.md"


def test_every_code_is_there_with_its_level_and_cure() -> None:
    assert set(KINDS) == set(Code)
    assert pages.table_with_heading(PAGE, "Code") == [
        [f"`{code}`", str(kind.level), kind.cure]
        for code, kind in KINDS.items()
        if code is not Code.OK
    ]


def test_every_check_is_there() -> None:
    with all_checks(SYSTEM_CLOCK) as checks:
        names = [f"`{name}`" for name in checks]

    shown = [cell for cell, _ in pages.table_with_heading(PAGE, "Check")]
    # In the table some share a row.
    assert sorted(name for cell in shown for name in cell.split(", ")) == sorted(names)


def test_the_limits_are_those_of_the_code() -> None:
    text = PAGE.read_text()

    assert SECONDS_FOR_A_CHECK == 5
    assert f"in the last {stores.WARN_AFTER_SECONDS} s; after {stores.STOPPED_AFTER_SECONDS} s" in (
        text
    )
    assert f"agree to {wallet.WARN_ABOVE_SECONDS} s; beyond {wallet.WRONG_ABOVE_SECONDS} s" in text
