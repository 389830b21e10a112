"""What happened, page by page and live, with one cursor."""

import json
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from backend.accounts.models import User
from backend.clock import SYSTEM_CLOCK
from backend.events import cursors, emit
from backend.events.retention import delete_old_events
from backend.events.threads import in_database
from backend.ids import new_id
from backend.jobs.models import Job
from tests.jobs.people import a_draft, a_job
from tests.schema.client import code_of, data_of, execute
from tests.schema.server import Server
from tests.schema.sockets import socket_to
from tests.schema.world import a_person, bearer, global_id

pytestmark = pytest.mark.django_db(transaction=True)

EDGE = "cursor node { id type at subjectId data }"
EVENTS = f"""
query ($first: Int!, $after: EventCursor, $types: [String!]) {{
  events(first: $first, after: $after, types: $types) {{
    edges {{ {EDGE} }} endCursor hasNextPage
  }}
}}"""
VIEWER_EVENTS = f"""
subscription ($after: EventCursor, $types: [String!]) {{
  viewerEvents(after: $after, types: $types) {{ {EDGE} }}
}}"""
JOB_EVENTS = f"""
subscription ($id: ID!, $after: EventCursor) {{
  jobEvents(jobId: $id, after: $after) {{ {EDGE} }}
}}"""


@pytest.fixture
def person() -> User:
    return a_person()


def happen(
    person: User, *types: str, subject: UUID | None = None, days_ago: int = 0, **payload: object
) -> None:
    for type in types:
        with transaction.atomic():
            emit(
                topic=f"user:{person.pk}",
                type=type,
                payload=payload,
                at=SYSTEM_CLOCK.now() - timedelta(days=days_ago),
                subject_id=subject,
            )


def ask(person: User, **variables: Any) -> Any:
    result = execute(EVENTS, variables={"first": 10, **variables}, bearer=bearer(person))
    return data_of(result)["events"]


def types_of(page: Any) -> list[str]:
    return [edge["node"]["type"] for edge in page["edges"]]


def test_a_feed_is_read_page_by_page_from_its_beginning(person: User) -> None:
    happen(person, "job.status", "payment.status", "funding.status")

    first = ask(person, first=2)
    second = ask(person, after=first["endCursor"])
    third = ask(person, after=second["endCursor"])

    assert (types_of(first), first["hasNextPage"]) == (["job.status", "payment.status"], True)
    assert (types_of(second), second["hasNextPage"]) == (["funding.status"], False)
    assert (third["edges"], third["endCursor"]) == ([], second["endCursor"])


def test_an_event_says_what_happened_to_what_by_ids_that_node_takes(person: User) -> None:
    payment, job = new_id(), new_id()
    happen(person, "payment.status", subject=payment, status="COMPLETED", job=str(job))

    node = ask(person)["edges"][0]["node"]

    assert node["subjectId"] == global_id("Payment", payment)
    assert json.loads(node["data"]) == {"status": "COMPLETED", "job": global_id("Job", job)}


def test_what_has_no_id_of_its_own_has_no_subject(person: User) -> None:
    happen(person, "treasury.nearly_spent", subject=new_id())

    assert ask(person)["edges"][0]["node"]["subjectId"] is None


def test_only_the_types_that_are_asked_for_come_and_the_cursor_goes_past_the_others(
    person: User,
) -> None:
    happen(person, "job.status", "payment.status", "job.status")

    page = ask(person, types=["payment.status"])

    assert types_of(page) == ["payment.status"]
    assert ask(person, after=page["endCursor"])["edges"] == []


def test_nobody_names_thousands_of_types(person: User) -> None:
    variables = {"first": 1, "types": ["job.status"] * 51}

    assert code_of(execute(EVENTS, variables=variables, bearer=bearer(person))) == "VALIDATION"


def test_nobody_reads_the_feed_of_somebody_else(person: User) -> None:
    happen(person, "job.status")
    other = a_person("other")

    assert ask(other)["edges"] == []
    cursor = ask(person)["endCursor"]
    result = execute(EVENTS, variables={"first": 1, "after": cursor}, bearer=bearer(other))
    assert code_of(result) == "BAD_CURSOR"


def test_a_cursor_from_before_the_retention_has_expired_and_a_new_reader_begins_after_it(
    person: User,
) -> None:
    happen(person, "job.status", days_ago=40)
    cursor = ask(person)["endCursor"]
    happen(person, "application.status", days_ago=40)
    happen(person, "payment.status")
    delete_old_events(now=SYSTEM_CLOCK.now())

    result = execute(EVENTS, variables={"first": 1, "after": cursor}, bearer=bearer(person))

    assert code_of(result) == "CURSOR_EXPIRED"
    assert types_of(ask(person)) == ["payment.status"]


