"""What is posted balances, is posted once, and never takes what is not there."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from backend.ids import new_id
from backend.ledger import refs
from backend.ledger.errors import AlreadyPosted, LedgerError, Overdrawn, TooLarge, Unbalanced
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Account, Entry, Head, Transfer
from backend.ledger.posting import LARGEST, Line, post
from backend.ledger.refs import AccountRef
from tests.jobs.people import NOON
from tests.ledger.books import EUR, USD, a_payee, a_payer, a_payment, an_escrow, balance, moved

CALLERS = 50
# Each thread has a connection of its own, tests have no pool, and PostgreSQL takes 100 clients.
MOST_THREADS = 16


@pytest.mark.django_db
def test_a_transfer_moves_money_from_one_account_to_another() -> None:
    source, destination = a_payer(), a_payee()

    transfer = moved(source, destination, 2500)
    moved(source, destination, 100)

    assert (balance(source), balance(destination)) == (-2600, 2600)
    assert sorted(transfer.entries.values_list("amount", flat=True)) == [-2500, 2500]
    assert transfer.at == NOON


@pytest.mark.django_db
def test_lines_of_one_account_are_added_up() -> None:
    source, destination = a_payer(), a_payee()

    transfer = post(
        reason="TEST",
        at=NOON,
        lines=[(source, -1), (source, -2), (destination, 3)],
    )

    assert transfer.entries.get(account_id=source.id).amount == -3


@pytest.mark.django_db
@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(a_payer(), 0), (a_payee(), 0)],
        [(a_payer(), -1), (a_payee(), 2)],
        [(a_payer(USD), -1), (a_payee(EUR), 1)],
        [(a_payer(USD), -1), (a_payee(USD._replace(scale=9)), 1)],
        [(a_payer(), -1), (a_payee(), 1), (a_payee(), 0)],
    ],
    ids=["empty", "zeros", "more arrives", "another asset", "another scale", "one zero"],
)
def test_money_neither_appears_nor_disappears(lines: list[Line]) -> None:
    with pytest.raises(Unbalanced):
        post(reason="TEST", at=NOON, lines=lines)

    assert not Transfer.objects.exists()
    assert not Account.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("of", ["payment", "subject"])
def test_posting_again_is_harmless_and_posting_otherwise_is_refused(of: str) -> None:
    about: dict[str, Any] = {of: a_payment() if of == "payment" else new_id()}
    source, destination = a_payer(), a_payee()
    first = moved(source, destination, 5, **about)

    assert moved(source, destination, 5, **about) == first
    with pytest.raises(AlreadyPosted):
        moved(source, destination, 6, **about)
    with pytest.raises(AlreadyPosted):
        moved(source, a_payee(), 5, **about)
    assert balance(destination) == 5

    moved(source, destination, 6, reason="ANOTHER", **about)
    assert balance(destination) == 11


@pytest.mark.django_db
def test_what_emptied_an_escrow_can_be_posted_again() -> None:
    escrow, destination, subject = an_escrow(100), a_payee(), new_id()

    first = moved(escrow, destination, 100, subject=subject)

    assert moved(escrow, destination, 100, subject=subject) == first
    assert balance(escrow) == 0


@pytest.mark.django_db
def test_without_a_thing_to_be_for_every_transfer_is_another() -> None:
    source, destination = a_payer(), a_payee()

    assert moved(source, destination, 5) != moved(source, destination, 5)
    with pytest.raises(ValueError, match="not for both"):
        moved(source, destination, 5, payment=a_payment(), subject=new_id())


@pytest.mark.django_db
def test_an_escrow_is_never_overdrawn_and_the_refusal_leaves_nothing() -> None:
    escrow = an_escrow(100)

    with pytest.raises(Overdrawn) as refusal:
        moved(escrow, a_payee(), 101)

    assert (refusal.value.account, refusal.value.balance) == (escrow, 100)
    assert balance(escrow) == 100
    assert Transfer.objects.count() == Head.objects.get().seq == 1
    moved(escrow, a_payee(), 100)


@pytest.mark.django_db
def test_other_accounts_may_fall_below_zero() -> None:
    moved(refs.fees(USD), a_payee(), 7)

    assert balance(refs.fees(USD)) == -7


@pytest.mark.django_db
def test_a_balance_that_no_column_could_carry_is_refused() -> None:
    source, destination = a_payer(), a_payee()
    moved(source, destination, LARGEST)

    with pytest.raises(TooLarge):
        moved(source, destination, 1)

    assert balance(destination) == LARGEST


@pytest.mark.parametrize(
    "keys",
    [
        {"kind": AccountKind.ESCROW, "owner": new_id()},
        {"kind": AccountKind.FEES, "owner": new_id()},
        {"kind": AccountKind.PAYER, "subject": new_id()},
    ],
)
def test_an_account_has_the_keys_of_its_kind(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="accounts are not for"):
        AccountRef(asset=USD, **keys)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "ESCROW", "owner": new_id()},
        {"kind": "BOOTY"},
        {"kind": "ESCROW", "owner": new_id(), "subject": new_id(), "balance": -1},
    ],
    ids=["keys", "kind", "below zero"],
)
def test_the_database_itself_knows_what_accounts_there_are(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(id=new_id(), asset_code="USD", asset_scale=2, **fields)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "account", [refs.fees(USD), a_payer(), an_escrow], ids=["fees", "payer", "escrow"]
)
def test_the_database_itself_keeps_one_account_of_a_description(account: Any) -> None:
    account = account(1) if account is an_escrow else account
    moved(a_payer(), account, 1)
    row = Account.objects.get(id=account.id)
    row.pk = new_id()
    row.balance = 0
    row._state.adding = True

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


# --- many at once


def all_at_once(call: Any) -> list[str]:
    def run(number: int) -> str:
        try:
            call(number)
        except LedgerError as refusal:
            return type(refusal).__name__
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(MOST_THREADS) as pool:
        return list(pool.map(run, range(CALLERS), timeout=60))


@pytest.mark.django_db(transaction=True)
def test_fifty_who_empty_an_escrow_take_what_is_there_and_no_more() -> None:
    escrow, destination = an_escrow(100), a_payee()

    ends = all_at_once(lambda _: moved(escrow, destination, 7))

    assert sorted(ends) == ["Overdrawn"] * (CALLERS - 14) + ["done"] * 14
    assert (balance(escrow), balance(destination)) == (2, 98)


@pytest.mark.django_db(transaction=True)
def test_fifty_who_post_the_same_post_it_once() -> None:
    source, destination, payment = a_payer(), a_payee(), a_payment()

    ends = all_at_once(lambda _: moved(source, destination, 7, payment=payment))

    assert ends == ["done"] * CALLERS
    assert balance(destination) == 7
    assert [*Transfer.objects.values_list("seq", flat=True)] == [1]


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_in_a_circle_however_transactions_are_put_together() -> None:
    accounts = [a_payee() for _ in range(4)]

    def both_ways(number: int) -> None:
        order = accounts if number % 2 else accounts[::-1]
        with transaction.atomic():
            moved(order[0], order[1], 1)
            moved(order[2], order[3], 1)

    ends = all_at_once(both_ways)

    assert ends == ["done"] * CALLERS
    assert [balance(account) for account in accounts] == [0, 0, 0, 0]
    assert Entry.objects.count() == 4 * CALLERS
