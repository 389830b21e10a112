"""Bringing events to a real server on loopback: schedule, order, ends, and six hours of silence."""

import random
import threading
from collections import Counter
from datetime import timedelta
from functools import partial
from itertools import pairwise

import httpx
import pytest
import standardwebhooks

from backend.events.models import Event
from backend.events.relay import relay
from backend.ids import new_id
from backend.webhooks import claims, schedule, services, signatures
from backend.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from backend.webhooks.schedule import PAUSES_SECONDS
from backend.webhooks.sending import deliver
from backend.webhooks.status import DeliveryStatus, DisabledBecause, Flaw
from tests.jobs.test_concurrency import at_once
from tests.webhooks.world import (
    NOON,
    Clock,
    Receiver,
    Request,
    Worker,
    a_user,
    an_endpoint,
    announce,
    client_for,
    deliveries,
)

pytestmark = pytest.mark.django_db(transaction=True)


class Listening:
    """A person whose endpoint is the receiver."""

    def __init__(self, receiver: Receiver) -> None:
        self.owner = a_user("owner")
        made = an_endpoint(self.owner, receiver.url)
        self.secret, self.endpoint = made.secret, made.endpoint

    def hears(self, *, topic: str = "", at: object = NOON) -> Event:
        return announce(topic or f"user:{self.owner.id}", at=at)  # type: ignore[arg-type]

    def now(self) -> WebhookEndpoint:
        return WebhookEndpoint.objects.get(id=self.endpoint.id)


@pytest.fixture
def listening(receiver: Receiver) -> Listening:
    return Listening(receiver)


def failing(status: int = 500, **headers: str) -> object:
    return lambda request: (status, {name.replace("_", "-"): v for name, v in headers.items()})


def test_an_event_arrives_signed_under_its_own_id(
    listening: Listening, receiver: Receiver, worker: Worker
) -> None:
    event = listening.hears()

    worker.work()

    (request,) = receiver.got
    assert request.id == str(event.id)
    assert request.headers["content-type"] == "application/json"
    assert request.json["type"] == "user.job.status"
    assert request.json["timestamp"] == "2026-06-01T12:00:00Z"
    assert request.json["data"]["topic"] == event.topic
    # Not the library's own clock: it was signed at noon.
    signed = standardwebhooks.Webhook(listening.secret).sign(
        request.id, NOON, request.body.decode()
    )
    assert request.headers["webhook-signature"] == signed
    (delivery,) = deliveries(listening.endpoint)
    assert delivery.status == DeliveryStatus.DELIVERED
    attempt = delivery.attempts.get()
    assert (attempt.number, attempt.status_code, attempt.flaw) == (1, 204, "")


def test_it_is_tried_ten_times_in_growing_pauses_and_then_missed(
    listening: Listening, receiver: Receiver, worker: Worker
) -> None:
    receiver.answer = failing()  # type: ignore[assignment]
    listening.hears()

    worker.until(NOON + timedelta(days=4))

    attempts = list(WebhookAttempt.objects.order_by("number"))
    assert [each.number for each in attempts] == list(range(1, 11))
    assert {(each.status_code, each.flaw) for each in attempts} == {(500, Flaw.REFUSED)}
    pauses = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(attempts)]
    for pause, planned in zip(pauses, PAUSES_SECONDS[1:], strict=True):
        assert 0.8 * planned <= pause <= 1.2 * planned
    assert pauses != list(PAUSES_SECONDS[1:])
    assert len(set(receiver.ids())) == 1
    assert len({request.body for request in receiver.got}) == 1
    assert deliveries(listening.endpoint)[0].status == DeliveryStatus.MISSED


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_takes_it(
    listening: Listening, receiver: Receiver, worker: Worker, status: int
) -> None:
    receiver.answer = failing(status)  # type: ignore[assignment]
    listening.hears()

    worker.work()

    assert deliveries(listening.endpoint)[0].status == DeliveryStatus.DELIVERED


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500, 503])
def test_nothing_else_does_and_no_redirect_is_followed(
    listening: Listening, receiver: Receiver, worker: Worker, status: int
) -> None:
    receiver.answer = failing(status, location=receiver.url)  # type: ignore[assignment]
    listening.hears()

    worker.work()

    assert len(receiver.got) == 1
    delivery = deliveries(listening.endpoint)[0]
    assert (delivery.status, delivery.attempts_made) == (DeliveryStatus.PENDING, 1)


