"""Endpoints by GraphQL: the secret once, what was brought, refusals in the reader's language."""

from datetime import timedelta
from typing import Any

import pytest

from backend.accounts.models import User
from backend.events import cursors
from backend.events.relay import relay
from backend.ids import global_id, new_id
from backend.rate_limits import LIMITS
from backend.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from backend.webhooks.services import MOST_ENDPOINTS
from backend.webhooks.status import DeliveryStatus
from tests.schema.client import code_of, data_of, execute
from tests.webhooks.world import NOON, Receiver, Worker, a_user, an_endpoint, announce, deliveries

pytestmark = pytest.mark.django_db(transaction=True)

CREATE = """
mutation ($input: WebhookInput!) { createWebhookEndpoint(input: $input) {
  endpoint { id url events format active everything }
  signingSecret errors { code message path }
} }
"""
LIST = """
{ webhookEndpoints(first: 5) { totalCount edges { node {
  id active disabledBecause
  deliveries(first: 5) { totalCount edges { node {
    id eventId type topic cursor status attemptsMade nextAttemptAt
    attempts { number statusCode flaw durationMs }
  } } }
  pending: deliveries(first: 5, status: PENDING) { totalCount }
  missed: deliveries(first: 5, status: MISSED) { totalCount }
} } } }
"""
REPLAY = """
mutation ($input: ReplayInput!) { replayEvents(input: $input) {
  replayed endpoint { id } errors { code message path }
} }
"""


def create(user: User, language: str = "", **given: Any) -> dict[str, Any]:
    wanted = {"url": "https://hooks.example/faena", "events": ["*"], **given}
    result = execute(
        CREATE, variables={"input": wanted}, user=user, accept_language=language, now=NOON
    )
    payload: dict[str, Any] = data_of(result)["createWebhookEndpoint"]
    return payload


def refusal(payload: dict[str, Any]) -> tuple[str, list[str]]:
    (error,) = payload["errors"]
    return error["code"], error["path"]


def test_an_endpoint_is_made_with_its_secret_which_is_kept_sealed() -> None:
    payload = create(a_user())

    assert payload["errors"] == []
    assert payload["signingSecret"].startswith("whsec_")
    assert payload["endpoint"]["active"] is True
    row = WebhookEndpoint.objects.get()
    assert payload["signingSecret"].removeprefix("whsec_") not in row.secret
    assert row.unseal(row.secret) == payload["signingSecret"]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://hooks.example:8443/",
        "https://user@hooks.example/",
        "https://hooks.internal/",
        "https://169.254.169.254/latest/meta-data/",
        "ftp://hooks.example/",
    ],
)
def test_a_url_we_do_not_go_to_is_refused(url: str) -> None:
    assert refusal(create(a_user(), url=url)) == ("VALIDATION", ["url"])
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("events", "format"),
    [
        ([], "STANDARD"),
        (["payment.stauts"], "STANDARD"),
        (["payment.completed"], "STANDARD"),
        (["payment.status"], "GUIDE"),
        (["pay*"], "STANDARD"),
        (["*", "nonsense.*"], "STANDARD"),
        (["\n"], "STANDARD"),
    ],
)
def test_a_name_of_no_event_is_refused(events: list[str], format: str) -> None:
    payload = create(a_user(), events=events, format=format)

    assert refusal(payload) == ("VALIDATION", ["events"])


def test_a_refusal_is_said_in_spanish_too() -> None:
    english = create(a_user(), url="http://hooks.example/")
    spanish = create(a_user(), "es", url="http://hooks.example/")

    assert "https" in english["errors"][0]["message"]
    assert english["errors"][0]["message"] != spanish["errors"][0]["message"]


@pytest.mark.parametrize(
    ("who", "allowed"), [({}, False), ({"is_staff": True}, True), ({"is_auditor": True}, True)]
)
def test_only_operators_and_auditors_hear_everything(who: dict[str, bool], allowed: bool) -> None:
    payload = create(a_user("somebody", **who), everything=True)

    if allowed:
        assert payload["endpoint"]["everything"] is True
    else:
        assert refusal(payload) == ("FORBIDDEN", ["everything"])


def test_a_person_has_so_many_endpoints_and_no_more() -> None:
    person = a_user()
    for _ in range(MOST_ENDPOINTS):
        assert create(person)["errors"] == []

    assert refusal(create(person))[0] == "VALIDATION"
    assert create(a_user())["errors"] == []


