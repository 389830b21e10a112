import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.transaction import TransactionManagementError

from backend.accounts.models import User
from backend.events import cursors, emit, queries
from backend.events.cursors import BadCursor, CursorExpired
from backend.events.models import Event
from backend.events.retention import delete_old_events

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def announce(topic: str = "payment:1", *, at: datetime = NOON, number: int = 0) -> Event:
    with transaction.atomic():
        return emit(topic=topic, type="test", payload={"number": number}, at=at)


@pytest.mark.django_db
def test_events_of_a_topic_are_numbered_without_gaps() -> None:
    mixed = [announce(topic).seq for topic in ("a", "b", "a", "a", "b")]

    assert mixed == [1, 1, 2, 3, 2]


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_of_a_transaction_is_refused() -> None:
    with pytest.raises(TransactionManagementError):
        emit(topic="a", type="test", payload={}, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_the_event_and_its_number_back() -> None:
    announce("a")
    with transaction.atomic():
        emit(topic="a", type="test", payload={}, at=NOON)
        transaction.set_rollback(True)

    assert announce("a").seq == 2
    assert queries.last_seq(topic="a") == 2


@pytest.mark.django_db
def test_an_event_says_who_and_about_what() -> None:
    actor = User.objects.create(email="a@example.com", display_name="A", created_at=NOON)

    with transaction.atomic():
        event = emit(
            topic="a",
            type="job.status",
            payload={"x": 1},
            at=NOON,
            actor=actor,
            subject_id=actor.id,
        )

    stored = Event.objects.get(id=event.id)
    assert (stored.actor, stored.subject_id, stored.payload) == (actor, actor.id, {"x": 1})


@pytest.mark.django_db(transaction=True)
def test_simultaneous_writers_leave_no_gap_and_become_visible_in_order() -> None:
    topics, writers, each = ("a", "b"), 6, 15
    seen: dict[str, list[int]] = {topic: [] for topic in topics}
    finished = threading.Event()

    def write(number: int) -> None:
        try:
            for turn in range(each):
                announce(topics[(number + turn) % 2], number=number)
        finally:
            connection.close()

    def read() -> None:
        try:
            last_round = False
            while not last_round:
                last_round = finished.is_set()
                for topic in topics:
                    after = seen[topic][-1] if seen[topic] else 0
                    page = queries.page_after(topic=topic, seq=after)
                    seen[topic] += [event.seq for event in page]
        finally:
            connection.close()

    reader = threading.Thread(target=read)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join(60)
    finished.set()
    reader.join(60)

    total = writers * each // 2
    assert seen == {topic: list(range(1, total + 1)) for topic in topics}


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["update", "delete"])
def test_postgresql_refuses_to_change_or_delete_an_event(change: str) -> None:
    event = announce()
    rows = Event.objects.filter(id=event.id)
    if connection.vendor != "postgresql":
        assert Event._meta.triggers  # type: ignore[attr-defined]
        return  # SQLite has no such triggers: the embedded database is for one's own machine

    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(type="other") if change == "update" else rows.delete()


@pytest.mark.django_db
def test_old_events_are_deleted_and_younger_ones_and_the_count_stay() -> None:
    announce(at=NOON - timedelta(days=31))
    announce(at=NOON - timedelta(days=29))

    deleted = delete_old_events(now=NOON)

    assert deleted == 1
    assert [event.seq for event in queries.page_after(topic="payment:1", seq=0)] == [2]
    assert announce().seq == 3


@pytest.mark.django_db
def test_a_cursor_before_a_deleted_event_has_expired_and_later_ones_have_not() -> None:
    announce(at=NOON - timedelta(days=31))
    announce()
    delete_old_events(now=NOON)

    with pytest.raises(CursorExpired):
        queries.check_resumable(topic="payment:1", seq=0)
    queries.check_resumable(topic="payment:1", seq=1)
    queries.check_resumable(topic="payment:1", seq=2)


@pytest.mark.django_db
def test_a_cursor_from_the_future_is_refused() -> None:
    announce()

    with pytest.raises(BadCursor):
        queries.check_resumable(topic="payment:1", seq=2)


@pytest.mark.parametrize("seq", [0, 1, 10**18, 2**63 - 1])
def test_a_cursor_comes_back_as_it_went(seq: int) -> None:
    assert cursors.decode(cursors.encode(topic="a", seq=seq), topic="a") == seq


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "====",
        "☃",
        "\x00",
        cursors.encode(topic="b", seq=1),
        cursors.encode(topic="a", seq=2**63),
        cursors.encode(topic="a", seq=-1),
    ],
)
def test_a_string_that_is_no_cursor_of_this_topic_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        cursors.decode(cursor, topic="a")