def test_one_that_is_gone_is_switched_off_and_its_owner_told(
    listening: Listening, receiver: Receiver, worker: Worker
) -> None:
    receiver.answer = failing(410)  # type: ignore[assignment]
    listening.hears()
    listening.hears(topic=f"user:{listening.owner.id}")

    worker.work()
    listening.hears()
    worker.work()

    endpoint = listening.now()
    assert (endpoint.disabled_at, endpoint.disabled_because) == (NOON, DisabledBecause.GONE)
    assert len(receiver.got) == 1
    assert {each.status for each in deliveries(endpoint)} == {DeliveryStatus.MISSED}
    notice = Event.objects.get(type="webhook.disabled")
    assert notice.topic == f"user:{listening.owner.id}"
    assert (notice.payload, notice.subject_id) == ({"because": "GONE"}, endpoint.id)


def test_after_five_days_of_failures_it_is_switched_off_and_its_owner_told(
    listening: Listening, receiver: Receiver, worker: Worker, clock: Clock
) -> None:
    receiver.answer = failing()  # type: ignore[assignment]
    listening.hears()
    worker.until(NOON + timedelta(days=4, hours=23))
    assert listening.now().disabled_at is None
    clock.advance(hours=2)
    listening.hears(at=clock.at)

    worker.work()

    assert listening.now().disabled_because == DisabledBecause.FAILING
    assert Event.objects.get(type="webhook.disabled").payload == {"because": "FAILING"}


def test_one_success_begins_the_five_days_anew(
    listening: Listening, receiver: Receiver, worker: Worker, clock: Clock
) -> None:
    receiver.answer = failing()  # type: ignore[assignment]
    listening.hears()
    worker.work()
    assert listening.now().failing_since == NOON
    receiver.answer = failing(200)  # type: ignore[assignment]
    clock.advance(seconds=10)

    worker.work()

    assert listening.now().failing_since is None


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("asked", ["3600", "Mon, 01 Jun 2026 13:00:00 GMT"])
def test_who_asks_for_time_gets_it(
    listening: Listening, receiver: Receiver, worker: Worker, status: int, asked: str
) -> None:
    receiver.answer = failing(status, retry_after=asked)  # type: ignore[assignment]
    listening.hears()

    worker.work()

    assert deliveries(listening.endpoint)[0].due_at == NOON + timedelta(hours=1)


@pytest.mark.parametrize("asked", ["", "soon", "-5", "9" * 30, "Mon, 99 Jun", "1e3", "٣"])
def test_what_cannot_be_read_as_a_time_asks_for_none(asked: str) -> None:
    assert schedule.retry_after_seconds({"retry-after": asked}, now=NOON) == 0


def test_nobody_can_ask_for_more_than_a_day() -> None:
    pause = schedule.next_pause(failures=1, asked_seconds=1e9, rng=random.Random(1))

    assert pause == timedelta(days=1)


def test_a_receiver_that_is_not_there_is_tried_again(
    listening: Listening, receiver: Receiver, clock: Clock
) -> None:
    listening.hears()
    WebhookEndpoint.objects.update(url="http://127.0.0.1:9/hooks")

    with client_for("http://127.0.0.1:9") as client:
        Worker(client, clock).work()

    assert WebhookAttempt.objects.get().flaw == Flaw.UNREACHABLE
    assert deliveries(listening.endpoint)[0].status == DeliveryStatus.PENDING


def test_a_url_that_leads_inside_is_not_called(
    listening: Listening, receiver: Receiver, clock: Clock
) -> None:
    listening.hears()

    with client_for() as strict:
        Worker(strict, clock).work()

    assert receiver.got == []
    assert WebhookAttempt.objects.get().flaw == Flaw.FORBIDDEN


def test_a_receiver_that_does_not_answer_costs_the_total_time_only(
    listening: Listening, receiver: Receiver, clock: Clock
) -> None:
    listening.hears()
    release = threading.Event()

    def wait(request: Request) -> tuple[int, dict[str, str]]:
        release.wait(5)
        return 200, {}

    receiver.answer = wait
    with client_for(receiver.origin, total_timeout_seconds=0.3) as client:
        Worker(client, clock).work()
    release.set()

    assert WebhookAttempt.objects.get().flaw == Flaw.TIMEOUT


