"""Finding work as an API client does: filters, orders, and pages that neither skip nor repeat."""

import base64
import random
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import User
from backend.funding.queries import assurance_of, jobs_with_assurance
from backend.funding.status import FundingAssurance, FundingMode, FundingStatus
from backend.jobs.models import Job
from backend.jobs.status import DeliverableType
from backend.open_payments.types import Amount
from backend.schema import connections
from backend.schema.connections import Part, Span
from tests.jobs.people import NOON, a_draft, a_job, a_person, an_application
from tests.schema.client import a_context, code_of, data_of, execute, run
from tests.schema.world import a_funding

pytestmark = pytest.mark.django_db

LIST = """
query ($filter: JobFilter, $order: JobOrder, $first: Int, $after: String, $last: Int,
       $before: String) {
  jobs(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last,
       before: $before) {
    totalCount totalCountIsExact
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { id title } } } }
"""
USD = {"assetCode": "USD", "assetScale": 2}
# Every order with the filter it needs.
ORDERS: dict[str, dict[str, Any]] = {
    "NEWEST": {},
    "DEADLINE": {},
    "REWARD": {"rewardMin": {"value": "0", **USD}},
    "RELEVANCE": {"text": "word"},
}


def listed(user: User | None = None, **variables: Any) -> dict[str, Any]:
    if "last" not in variables:
        variables.setdefault("first", 10)
    found: dict[str, Any] = data_of(execute(LIST, variables=variables, user=user))["jobs"]
    return found


def titles(user: User | None = None, **filter: Any) -> list[str]:
    found = listed(user, filter=filter)
    assert found["totalCount"] == len(found["edges"])
    return titles_of(found)


def titles_of(found: dict[str, Any]) -> list[str]:
    return [edge["node"]["title"] for edge in found["edges"]]


def code(**variables: Any) -> str:
    return code_of(execute(LIST, variables={"first": 10, **variables}))


HELD, CONSENTED, SECURED = FundingMode.ESCROW, FundingMode.PREAPPROVED, FundingStatus.SECURED


# --- filters


def test_every_filter_narrows_the_list() -> None:
    owner, worker = a_person(), a_person()
    a_job(owner, title="Audio in Otomi")
    spanish = a_job(
        owner,
        title="100% texto",
        language_tag="es-MX",
        deliverables=(DeliverableType.TEXT, DeliverableType.LINK),
        reward=Amount(value=9900, asset_code="MXN", asset_scale=2),
    )
    mine = a_job(worker, title="Cents", reward=Amount(value=1, asset_code="USD", asset_scale=2))
    Job.objects.filter(id=mine.id).update(status="SELECTING")
    an_application(spanish, a_person("mxn", asset_code="MXN"))
    an_application(Job.objects.get(title="Audio in Otomi"), worker)

    assert titles(status=["SELECTING"]) == ["Cents"]
    assert titles(status=["SELECTING", "RECRUITING"]) == ["Cents", "100% texto", "Audio in Otomi"]
    assert titles(status=[]) == []
    assert titles(languageTag="es") == titles(languageTag="ES-mx") == ["100% texto"]
    assert titles(deliverable="TEXT") == titles(deliverable="LINK") == ["100% texto"]
    assert titles(text="otomi") == ["Cents", "100% texto", "Audio in Otomi"]
    assert titles(text="AUDIO") == ["Audio in Otomi"]
    assert titles(rewardMin={"value": "2", **USD}) == ["Audio in Otomi"]
    assert titles(worker, mine=True) == ["Cents"]
    assert titles(None, mine=True) == []
    assert titles(worker, hideApplied=True) == ["Cents", "100% texto"]
    assert titles(None, hideApplied=True) == ["Cents", "100% texto", "Audio in Otomi"]
    assert titles(assurance=["PAID"]) == []


def test_the_list_has_published_jobs_and_ones_own_drafts() -> None:
    owner = a_person()
    a_job(owner, title="public")
    a_draft(owner, title="draft")

    assert titles() == titles(a_person()) == ["public"]
    assert titles(owner) == ["draft", "public"]
    assert titles(owner, status=["DRAFT"]) == ["draft"]
    assert titles(a_person(), status=["DRAFT"]) == []