async def test_a_stream_begins_with_where_it_is_and_brings_what_happens_then(
    server: Server, person: User
) -> None:
    token = await in_database(bearer, person)
    await in_database(happen, person, "job.status")
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", VIEWER_EVENTS)
        first = await socket.next("viewerEvents")
        await in_database(happen, person, "payment.status")
        second = await socket.next("viewerEvents")

    assert first["node"] is None
    assert second["node"]["type"] == "payment.status"


async def test_a_stream_that_broke_goes_on_where_a_page_ended(server: Server, person: User) -> None:
    token = await in_database(bearer, person)
    await in_database(happen, person, "job.status")
    cursor = (await in_database(ask, person))["endCursor"]
    await in_database(happen, person, "job.status", "payment.status", "job.status")
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", VIEWER_EVENTS, after=cursor, types=["job.status"])
        missed = [await socket.next("viewerEvents") for _ in range(2)]

    assert [item["node"]["type"] for item in missed] == ["job.status", "job.status"]


def cancel(job: Job) -> None:
    with transaction.atomic():
        emit(
            topic=f"job:{job.id}",
            type="job.status",
            payload={"status": "CANCELED"},
            at=SYSTEM_CLOCK.now(),
            subject_id=job.id,
        )


async def test_a_job_is_followed_by_whoever_sees_it(server: Server, person: User) -> None:
    token = await in_database(bearer, person)
    job = await in_database(a_job)
    async with socket_to(server, token=token) as socket:
        await socket.subscribe("1", JOB_EVENTS, id=global_id("Job", job.id))
        first = await socket.next("jobEvents")
        await in_database(cancel, job)
        second = await socket.next("jobEvents")

    assert first["node"] is None
    assert second["node"]["subjectId"] == global_id("Job", job.id)


async def test_a_draft_is_followed_by_its_owner_and_by_nobody_else_at_the_same_moment(
    server: Server, person: User
) -> None:
    draft = await in_database(a_draft)
    tokens = [await in_database(bearer, each) for each in (draft.owner, person)]
    async with (
        socket_to(server, token=tokens[0]) as owner,
        socket_to(server, token=tokens[1]) as stranger,
    ):
        for socket in (owner, stranger):
            await socket.subscribe("1", JOB_EVENTS, id=global_id("Job", draft.id))

        assert (await owner.next("jobEvents"))["node"] is None
        refusal = await stranger.receive()
    assert refusal["payload"]["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("seq", [0, 1, 2])
async def test_a_cursor_does_not_tell_a_foreign_draft_from_none(
    server: Server, person: User, seq: int
) -> None:
    draft = await in_database(a_draft)
    await in_database(cancel, draft)  # its event, that is
    token = await in_database(bearer, person)
    refusals = []
    for key in (draft.id, new_id()):
        async with socket_to(server, token=token) as stranger:
            after = cursors.encode(topic=f"job:{key}", seq=seq)
            await stranger.subscribe("1", JOB_EVENTS, id=global_id("Job", key), after=after)
            refusals.append((await stranger.receive())["payload"])

    assert refusals[0]["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert refusals[0] == refusals[1]


async def test_followers_of_one_event_get_what_each_of_them_selected(
    server: Server, person: User
) -> None:
    job = await in_database(a_job)
    token = await in_database(bearer, person)
    sometimes = "subscription ($id: ID!, $told: Boolean!) { jobEvents(jobId: $id) {"
    sometimes += " cursor node { id type @include(if: $told) } } }"
    follow = "subscription ($id: ID!) { jobEvents(jobId: $id) { cursor node { id type } } }"
    aliased = "subscription ($id: ID!) { told: jobEvents(jobId: $id) { node { what: type } } }"
    asked = [
        (follow, "jobEvents", {}),
        (follow, "jobEvents", {}),
        (aliased, "told", {}),
        (sometimes, "jobEvents", {"told": True}),
        (sometimes, "jobEvents", {"told": False}),
    ]
    async with AsyncExitStack() as stack:
        got = []
        for query, name, variables in asked:
            client = await stack.enter_async_context(socket_to(server, token=token))
            await client.subscribe("1", query, id=global_id("Job", job.id), **variables)
            await client.next(name)
            got.append((client, name))
        await in_database(cancel, job)
        first, again, other, with_type, without = [await client.next(name) for client, name in got]

    assert first == again == with_type
    assert first["node"]["type"] == "job.status"
    assert other == {"node": {"what": "job.status"}}
    assert without == {"cursor": first["cursor"], "node": {"id": first["node"]["id"]}}
