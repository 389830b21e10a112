"""From the outbox to deliveries: whom an event reaches, each once, whatever dies in between."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from django.db import connection, transaction

from backend.accounts.models import User
from backend.events import cursors, emit
from backend.events.models import Event, Topic
from backend.events.relay import relay
from backend.events.retention import delete_old_events
from backend.funding.models import Funding
from backend.outbound import Policy
from backend.outbound.resolving import system_resolver
from backend.outbound.transport import GuardedTransport
from backend.webhooks import claims, services
from backend.webhooks.models import WebhookDelivery, WebhookEndpoint
from backend.webhooks.sending import deliver
from backend.webhooks.status import DeliveryStatus
from tests.schema.permissions.world import World, build
from tests.simulation.crashes import Crash, CrashingTransport, CrashPoints, lose_connection
from tests.webhooks.world import (
    NOON,
    Clock,
    Receiver,
    a_user,
    an_endpoint,
    announce,
    deliveries,
)

pytestmark = pytest.mark.django_db(transaction=True)


# --- whom it reaches -----------------------------------------------------------------------------

PEOPLE = ("owner", "worker", "other", "stranger", "operator", "auditor")


@pytest.fixture
def world() -> World:
    found = build()
    relay(now=NOON)
    return found


def heard_by(world: World, topic: str, **more: object) -> set[str]:
    """Who of all hears an event of `topic`, with an endpoint for everything that they may hear."""
    for who in PEOPLE:
        an_endpoint(world.people[who])
    event = announce(topic)
    relay(now=NOON)
    told = WebhookDelivery.objects.filter(event_id=event.id).select_related("endpoint__owner")
    return {each.endpoint.owner.display_name for each in told}


@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("payment", {"owner", "worker"}),
        ("secured funding", {"owner"}),
        ("job draft", {"owner"}),
        ("job recruiting", {"owner"}),
    ],
)
def test_an_event_of_an_object_reaches_those_whom_it_is_about(
    world: World, name: str, people: set[str]
) -> None:
    type_name, key = world.rows[name]

    assert heard_by(world, f"{type_name.lower()}:{key}") == people


@pytest.mark.parametrize("who", PEOPLE)
def test_a_persons_feed_reaches_them_alone(world: World, who: str) -> None:
    assert heard_by(world, f"user:{world.people[who].id}") == {who}


def test_a_funding_reaches_who_pays_it_for_somebody_elses_job(world: World) -> None:
    key = world.rows["secured funding"][1]
    Funding.objects.filter(id=key).update(payer=world.people["other"])

    assert heard_by(world, f"funding:{key}") == {"owner", "other"}


@pytest.mark.parametrize("topic", ["payment:nonsense", "user:", "other", "unknown:1"])
def test_a_topic_about_no_row_reaches_nobody(world: World, topic: str) -> None:
    assert heard_by(world, topic) == set()


@pytest.mark.parametrize("who", ["operator", "auditor"])
def test_who_sees_everything_may_hear_everything(world: World, who: str) -> None:
    made = an_endpoint(world.people[who], everything=True)
    topics = ["funding:1", "job:1", "other", "payment:1", f"user:{world.people['owner'].id}"]
    for topic in topics:
        announce(topic)

    relay(now=NOON)

    assert [each.topic for each in deliveries(made.endpoint)] == topics


def test_who_is_closed_hears_nothing() -> None:
    closed = a_user("closed")
    an_endpoint(closed)
    User.objects.filter(id=closed.id).update(is_active=False)
    announce(f"user:{closed.id}")

    relay(now=NOON)

    assert not WebhookDelivery.objects.exists()


def test_an_endpoint_hears_what_it_asked_for() -> None:
    person = a_user()
    wanted = {
        ("*",): ["user.job.status", "user.dispute.status"],
        ("user.job.status",): ["user.job.status"],
        ("user.*",): ["user.job.status", "user.dispute.status"],
        ("job.status",): [],
    }
    endpoints = {events: an_endpoint(person, events=events).endpoint for events in wanted}
    announce(f"user:{person.id}", type="job.status")
    announce(f"user:{person.id}", type="dispute.status")

    relay(now=NOON)

    heard = {
        events: [each.name for each in deliveries(endpoint)]
        for events, endpoint in endpoints.items()
    }
    assert heard == wanted


# --- each once, in order -------------------------------------------------------------------------


def test_what_happened_before_there_were_webhooks_is_not_told() -> None:
    Topic.objects.create(name="a", last_seq=3, relayed_seq=3)

    assert relay(now=NOON) == 0


def test_relaying_again_puts_nothing_down_twice() -> None:
    person = a_user()
    endpoint = an_endpoint(person).endpoint
    announce(f"user:{person.id}")

    assert [relay(now=NOON), relay(now=NOON)] == [1, 0]
    # Even if the number of what was read is lost.
    Topic.objects.update(relayed_seq=0)
    assert relay(now=NOON) == 1

    assert len(deliveries(endpoint)) == 1


def test_events_that_were_forgotten_unread_do_not_hold_up_a_topic() -> None:
    person = a_user()
    announce(f"user:{person.id}", at=NOON - timedelta(days=40))
    delete_old_events(now=NOON)
    endpoint = an_endpoint(person).endpoint

    relay(now=NOON)
    announce(f"user:{person.id}")
    relay(now=NOON)

    assert [each.seq for each in deliveries(endpoint)] == [2]


def test_more_events_than_one_round_reads_are_all_put_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.events.relay.EVENTS", 3)
    monkeypatch.setattr("backend.events.relay.TOPICS", 2)
    people = [a_user(str(number)) for number in range(4)]
    endpoints = [an_endpoint(person).endpoint for person in people]
    for _ in range(4):
        for person in people:
            announce(f"user:{person.id}")

    assert relay(now=NOON) == 16

    assert [[each.seq for each in deliveries(one)] for one in endpoints] == [[1, 2, 3, 4]] * 4


def test_relays_and_writers_at_once_lose_nothing() -> None:
    operator = a_user("operator", is_staff=True)
    endpoint = an_endpoint(operator, everything=True).endpoint
    topics, each = ("a", "b", "c"), 20
    finished = threading.Event()

    def write(number: int) -> None:
        try:
            for turn in range(each):
                with transaction.atomic():
                    for topic in sorted({topics[turn % 3], topics[number % 3]}):
                        emit(topic=topic, type="test", payload={}, at=NOON)
        finally:
            connection.close()

    def read() -> None:
        try:
            while not finished.is_set():
                relay(now=NOON)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in (*writers, *readers):
        thread.start()
    for thread in writers:
        thread.join(60)
    finished.set()
    for thread in readers:
        thread.join(60)
    relay(now=NOON)

    told = [(each.topic, each.seq, each.event_id) for each in deliveries(endpoint)]
    happened = Event.objects.order_by("topic", "seq").values_list("topic", "seq", "id")
    assert told == list(happened)


# --- whatever is killed --------------------------------------------------------------------------


class Story:
    """Two topics with three events each for one endpoint, and a worker that dies of something."""

    def __init__(self, receiver: Receiver, clock: Clock) -> None:
        self.operator = a_user("operator", is_staff=True)
        self.endpoint = an_endpoint(self.operator, receiver.url, everything=True).endpoint
        self.events = [announce(topic) for _ in range(3) for topic in ("a", "b")]
        self.receiver, self.clock = receiver, clock
        # The second request fails once, so that a retry is played too.
        receiver.answer = lambda request: (500 if len(receiver.got) == 2 else 200, {})

    def play(self, client: httpx.Client, points: CrashPoints) -> None:
        """Work until nothing is left, again and again after dying."""
        rng = random.Random(1)

        def work() -> bool:
            read = relay(now=self.clock.at)
            claimed = claims.claim_due(now=self.clock.at, limit=1)
            for delivery in claimed:
                deliver(delivery, client=client, clock=self.clock, rng=rng)
            return bool(read or claimed)

        for _ in range(200):
            try:
                with points.watching():
                    busy = work()
            except BaseException as error:
                if not (isinstance(error, Crash) or points.crashed):
                    raise
                lose_connection()
                busy = True
            if not busy:
                if not WebhookDelivery.objects.filter(status=DeliveryStatus.PENDING).exists():
                    return
                self.clock.advance(seconds=claims.LEASE_SECONDS / 4)
        raise AssertionError("it never ends")


class Wire(CrashingTransport):
    """As of a worker whose connections the kernel closes when it dies."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._points.pass_("before POST")
        response = self._inner.handle_request(request)
        try:
            self._points.pass_("after POST")
        except Crash:
            response.close()
            raise
        return response

    def close(self) -> None:
        self._inner.close()