def test_the_filter_by_assurance_agrees_with_what_jobs_say() -> None:
    owner = a_person()
    for title, statuses in (
        ("nothing", []),
        ("waiting", [FundingStatus.AWAITING_APPROVAL]),
        ("paid", [FundingStatus.SETTLED]),
        ("paid at the second try", [FundingStatus.FAILED, FundingStatus.SETTLED]),
        ("refused", [FundingStatus.REJECTED, FundingStatus.CANCELED]),
    ):
        job = a_job(owner, title=title)
        for status in statuses:
            a_funding(job, status)
    for title, first, second in (
        ("one held, one consented", (HELD, SECURED), (CONSENTED, SECURED)),
        ("one paid, one held", (CONSENTED, FundingStatus.SETTLED), (HELD, SECURED)),
        ("one paid, one lapsed", (HELD, FundingStatus.SETTLED), (CONSENTED, FundingStatus.LAPSED)),
        ("one lapsed, one consented", (CONSENTED, FundingStatus.LAPSED), (CONSENTED, SECURED)),
    ):
        job = a_job(owner, title=title)
        for mode, status in (first, second):
            a_funding(job, status, mode)
    said = assurance_of(Job.objects.values_list("id", flat=True))

    for assurance in FundingAssurance:
        found = Job.objects.filter(jobs_with_assurance([assurance]))
        assert {job.id for job in found} == {id_ for id_, each in said.items() if each == assurance}
    assert titles(assurance=["PAID"]) == ["paid at the second try", "paid"]
    assert titles(assurance=["NONE"]) == [
        *("one lapsed, one consented", "one paid, one lapsed", "refused", "waiting", "nothing")
    ]
    assert len(titles(assurance=["NONE", "AUTHORIZED", "HELD", "PAID"])) == 9
    assert titles(assurance=["HELD"]) == ["one paid, one held"]
    assert titles(assurance=["AUTHORIZED"]) == ["one held, one consented"]
    assert titles(assurance=[]) == []


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({"languageTag": "español"}, "VALIDATION"),
        ({"text": "x" * 201}, "VALIDATION"),
        ({"text": "a\ud800"}, "VALIDATION"),
        ({"rewardMin": {"value": str(2**63), **USD}}, "AMOUNT_OUT_OF_RANGE"),
    ],
)
def test_an_unusable_filter_is_an_error_with_a_code(filter_: dict[str, Any], expected: str) -> None:
    assert code(filter=filter_) == expected


# --- orders and pages


def test_a_null_order_is_the_newest_first() -> None:
    owner = a_person()
    for title in ("first", "second"):
        a_job(owner, title=title)

    assert titles_of(listed(order=None)) == titles_of(listed()) == ["second", "first"]


@pytest.mark.parametrize("order", ["REWARD", "RELEVANCE"])
def test_an_order_without_what_it_compares_is_refused(order: str) -> None:
    assert code(order=order) == "VALIDATION"


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(4))
def test_pages_neither_skip_nor_repeat_while_jobs_are_added(order: str, seed: int) -> None:
    chance = random.Random(f"{order}{seed}")
    add = _adder(a_person(), chance)
    filter_ = ORDERS[order]
    for _ in range(chance.randint(10, 30)):
        add()
    at_first = titles_of(listed(order=order, filter=filter_, first=100))

    seen: list[str] = []
    after = None
    for _ in range(100):
        page = listed(order=order, filter=filter_, first=chance.randint(1, 6), after=after)
        seen += titles_of(page)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        for _ in range(chance.randint(0, 3)):
            add()
    at_last = titles_of(listed(order=order, filter=filter_, first=100))

    assert len(seen) == len(set(seen))
    assert [title for title in seen if title in at_first] == at_first
    assert [title for title in at_last if title in seen] == seen


