"""Exports over HTTP: who gets whose entries, for how long, and that long ones cost no memory."""

import csv
import os
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.core import signing

from backend import rate_limits
from backend.accounts.models import User
from backend.clock import SYSTEM_CLOCK
from backend.errors import RateLimited
from backend.files import links as file_links
from backend.ids import new_id
from backend.ledger import downloads, refs
from backend.ledger.export import Row
from backend.ledger.models import Account, Entry, Transfer
from tests.jobs.people import NOON, a_person
from tests.ledger.books import USD, a_payee, a_payer, behind_their_back, moved
from tests.schema.client import data_of, execute
from tests.schema.server import Server, serving

pytestmark = pytest.mark.django_db(transaction=True)

# Large enough that holding it all would show; FAENA_EXPORT_LINES=100000 is what is promised.
LINES = int(os.environ.get("FAENA_EXPORT_LINES", "20000"))
MOST_MEMORY = 8 * 2**20

ASK = """mutation ($input: RequestExportInput!) { requestExport(input: $input) {
  url expiresAt errors { code message path } } }"""


@pytest.fixture
def server() -> Iterator[Server]:
    rate_limits.limiter().reset()
    with serving() as running:
        yield running
    rate_limits.limiter().reset()


def ask(user: User, *, now: datetime | None = None, **given: Any) -> dict[str, Any]:
    result = execute(ASK, variables={"input": given}, user=user, now=now or SYSTEM_CLOCK.now())
    payload: dict[str, Any] = data_of(result)["requestExport"]
    return payload


def link_to(server: Server, payload: dict[str, Any]) -> str:
    assert payload["errors"] == []
    return server.http + httpx.URL(payload["url"]).path


def table(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(answer.text.splitlines()))


def test_a_person_takes_their_own_entries_and_they_come_to_what_my_money_says(
    server: Server,
) -> None:
    me, other = a_person(), a_person()
    moved(refs.payer(me.id, USD), a_payee(), 700)
    moved(refs.payer(other.id, USD), refs.payee(me.id, USD), 2500)
    moved(refs.payer(other.id, USD), a_payee(), 9)

    answer = httpx.get(link_to(server, ask(me)))

    rows = table(answer)
    assert {row["owner_id"] for row in rows} == {str(me.id)}
    sums = Counter[str]()
    for row in rows:
        sums[row["account_kind"]] += int(row["amount"])
    money = data_of(execute("{ myMoney { earned { value } spent { value } } }", user=me))
    assert money["myMoney"] == [
        {"earned": {"value": str(sums["PAYEE"])}, "spent": {"value": str(-sums["PAYER"])}}
    ]
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["content-disposition"] == 'attachment; filename="books.csv"'
    assert answer.headers["cache-control"] == "no-store"


def test_operators_and_auditors_take_the_whole_books_and_nobody_else(server: Server) -> None:
    for _ in range(3):
        moved(a_payer(), a_payee(), 5)

    for person in (a_person(is_staff=True), a_person(is_auditor=True)):
        rows = table(httpx.get(link_to(server, ask(person, scope="BOOKS"))))
        assert len(rows) == Entry.objects.count() == 6
        assert sum(int(row["amount"]) for row in rows) == 0
        assert [row["transfer"] for row in rows] == ["1", "1", "2", "2", "3", "3"]
    refused = ask(a_person(), scope="BOOKS")
    assert refused["url"] is None
    assert [error["code"] for error in refused["errors"]] == ["FORBIDDEN"]


def test_a_period_has_its_beginning_and_not_its_end(server: Server) -> None:
    me = a_person()
    for day in range(4):
        at = NOON + timedelta(days=day)
        moved(refs.payer(me.id, USD), a_payee(), 10 + day, at=at)
    period: dict[str, Any] = {
        "from": (NOON + timedelta(days=1)).isoformat(),
        "until": (NOON + timedelta(days=3)).isoformat(),
    }

    rows = table(httpx.get(link_to(server, ask(me, **period))))

    assert [row["amount"] for row in rows] == ["-11", "-12"]
    backwards = ask(me, **{"from": period["until"], "until": period["from"]})
    assert [error["code"] for error in backwards["errors"]] == ["VALIDATION"]