def test_events_of_a_topic_arrive_in_their_order_and_wait_for_the_first(
    listening: Listening, receiver: Receiver, worker: Worker, clock: Clock
) -> None:
    for _ in range(3):
        listening.hears()
    receiver.answer = lambda request: (500 if len(receiver.got) == 1 else 200, {})

    worker.work()
    assert [request.seq for request in receiver.got] == [1]
    clock.advance(seconds=10)
    worker.work()

    assert [request.seq for request in receiver.got] == [1, 1, 2, 3]


@pytest.mark.parametrize("behind", [claims.PAGE - 1, 3 * claims.PAGE])
def test_however_many_come_behind_it_meanwhile_the_first_is_tried_again(
    listening: Listening, receiver: Receiver, worker: Worker, behind: int
) -> None:
    receiver.answer = failing(retry_after="3600")  # type: ignore[assignment]
    events = [listening.hears()]
    worker.work()
    assert len(receiver.got) == 1
    # They are put down as due at once, and so before the first, which has to wait.
    events += [listening.hears() for _ in range(behind)]
    worker.work()
    receiver.got.clear()
    receiver.answer = failing(204)  # type: ignore[assignment]

    worker.until(NOON + timedelta(hours=2))

    assert receiver.ids() == [str(each.id) for each in events]


def test_another_topic_does_not_wait(
    listening: Listening, receiver: Receiver, worker: Worker
) -> None:
    operator = a_user("operator", is_staff=True)
    everything = an_endpoint(operator, receiver.url, events=("job.*",), everything=True)
    announce("job:1")
    announce("job:2")
    receiver.answer = lambda request: (500 if "job:1" in request.body.decode() else 200, {})

    worker.work()

    ends = {each.topic: each.status for each in deliveries(everything.endpoint)}
    assert ends == {"job:1": DeliveryStatus.PENDING, "job:2": DeliveryStatus.DELIVERED}


def test_at_most_two_are_brought_at_once_to_an_endpoint(receiver: Receiver, clock: Clock) -> None:
    operator = a_user("operator", is_staff=True)
    an_endpoint(operator, receiver.url, everything=True)
    for number in range(5):
        announce(f"job:{number}")
    relay(now=clock.at)

    first = claims.claim_due(now=clock.at, limit=10)
    second = claims.claim_due(now=clock.at, limit=10)

    assert (len(first), len(second)) == (2, 0)
    clock.advance(seconds=claims.LEASE_SECONDS + 1)
    assert len(claims.claim_due(now=clock.at, limit=10)) == 2


def test_at_most_four_are_brought_at_once_to_the_endpoints_of_an_owner(
    receiver: Receiver, clock: Clock
) -> None:
    operator, another = (a_user(name, is_staff=True) for name in ("operator", "another"))
    for _ in range(5):
        an_endpoint(operator, receiver.url, everything=True)
    an_endpoint(another, receiver.url, everything=True)
    for number in range(5):
        announce(f"job:{number}")
    relay(now=clock.at)

    claimed = [one for _ in range(20) for one in claims.claim_due(now=clock.at, limit=1)]

    owners = Counter(each.endpoint.owner_id for each in claimed)
    assert owners == {operator.pk: 4, another.pk: 2}
    clock.advance(seconds=claims.LEASE_SECONDS + 1)
    again = claims.claim_due(now=clock.at, limit=100)
    assert Counter(each.endpoint.owner_id for each in again) == owners


def test_of_many_workers_at_once_four_bring_to_the_endpoints_of_an_owner(
    receiver: Receiver, clock: Clock
) -> None:
    operator = a_user("operator", is_staff=True)
    for _ in range(10):
        an_endpoint(operator, receiver.url, everything=True)
    announce("job:1")
    relay(now=clock.at)

    for _ in range(5):
        at_once(*[partial(claims.claim_due, now=clock.at, limit=1)] * 8)

    assert WebhookDelivery.objects.filter(lease_until__gte=clock.at).count() == 4


