"""Whatever is changed behind the books' back is found, and named."""

from datetime import timedelta, timezone
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from backend.ids import new_id
from backend.ledger.models import Head, Transfer
from backend.ledger.verification import verify
from tests.jobs.people import NOON
from tests.ledger.books import a_payee, a_payer, a_payment, an_escrow, behind_their_back, moved

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def transfers() -> list[Transfer]:
    """Six transfers that are as they should be."""
    source, destination = a_payer(), a_payee()
    return [
        moved(source, destination, 5),
        moved(source, destination, 7, payment=a_payment()),
        moved(source, destination, 9, subject=new_id()),
        moved(an_escrow(20), destination, 11),
        moved(source, destination, 13),
    ]


def test_books_that_nobody_touched_are_as_written(transfers: list[Transfer]) -> None:
    verified = verify()

    assert verified.broken == ""
    assert (verified.transfers, verified.entries) == (6, 12)
    assert verified.head == f"6:{transfers[-1].hash}" == str(Head.objects.get())


def test_empty_books_are_in_order() -> None:
    assert verify().broken == ""


def test_every_transfer_has_a_hash_of_its_own() -> None:
    source, destination = a_payer(), a_payee()

    first, second = moved(source, destination, 5), moved(source, destination, 5)

    assert len(first.hash) == 64
    assert first.hash != second.hash


TAMPERINGS = {
    "UPDATE ledger_entry SET amount = amount * 2 WHERE transfer_id = %s": "as written",
    "UPDATE ledger_entry SET amount = -amount WHERE transfer_id = %s": "as written",
    "UPDATE ledger_transfer SET reason = 'ANOTHER' WHERE id = %s": "as written",
    "UPDATE ledger_transfer SET subject = NULL WHERE id = %s": "as written",
    "UPDATE ledger_transfer SET at = '2020-01-01 00:00:00+00:00' WHERE id = %s": "as written",
    "UPDATE ledger_transfer SET hash = '' WHERE id = %s": "as written",
    "UPDATE ledger_transfer SET seq = 99 WHERE id = %s": "missing",
    "UPDATE ledger_account SET owner = NULL, kind = 'FEES' WHERE id IN"
    " (SELECT account_id FROM ledger_entry WHERE transfer_id = %s AND amount > 0)": "as written",
    "DELETE FROM ledger_entry WHERE amount > 0 AND transfer_id = %s": "as written",
    "DELETE FROM ledger_entry WHERE transfer_id = %s": "as written",
    "DELETE FROM ledger_account WHERE id IN"
    " (SELECT account_id FROM ledger_entry WHERE transfer_id = %s AND amount > 0)": "as written",
}


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=range(len(TAMPERINGS)))
def test_a_superusers_change_is_found_and_named(transfers: list[Transfer], tampering: str) -> None:
    if connection.vendor == "sqlite" and tampering.startswith("DELETE FROM ledger_account"):
        pytest.skip("SQLite checks its foreign keys, whoever asks")
    victim = transfers[2]
    with behind_their_back() as run:
        run(tampering, victim.id)

    broken = verify().broken

    assert TAMPERINGS[tampering] in broken
    assert any(name in broken for name in (f"transfer {victim.seq} ", str(transfers[0])))


def test_an_entry_that_is_appended_to_an_old_transfer_is_found(transfers: list[Transfer]) -> None:
    there = transfers[3].entries.all()
    others = [entry.account for entry in transfers[0].entries.all()]
    free = next(each for each in others if each not in [entry.account for entry in there])
    with behind_their_back() as run:
        run(
            "INSERT INTO ledger_entry (id, transfer_id, account_id, amount) VALUES (%s, %s, %s, 1)",
            *(new_id(), transfers[3].id, free.id),
        )

    assert f"transfer {transfers[3]}" in verify().broken


def test_a_transfer_that_somebody_else_appended_is_found(transfers: list[Transfer]) -> None:
    with behind_their_back() as run:
        run(
            "INSERT INTO ledger_transfer (id, seq, reason, at, hash)"
            " VALUES (%s, 7, 'TEST', '2026-06-01 12:00:00+00:00', %s)",
            *(new_id(), transfers[-1].hash),
        )

    assert "transfer 7 TEST" in verify().broken


def test_a_transfer_that_was_taken_away_is_found_wherever_it_was(
    transfers: list[Transfer],
) -> None:
    for victim, found in ((transfers[-1], "its head says"), (transfers[0], "1 is missing")):
        with behind_their_back() as run:
            run("DELETE FROM ledger_entry WHERE transfer_id = %s", victim.id)
            run("DELETE FROM ledger_transfer WHERE id = %s", victim.id)

        assert found in verify().broken


def test_a_balance_that_is_not_the_sum_of_its_entries_is_found(transfers: list[Transfer]) -> None:
    with behind_their_back() as run:
        run("UPDATE ledger_account SET balance = balance + 1 WHERE kind = 'PAYEE'")

    assert "account PAYEE USD/2" in verify().broken


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite checks foreign keys even behind our back"
)
def test_an_entry_without_a_transfer_is_found(transfers: list[Transfer]) -> None:
    with behind_their_back() as run:
        run(
            "INSERT INTO ledger_entry (id, transfer_id, account_id, amount)"
            " SELECT %s, %s, id, 1 FROM ledger_account LIMIT 1",
            *(new_id(), new_id()),
        )

    assert "1 entries belong to no transfer" in verify().broken


def test_a_head_that_was_kept_finds_books_that_were_written_anew(
    transfers: list[Transfer],
) -> None:
    kept = verify().head
    assert verify(kept_head=kept).broken == ""
    moved(a_payer(), a_payee(), 5)
    assert verify(kept_head=kept).broken == ""
    assert verify(kept_head=f"6:{'0' * 64}").broken.startswith("transfer 6 ")
    assert verify(kept_head=f"8:{'0' * 64}").broken.startswith("the chain ends at 7:")


def test_the_command_prints_the_head_and_fails_on_the_first_broken_row(
    transfers: list[Transfer],
) -> None:
    said = StringIO()
    call_command("verify_chain", stdout=said)
    assert said.getvalue().splitlines()[-1] == f"head 6:{transfers[-1].hash}"

    with behind_their_back() as run:
        run("UPDATE ledger_transfer SET reason = 'X' WHERE seq IN (2, 4)")

    with pytest.raises(CommandError, match=r"transfer 2 X \(.*is not as written"):
        call_command("verify_chain", stdout=said)
    with pytest.raises(CommandError, match="no head"):
        call_command("verify_chain", "--kept-head=7")


def test_the_same_instant_in_another_zone_has_the_same_hash() -> None:
    moved(a_payer(), a_payee(), 5, at=NOON.astimezone(timezone(timedelta(hours=-6))))

    assert verify().broken == ""