def test_nobody_makes_them_without_end() -> None:
    person = a_user()
    result = None
    for _ in range(LIMITS["webhooks"].amount + 1):
        result = execute(
            CREATE,
            variables={"input": {"url": "https://hooks.example/", "events": ["*"]}},
            user=person,
        )

    assert result is not None and code_of(result) == "RATE_LIMITED"


def test_the_log_says_what_was_brought_and_what_waits(receiver: Receiver, worker: Worker) -> None:
    person = a_user()
    an_endpoint(person, receiver.url)
    first, second = (announce(f"user:{person.id}") for _ in range(2))
    receiver.answer = lambda request: (200 if request.id == str(first.id) else 500, {})
    worker.work()

    (edge,) = data_of(execute(LIST, user=person))["webhookEndpoints"]["edges"]

    found = [each["node"] for each in edge["node"]["deliveries"]["edges"]]
    assert [each["eventId"] for each in found] == [str(second.id), str(first.id)]
    assert [each["status"] for each in found] == ["PENDING", "DELIVERED"]
    assert found[0]["attempts"][0] | {"durationMs": 0} == {
        "number": 1,
        "statusCode": 500,
        "flaw": "REFUSED",
        "durationMs": 0,
    }
    assert found[1]["attempts"][0]["flaw"] is None
    assert found[0]["nextAttemptAt"] and not found[1]["nextAttemptAt"]
    assert edge["node"]["pending"]["totalCount"] == 1
    assert edge["node"]["missed"]["totalCount"] == 0


def test_the_log_has_the_newest_twenty_requests_of_a_delivery(
    receiver: Receiver, worker: Worker
) -> None:
    person = a_user()
    an_endpoint(person, receiver.url)
    announce(f"user:{person.id}")
    worker.work()
    delivery = WebhookDelivery.objects.get()
    WebhookAttempt.objects.bulk_create(
        WebhookAttempt(delivery=delivery, number=number, at=NOON, duration_ms=1)
        for number in range(2, 31)
    )
    WebhookDelivery.objects.update(attempts_made=30)

    (edge,) = data_of(execute(LIST, user=person))["webhookEndpoints"]["edges"]

    (found,) = [each["node"] for each in edge["node"]["deliveries"]["edges"]]
    assert [each["number"] for each in found["attempts"]] == [*range(11, 31)]
    assert found["attemptsMade"] == 30


def replay(user: User, endpoint: WebhookEndpoint, **given: Any) -> dict[str, Any]:
    wanted = {"endpointId": global_id("WebhookEndpoint", endpoint.id), **given}
    result = execute(REPLAY, variables={"input": wanted}, user=user, now=NOON)
    payload: dict[str, Any] = data_of(result)["replayEvents"]
    return payload


@pytest.fixture
def told(receiver: Receiver, worker: Worker) -> tuple[User, WebhookEndpoint]:
    """A person whose endpoint took three events, an hour apart."""
    person = a_user()
    endpoint = an_endpoint(person, receiver.url).endpoint
    for hours in range(3):
        announce(f"user:{person.id}", at=NOON + timedelta(hours=hours))
    worker.work()
    return person, endpoint


def test_what_was_taken_is_brought_again_only_if_asked_for(
    told: tuple[User, WebhookEndpoint], receiver: Receiver, worker: Worker
) -> None:
    person, endpoint = told
    since = (NOON + timedelta(hours=1)).isoformat()

    assert replay(person, endpoint, since=since)["replayed"] == 0
    assert replay(person, endpoint, since=since, includeDelivered=True)["replayed"] == 2
    worker.work()

    assert [request.seq for request in receiver.got] == [1, 2, 3, 2, 3]
    assert receiver.ids()[3:] == receiver.ids()[1:3]


def test_a_replay_begins_behind_a_cursor_of_a_topic(
    told: tuple[User, WebhookEndpoint], receiver: Receiver, worker: Worker
) -> None:
    person, endpoint = told
    topic = f"user:{person.id}"
    after = cursors.encode(topic=topic, seq=2)

    payload = replay(person, endpoint, topic=topic, after=after, includeDelivered=True)
    worker.work()

    assert payload["replayed"] == 1
    assert [request.seq for request in receiver.got] == [1, 2, 3, 3]