def test_a_link_ends_with_its_time_and_with_the_rights_of_who_asked(server: Server) -> None:
    operator = a_person(is_staff=True)
    fresh = link_to(server, ask(operator, scope="BOOKS"))
    mine = link_to(server, ask(operator))
    old = link_to(server, ask(operator, now=SYSTEM_CLOCK.now() - timedelta(minutes=11)))
    assert httpx.get(fresh).status_code == httpx.get(mine).status_code == 200

    User.objects.filter(id=operator.id).update(is_staff=False)
    assert [httpx.get(url).status_code for url in (fresh, mine, old)] == [403, 200, 403]
    User.objects.filter(id=operator.id).update(is_active=False)
    assert httpx.get(mine).status_code == 403


def test_only_links_that_were_made_here_for_this_work(server: Server) -> None:
    me = a_person()
    good = link_to(server, ask(me))
    foreign = signing.dumps([me.pk.hex, True, None, None, 2**40], salt="another purpose")
    of_a_file = file_links.download_url(new_id(), until=SYSTEM_CLOCK.now() + timedelta(hours=1))

    for token in ("", "x", foreign, of_a_file.rpartition("/")[2]):
        answer = httpx.get(f"{server.http}/exports/{token}")
        assert answer.status_code == (403 if token else 404)
    assert httpx.get(good[:-1] + ("A" if good[-1] != "A" else "B")).status_code == 403
    assert httpx.post(good).status_code == 403


def test_no_cell_is_a_formula(server: Server) -> None:
    me = a_person()
    moved(refs.payer(me.id, USD), a_payee(), 5, reason="=1+1")

    [row] = table(httpx.get(link_to(server, ask(me))))

    assert (row["reason"], row["amount"]) == ("'=1+1", "-5")


def test_sixty_links_an_hour_are_enough() -> None:
    me = a_person()
    rate_limits.limiter().reset()

    def export() -> None:
        downloads.request_export(user=me, whole_books=False, since=None, until=None, now=NOON)

    for _ in range(60):
        export()
    with pytest.raises(RateLimited):
        export()
    rate_limits.limiter().reset()


def test_a_long_export_costs_no_memory(server: Server) -> None:
    operator = a_person(is_staff=True)
    many_entries(LINES)
    url = link_to(server, ask(operator, scope="BOOKS"))
    httpx.get(link_to(server, ask(operator)))  # what is loaded once is not the export's

    tracemalloc.start()
    try:
        with httpx.stream("GET", url, timeout=120) as answer:
            lines = sum(piece.count(b"\n") for piece in answer.iter_bytes())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert lines == LINES + 1
    assert peak < MOST_MEMORY, f"{peak / 2**20:.1f} MiB"


def many_entries(number: int) -> None:
    """So many entries, in transfers of two, written in bulk."""
    source, target = a_payer(), a_payee()
    Account.objects.bulk_create(
        Account(id=each.id, kind=each.kind, asset_code="USD", asset_scale=2, owner=each.owner)
        for each in (source, target)
    )
    with behind_their_back():
        for start in range(0, number // 2, 5000):
            transfers = [
                Transfer(id=new_id(), seq=seq + 1, reason="TEST", at=NOON, hash="0" * 64)
                for seq in range(start, min(start + 5000, number // 2))
            ]
            Transfer.objects.bulk_create(transfers)
            Entry.objects.bulk_create(
                Entry(transfer=transfer, account_id=account.id, amount=amount)
                for transfer in transfers
                for account, amount in ((source, -1), (target, 1))
            )


def test_the_columns_are_what_the_page_says() -> None:
    with open("docs/books.md", encoding="utf-8") as page:
        text = page.read()

    for name in Row._fields:
        assert f"`{name}`" in text