@pytest.mark.parametrize("order", ORDERS)
def test_a_list_reads_the_same_backwards(order: str) -> None:
    chance = random.Random(order)
    add = _adder(a_person(), chance)
    for _ in range(17):
        add()
    whole = titles_of(listed(order=order, filter=ORDERS[order], first=100))

    pages: list[list[str]] = []
    before = None
    for _ in range(20):
        page = listed(order=order, filter=ORDERS[order], last=5, before=before)
        pages.insert(0, titles_of(page))
        assert page["pageInfo"]["hasNextPage"] is (before is not None)
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break

    assert [title for page in pages for title in page] == whole


def test_a_page_says_where_it_stands() -> None:
    owner = a_person()
    for number in range(5):
        a_job(owner, title=f"Job {number}")

    first = listed(first=2)
    middle = listed(first=2, after=first["pageInfo"]["endCursor"])
    last = listed(first=2, after=middle["pageInfo"]["endCursor"])
    between = listed(
        first=10, after=first["edges"][0]["cursor"], before=last["pageInfo"]["startCursor"]
    )

    def stands(page: dict[str, Any]) -> tuple[bool, bool]:
        return page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]

    assert [stands(page) for page in (first, middle, last)] == [
        (False, True),
        (True, True),
        (True, False),
    ]
    assert titles_of(between) == ["Job 3", "Job 2", "Job 1"]
    assert listed(first=5)["pageInfo"]["hasNextPage"] is False
    empty = listed(first=2, after=last["pageInfo"]["endCursor"])
    assert empty["edges"] == []
    assert (empty["pageInfo"]["startCursor"], empty["pageInfo"]["endCursor"]) == (None, None)


def test_a_cursor_of_another_list_is_refused() -> None:
    owner = a_person()
    for number in range(3):
        a_job(owner, title=f"word {number}")
    cursor = listed(first=1, filter={"text": "word", "status": ["RECRUITING", "DRAFT"]})[
        "pageInfo"
    ]["endCursor"]

    same = {"text": "word", "status": ["DRAFT", "RECRUITING", "DRAFT"]}
    assert len(listed(filter=same, after=cursor)["edges"]) == 2
    assert code(filter={"text": "word"}, after=cursor) == "BAD_CURSOR"
    assert code(filter={"text": "words", "status": ["RECRUITING"]}, after=cursor) == "BAD_CURSOR"
    assert code(filter=same, order="RELEVANCE", after=cursor) == "BAD_CURSOR"
    assert code(filter={**same, "assurance": ["NONE"]}, after=cursor) == "BAD_CURSOR"
    assert code(after=cursor) == "BAD_CURSOR"
    assert code(filter=same, before=cursor[:-2] + "AA") == "BAD_CURSOR"


@pytest.mark.parametrize(
    "cursor", ["", "x", "☃", "AAAA", "=", "A" * 400, "W10", "\ud800"], ids=ascii
)
def test_nonsense_is_not_a_cursor(cursor: str) -> None:
    assert code(after=cursor) == code(before=cursor) == "BAD_CURSOR"


def test_a_list_asks_for_one_page_size() -> None:
    assert code_of(execute("{ jobs { totalCount } }")) == "BAD_REQUEST"
    assert code(last=10) == "BAD_REQUEST"
    assert code_of(execute(LIST, variables={"last": 101})) == "BAD_REQUEST"
    assert code_of(execute(LIST, variables={"last": -1})) == "BAD_REQUEST"
    assert code_of(execute(LIST, variables={"first": None, "last": None})) == "BAD_REQUEST"


def test_counting_stops_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_COUNTED", 3)
    owner = a_person()
    for number in range(3):
        a_job(owner, title=f"Job {number}")

    all_of_them = listed(first=1)
    a_job(owner, title="One more")
    some_of_them = listed(first=1)

    assert (all_of_them["totalCount"], all_of_them["totalCountIsExact"]) == (3, True)
    assert (some_of_them["totalCount"], some_of_them["totalCountIsExact"]) == (3, False)