def test_a_replay_does_not_tell_how_much_happens_to_others(
    told: tuple[User, WebhookEndpoint],
) -> None:
    stranger = a_user("stranger")
    endpoint = an_endpoint(stranger).endpoint
    topics = (f"user:{told[0].id}", f"user:{new_id()}", "\0")

    for seq in (0, 2, 4):
        foreign, nobodys, unwritable = (
            replay(stranger, endpoint, topic=topic, after=cursors.encode(topic=topic, seq=seq))
            for topic in topics
        )
        assert foreign == nobodys == unwritable
        assert bool(foreign["errors"]) == (seq > 0)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "VALIDATION"),
        ({"topic": "a"}, "VALIDATION"),
        ({"after": "x"}, "VALIDATION"),
        ({"since": NOON.isoformat(), "topic": "a", "after": "x"}, "VALIDATION"),
        ({"topic": "a", "after": "x"}, "BAD_CURSOR"),
        ({"topic": "a", "after": cursors.encode(topic="b", seq=0)}, "BAD_CURSOR"),
        ({"topic": "a", "after": cursors.encode(topic="a", seq=9)}, "BAD_CURSOR"),
    ],
)
def test_a_replay_of_nothing_in_particular_is_refused(given: dict[str, Any], code: str) -> None:
    person = a_user()

    payload = replay(person, an_endpoint(person).endpoint, **given)

    assert payload["errors"][0]["code"] == code


def test_an_endpoint_that_is_off_replays_nothing() -> None:
    person = a_user()
    endpoint = an_endpoint(person).endpoint
    WebhookEndpoint.objects.update(disabled_at=NOON, disabled_because="GONE")

    assert refusal(replay(person, endpoint, since=NOON.isoformat())) == (
        "VALIDATION",
        ["endpointId"],
    )


def test_one_event_can_be_brought_again(
    told: tuple[User, WebhookEndpoint], receiver: Receiver, worker: Worker
) -> None:
    person, endpoint = told
    delivery = deliveries(endpoint)[1]

    answer = execute(
        "mutation ($id: ID!) { replayWebhookDelivery(input: {deliveryId: $id}) "
        "{ delivery { status attemptsMade } errors { code } } }",
        variables={"id": global_id("WebhookDelivery", delivery.id)},
        user=person,
    )
    worker.work()

    assert data_of(answer)["replayWebhookDelivery"] == {
        "delivery": {"status": "PENDING", "attemptsMade": 1},
        "errors": [],
    }
    assert [request.seq for request in receiver.got] == [1, 2, 3, 2]
    assert deliveries(endpoint)[1].status == DeliveryStatus.DELIVERED
    assert deliveries(endpoint)[1].attempts_made == 2


def test_what_was_changed_is_heard_from_then_on() -> None:
    person = a_user()
    endpoint = an_endpoint(person).endpoint

    answer = execute(
        "mutation ($id: ID!) { updateWebhookEndpoint(input: {endpointId: $id, "
        'events: ["user.dispute.*"], url: "https://other.example/x"}) '
        "{ endpoint { url events active } errors { code } } }",
        variables={"id": global_id("WebhookEndpoint", endpoint.id)},
        user=person,
    )
    announce(f"user:{person.id}", type="job.status")
    announce(f"user:{person.id}", type="dispute.status")
    relay(now=NOON)

    assert data_of(answer)["updateWebhookEndpoint"]["endpoint"] == {
        "url": "https://other.example/x",
        "events": ["user.dispute.*"],
        "active": True,
    }
    assert [each.name for each in deliveries(endpoint)] == ["user.dispute.status"]


def test_an_endpoint_is_removed_with_its_log(told: tuple[User, WebhookEndpoint]) -> None:
    person, endpoint = told
    query = (
        "mutation ($id: ID!) { deleteWebhookEndpoint(input: {endpointId: $id}) "
        "{ endpoint { id } errors { code } } }"
    )
    variables = {"id": global_id("WebhookEndpoint", endpoint.id)}

    first, again = (execute(query, variables=variables, user=person) for _ in range(2))

    assert data_of(first)["deleteWebhookEndpoint"] == {"endpoint": None, "errors": []}
    assert data_of(again)["deleteWebhookEndpoint"]["errors"] == [{"code": "NOT_FOUND"}]
    assert not WebhookEndpoint.objects.exists()