def played(receiver: Receiver, crash: Callable[[int], bool]) -> tuple[Story, CrashPoints]:
    receiver.got.clear()
    clock, points = Clock(), CrashPoints()
    points.choose(crash)
    policy = Policy(allowed_origins=frozenset({receiver.origin}), max_body_bytes=2**31)
    wire = Wire(GuardedTransport(policy, system_resolver), points)
    story = Story(receiver, clock)
    with httpx.Client(transport=wire) as client:
        story.play(client, points)
    return story, points


def problems_of(story: Story) -> list[str]:
    """Every promise that was broken: none lost, ids the events' own, order kept, no gap."""
    found = []
    firsts: dict[str, list[int]] = {"a": [], "b": []}
    accepted: set[str] = set()
    for number, request in enumerate(story.receiver.got):
        topic, seq = request.json["data"]["topic"], request.seq
        assert cursors.decode(request.json["data"]["cursor"], topic=topic) == seq
        if number == 1:
            continue  # it was refused
        if request.id not in accepted:
            accepted.add(request.id)
            firsts[topic].append(seq)
    if accepted != {str(event.id) for event in story.events}:
        found.append("an event is missing, or another came")
    for topic, seqs in firsts.items():
        if seqs != [1, 2, 3]:
            found.append(f"{topic} came as {seqs}")
    rows = [(each.topic, each.seq, each.status) for each in deliveries(story.endpoint)]
    if rows != [(topic, seq, "DELIVERED") for topic in "ab" for seq in (1, 2, 3)]:
        found.append(f"rows {rows}")
    return found