@pytest.mark.parametrize("numbers", ["totalCountIsExact", "... { totalCount }", "...Numbers"])
def test_a_page_is_one_query_and_one_that_is_counted_two(numbers: str) -> None:
    fragment = "fragment Numbers on JobConnection { totalCount }"

    def queries(fields: str) -> int:
        query = f"{{ jobs(first: 1) {{ edges {{ node {{ title }} }} {fields} }} }}"
        with CaptureQueriesContext(connection) as captured:
            data_of(execute(f"{query} {fragment if 'Numbers' in fields else ''}"))
        return len(captured)

    for _ in range(2):
        a_job()
        assert queries("pageInfo { endCursor }") == 1
        assert queries(numbers) == 2


@pytest.mark.parametrize("order", [("-id",), ("recruit_until", "id"), ("-reward_value", "-id")])
@pytest.mark.parametrize(
    "way", [("first", "after", "end_cursor"), ("last", "before", "start_cursor")]
)
def test_pages_that_look_at_a_part_each_have_everything_together(
    order: tuple[str, ...], way: tuple[str, str, str]
) -> None:
    add = _adder(a_person(), random.Random(7))
    for _ in range(60):
        add()
    everything = Job.objects.order_by(*order)
    wanted = everything.filter(title__contains="word word")
    size, behind, continued = way
    pages: list[list[str]] = []
    cursor: str | None = None
    more = True

    while more:
        found = _page(wanted, Part(everything, 3), **{size: 2, behind: cursor})
        pages.append([edge.node for edge in found.edges])
        cursor = getattr(found.page_info, continued)
        more = (
            found.page_info.has_next_page if size == "first" else found.page_info.has_previous_page
        )

    if size == "last":
        pages.reverse()
    titles = [title for page in pages for title in page]
    assert titles == [job.title for job in wanted]
    assert [] in pages, "a page without rows says where to go on"


def test_a_page_that_looks_at_a_part_names_no_row_that_it_does_not_show() -> None:
    draft, last = a_draft(a_person()), a_job()
    published = Job.objects.filter(id=last.id)

    found = _page(published.none(), Part(Job.objects.order_by("-id"), 1), first=1)

    assert found.page_info.has_next_page
    place = base64.urlsafe_b64decode(f"{found.page_info.end_cursor}==")[connections.SEAL_BYTES :]
    assert draft.id.hex not in place.decode()


def test_what_was_counted_in_a_part_is_no_exact_number() -> None:
    for _ in range(4):
        a_job()
    jobs = Job.objects.order_by("-id")

    async def counts(part: Part) -> tuple[int, bool]:
        found = await connections.page(_info(), jobs, Span(first=1), convert=str, part=part)
        return await found.total_count(), await found.total_count_is_exact()

    assert run(counts(Part(jobs, 2))) == (3, False)
    assert run(counts(Part(jobs, 4))) == (4, True)


def _page(rows: QuerySet[Job], part: Part, **span: Any) -> connections.Connection[str]:
    def title(job: Job) -> str:
        return job.title

    return run(connections.page(_info(), rows, Span(**span), convert=title, part=part))


def _info() -> Any:
    asked_for_nothing = SimpleNamespace(field_nodes=[], fragments={})
    return SimpleNamespace(context=a_context(), _raw_info=asked_for_nothing)


def _adder(owner: User, chance: random.Random) -> Callable[[], None]:
    """Adds jobs that often tie in what they are ordered by."""
    template = a_job(owner, title="template word")
    fields = {each.attname: getattr(template, each.attname) for each in Job._meta.concrete_fields}
    del fields["id"]
    numbers = iter(range(1000))

    def add() -> None:
        job = Job(**fields)
        job.title = f"{next(numbers)} {'word ' * chance.randint(0, 2)}"
        job.description = "word " * chance.randint(1, 2)
        job.reward_value = chance.randint(1, 3)
        job.recruit_until = NOON + timedelta(
            hours=chance.randint(1, 3), microseconds=chance.choice([0, 5])
        )
        job.save(force_insert=True)

    return add
