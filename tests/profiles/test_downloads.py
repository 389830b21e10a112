"""Taking away what is kept of oneself: all of it, nothing of others, and no secret."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import LazySettings
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend import rate_limits
from backend.accounts import personal
from backend.accounts.erasing import erase_person
from backend.accounts.models import ApiKey, BearerToken, User
from backend.clock import SYSTEM_CLOCK
from backend.errors import RateLimited
from backend.ledger import downloads as books
from backend.profiles import downloads
from backend.webhooks.models import WebhookEndpoint
from tests.accounts.leaving import EMAIL, EVIDENCE, FREE_TEXT, NAME, leave_traces
from tests.accounts.test_erasing import a_paid_job
from tests.conftest import NOON
from tests.jobs.people import a_draft, a_person
from tests.schema.client import data_of, execute
from tests.schema.server import Server, serving
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

ASK = """mutation ($input: RequestExportInput!) { requestExport(input: $input) {
  url expiresAt errors { code message path } } }"""


@pytest.fixture(autouse=True)
def _world(settings: LazySettings, tmp_path: Path) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    settings.FILES_BUCKET = ""
    settings.FILES_DIR = tmp_path / "files"


@pytest.fixture
def server() -> Iterator[Server]:
    rate_limits.limiter().reset()
    with serving() as running:
        yield running
    rate_limits.limiter().reset()


def ask(user: User, *, now: datetime | None = None, **given: Any) -> dict[str, Any]:
    given = {"scope": "PERSON", **given}
    result = execute(ASK, variables={"input": given}, user=user, now=now or SYSTEM_CLOCK.now())
    payload: dict[str, Any] = data_of(result)["requestExport"]
    return payload


def document_of(user: User) -> dict[str, Any]:
    token = downloads.request_export(user=user, now=NOON).url.rpartition("/")[2]
    document: dict[str, Any] = json.loads("".join(downloads.document_of(token, now=NOON)))
    return document


def test_a_person_takes_away_what_is_kept_of_them(server: Server) -> None:
    market, file = a_paid_job()
    (worker,) = market.workers
    leave_traces(worker)

    payload = ask(worker)
    answer = httpx.get(server.http + httpx.URL(payload["url"]).path)

    assert payload["errors"] == []
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="person.json"'
    assert answer.headers["cache-control"] == "no-store"
    taken = answer.json()
    assert taken["account"]["email"] == EMAIL
    assert taken["profile"]["bio"] == f"{FREE_TEXT} since 1990"
    assert FREE_TEXT in {job["title"] for job in taken["jobs"]}
    assert FREE_TEXT in {application["note"] for application in taken["applications"]}
    paid = next(each for each in taken["submissions"] if each["text"] == EVIDENCE)
    assert paid["files"] == [file.name]
    assert paid["accepted"] == market.job.reward.to_json()
    assert market.applications[0].payout_url in {each["address"] for each in taken["wallets"]}
    assert [each["wallets"] for each in taken["payments"]] == [[market.applications[0].payout_url]]


def test_a_payer_takes_away_what_they_consented_to() -> None:
    market, _ = a_paid_job()

    taken = document_of(market.payer)

    wallet = market.payer.wallet_addresses.get().url
    assert {(each["wallet"], each["status"]) for each in taken["consents"]} == {(wallet, "ENDED")}
    assert [each["status"] for each in taken["fundings"]] == ["SETTLED"]


def test_nothing_of_others_and_no_secret_is_in_it() -> None:
    market, _ = a_paid_job()
    (worker,) = market.workers
    leave_traces(worker)
    session = BearerToken.objects.get(user=worker)

    taken = json.dumps(document_of(worker))

    assert NAME in taken
    assert market.payer.email not in taken
    assert market.payer.wallet_addresses.get().url not in taken
    for secret in (
        session.digest,
        ApiKey.objects.get(owner=worker).digest,
        WebhookEndpoint.objects.get(owner=worker).secret,
        worker.password,
    ):
        assert not secret or secret not in taken


def test_no_two_domains_call_what_they_give_the_same() -> None:
    person = a_person()
    names = [name for data in personal.registered() for name in data.export(person)]

    assert len(names) == len(set(names))


def test_a_period_is_refused_because_there_is_none() -> None:
    refused = ask(a_person(), until=NOON.isoformat())

    assert refused["url"] is None
    assert [error["code"] for error in refused["errors"]] == ["VALIDATION"]


def test_a_link_ends_with_its_time_with_the_account_and_is_good_for_nothing_else(
    server: Server,
) -> None:
    me = a_person()
    fresh = server.http + httpx.URL(ask(me)["url"]).path
    old = (
        server.http + httpx.URL(ask(me, now=SYSTEM_CLOCK.now() - timedelta(minutes=11))["url"]).path
    )
    of_the_books = books.request_export(
        user=me, whole_books=False, since=None, until=None, now=SYSTEM_CLOCK.now()
    ).url.rpartition("/")[2]
    foreign = signing.dumps([me.pk.hex, 2**40], salt="another purpose")

    for token in (of_the_books, foreign, "x"):
        assert httpx.get(f"{server.http}/exports/person/{token}").status_code == 403
    assert [httpx.get(url).status_code for url in (fresh, old)] == [200, 403]
    assert httpx.get(fresh.replace("/person/", "/")).status_code == 403
    erase_person(person_id=me.id, now=SYSTEM_CLOCK.now())
    assert httpx.get(fresh).status_code == 403


def test_both_kinds_of_links_count_together() -> None:
    me = a_person()
    rate_limits.limiter().reset()
    for _ in range(60):
        downloads.request_export(user=me, now=NOON)

    with pytest.raises(RateLimited):
        books.request_export(user=me, whole_books=False, since=None, until=None, now=NOON)
    rate_limits.limiter().reset()


def test_a_link_that_is_followed_again_and_again_is_refused_and_says_until_when(
    server: Server,
) -> None:
    me = a_person()
    url = server.http + httpx.URL(ask(me)["url"]).path
    for _ in range(58):
        rate_limits.hit("exports", str(me.pk))

    answers = [httpx.get(url) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    refused = answers[1]
    assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert 0 < int(refused.headers["Retry-After"]) <= 3600


def test_much_is_asked_of_the_database_as_often_as_little(
    django_assert_max_num_queries: Any,
) -> None:
    market, _ = a_paid_job()
    (worker,) = market.workers
    leave_traces(worker)

    with django_assert_max_num_queries(30):
        document_of(worker)


def test_many_rows_are_read_a_page_at_a_time_and_none_is_left_out(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    monkeypatch.setattr(personal, "PAGE", 3)
    owner = a_person()
    drafts = [a_draft(owner, title=f"Draft {number}") for number in range(7)]

    answer = httpx.get(server.http + httpx.URL(ask(owner)["url"]).path)

    assert [job["title"] for job in answer.json()["jobs"]] == [draft.title for draft in drafts]


def test_nothing_is_read_before_it_is_asked_for() -> None:
    token = downloads.request_export(user=a_person(), now=NOON).url.rpartition("/")[2]

    with CaptureQueriesContext(connection) as queries:
        document = downloads.document_of(token, now=NOON)
        next(document)
    assert len(queries) == 1  # whose it is