def test_killed_between_any_two_lines_nothing_is_lost_or_out_of_order(receiver: Receiver) -> None:
    story, points = played(receiver, lambda index: False)
    assert problems_of(story) == []
    names, total = set(points.names), points.passed
    assert {"before COMMIT", "after COMMIT", "before POST", "after POST"} <= names
    assert total > 60

    for point in range(total):
        _empty()
        story, points = played(receiver, lambda index, point=point: index == point)  # type: ignore[misc]
        assert points.passed > point
        assert problems_of(story) == [], (point, points.names[point])


@pytest.mark.parametrize("seed", range(10))
def test_killed_again_and_again_nothing_is_lost_or_out_of_order(
    receiver: Receiver, seed: int
) -> None:
    rng = random.Random(seed)

    story, _ = played(receiver, lambda index: rng.random() < 0.06)

    assert problems_of(story) == []


def _empty() -> None:
    WebhookEndpoint.objects.all().delete()
    Topic.objects.all().update(relayed_seq=0, last_seq=0)
    User.objects.all().delete()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM events_event")
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = DEFAULT")


# --- replays -------------------------------------------------------------------------------------


def test_what_is_missed_while_an_endpoint_is_off_is_kept_for_a_replay(receiver: Receiver) -> None:
    person = a_user()
    endpoint = an_endpoint(person, receiver.url).endpoint
    services.update_endpoint(user=person, endpoint_id=endpoint.id, active=False, now=NOON)
    announce(f"user:{person.id}")
    relay(now=NOON)
    assert [each.status for each in deliveries(endpoint)] == [DeliveryStatus.MISSED]
    assert claims.claim_due(now=NOON, limit=5) == []

    services.update_endpoint(user=person, endpoint_id=endpoint.id, active=True, now=NOON)
    assert claims.claim_due(now=NOON, limit=5) == []
    services.replay_events(user=person, endpoint_id=endpoint.id, since=NOON, now=NOON)

    assert len(claims.claim_due(now=NOON, limit=5)) == 1