def test_who_was_paused_past_the_lease_records_nothing(
    listening: Listening, receiver: Receiver, worker: Worker, clock: Clock
) -> None:
    listening.hears()
    relay(now=clock.at)
    (paused,) = claims.claim_due(now=clock.at, limit=1)
    clock.advance(seconds=claims.LEASE_SECONDS + 1)
    worker.work()

    receiver.answer = failing()  # type: ignore[assignment]
    deliver(paused, client=worker.client, clock=clock, rng=worker.rng)

    (delivery,) = deliveries(listening.endpoint)
    assert (delivery.status, delivery.attempts_made) == (DeliveryStatus.DELIVERED, 1)
    assert listening.now().failing_since is None


def test_a_host_that_rests_is_no_failure_of_the_endpoint(
    listening: Listening, receiver: Receiver, clock: Clock
) -> None:
    listening.hears()
    WebhookEndpoint.objects.update(url="http://127.0.0.1:9/hooks")
    with client_for("http://127.0.0.1:9", failures_before_rest=1) as client:
        with pytest.raises(httpx.ConnectError):
            client.get("http://127.0.0.1:9/")
        Worker(client, clock).work()

    (delivery,) = deliveries(listening.endpoint)
    assert delivery.tries == delivery.attempts_made == 0
    assert delivery.due_at is not None and delivery.due_at > clock.at
    assert listening.now().failing_since is None


def test_both_secrets_sign_for_a_day_after_a_rotation(
    listening: Listening, receiver: Receiver, worker: Worker, clock: Clock
) -> None:
    rotated = services.rotate_secret(
        user=listening.owner, endpoint_id=listening.endpoint.id, now=NOON
    )
    listening.hears()
    worker.work()
    clock.advance(hours=24)
    listening.hears(at=clock.at)
    worker.work()

    def accepted(request: Request, secret: str) -> bool:
        key = signatures.key_of(secret)
        at = NOON + timedelta(seconds=int(request.headers["webhook-timestamp"]) - NOON.timestamp())
        try:
            signatures.verify(headers=request.headers, body=request.body, keys=[key], now=at)
        except signatures.NotGenuine:
            return False
        return True

    within, after = receiver.got
    assert accepted(within, listening.secret) and accepted(within, rotated.secret)
    assert not accepted(after, listening.secret) and accepted(after, rotated.secret)


def test_an_endpoint_that_was_away_for_six_hours_gets_everything_once_by_replay(
    listening: Listening, receiver: Receiver, worker: Worker, clock: Clock
) -> None:
    taken: list[str] = []
    down = True

    def answer(request: Request) -> tuple[int, dict[str, str]]:
        if not down:
            taken.append(request.id)
        return (503 if down else 200), {}

    receiver.answer = answer
    announced = []
    for _ in range(36):  # every ten minutes
        announced.append(str(listening.hears(at=clock.at).id))
        worker.until(clock.at + timedelta(minutes=10))
    assert clock.at == NOON + timedelta(hours=6)
    tried = list(WebhookAttempt.objects.order_by("at").values_list("at", flat=True))
    gaps = [later - earlier for earlier, later in pairwise(tried)]
    assert gaps == sorted(gaps) and len(gaps) >= 4
    down = False

    _, replayed = services.replay_events(
        user=listening.owner, endpoint_id=listening.endpoint.id, since=NOON, now=clock.at
    )
    worker.work()
    services.replay_events(
        user=listening.owner, endpoint_id=listening.endpoint.id, since=NOON, now=clock.at
    )
    worker.until(clock.at + timedelta(days=4))

    assert replayed == 36
    assert taken == announced


def test_an_event_that_was_forgotten_before_it_was_brought_is_missed(
    listening: Listening, receiver: Receiver, worker: Worker
) -> None:
    listening.hears()
    relay(now=NOON)
    WebhookDelivery.objects.update(event_id=new_id())

    worker.work()

    assert receiver.got == []
    assert deliveries(listening.endpoint)[0].status == DeliveryStatus.MISSED


def test_who_is_no_operator_any_more_hears_nothing_from_then_on(
    receiver: Receiver, worker: Worker
) -> None:
    operator = a_user("operator", is_staff=True)
    endpoint = an_endpoint(operator, receiver.url, everything=True).endpoint
    announce("job:1")
    relay(now=NOON)
    operator.is_staff = False
    operator.save()

    worker.work()
    announce("job:1")
    worker.work()

    assert receiver.got == []
    assert [each.status for each in deliveries(endpoint)] == [DeliveryStatus.MISSED]
