"""What happened, as one feed: asked for page by page, or followed live with the same cursor.

Everybody has a feed of their own, with whatever concerns them; a job has one, which all who may
see the job can follow. An event says what has changed and to what; whoever wants to know more
reads the object, which may have gone on since.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import field
from datetime import datetime
from functools import lru_cache, partial
from typing import Annotated
from uuid import UUID

import strawberry
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User
from backend.errors import NotFound, ValidationFailed
from backend.events import cursors, models, queries
from backend.events.feed import patiently, read_together
from backend.events.hub import hub
from backend.events.shown import data_of, subject_id_of
from backend.jobs.queries import jobs_visible_to
from backend.schema.context import Info
from backend.schema.execution import Answers
from backend.schema.nodes import decode_id, encode_id
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scalars import EventCursor
from backend.schema.subscriptions import cursor_of, follow

# Nobody has to name more; and each is compared with each event, as long as a stream lives.
MOST_TYPES = 50

After = Annotated[
    EventCursor | None,
    strawberry.argument(
        description=(
            "The last cursor that arrived. Left out: a stream goes on from now, `events` begins "
            "with the oldest kept."
        )
    ),
]
Types = Annotated[
    list[str] | None,
    strawberry.argument(
        description="Only events of these types, such as `payment.status`; null for all."
    ),
]


@rule(WITH_PARENT)
@strawberry.type(description="Something that happened. It never changes.")
class Event:
    id: strawberry.ID = strawberry.field(
        description="Its name for ever: whoever gets an event twice knows it by this."
    )
    type: str = strawberry.field(
        description="What happened to what: `job.status`, `payment.status`. More may be added."
    )
    at: datetime = strawberry.field(description="When it happened.")
    subject_id: strawberry.ID | None = strawberry.field(
        description="The `id` of what it happened to, for `node`; null where that has none."
    )
    data: str = strawberry.field(
        description="A JSON object that depends on the type, such as its new and previous status."
    )

    @classmethod
    def from_model(cls, row: models.Event) -> "Event":
        subject_id = subject_id_of(row)
        return cls(
            id=encode_id("Event", row.id),
            type=row.type,
            at=row.at,
            subject_id=None if subject_id is None else strawberry.ID(subject_id),
            data=json.dumps(data_of(row), separators=(",", ":")),
        )


@rule(WITH_PARENT)
@strawberry.type(description="A place in a feed, and the event that is there.")
class EventEdge:
    cursor: EventCursor = strawberry.field(description="Pass as `after` to resume behind this.")
    node: Event | None = strawberry.field(
        description="What happened; null in a stream's first item, which says where the feed is."
    )
    answers: strawberry.Private[Answers] = field(default_factory=Answers, compare=False)


@rule(WITH_PARENT)
@strawberry.type(description="A page of a feed, oldest first.")
class EventPage:
    edges: list[EventEdge] = strawberry.field(
        description="Its events of the types that were asked for."
    )
    end_cursor: EventCursor = strawberry.field(
        description="How far this page looked: the `after` of the next one, even where it is empty."
    )
    has_next_page: bool = strawberry.field(description="Whether more has happened by now.")


@strawberry.type
class FeedQuery:
    @strawberry.field(
        description=(
            "What happened to the viewer and to what concerns them: the feed of `viewerEvents` "
            "page by page, for those who cannot hold a stream open. With CURSOR_EXPIRED read the "
            "objects afresh, and go on without `after`."
        )
    )
    async def events(
        self,
        info: Info,
        first: Annotated[
            int | None, strawberry.argument(description="How many events to look at; 1 to 100.")
        ] = None,
        after: After = None,
        types: Types = None,
    ) -> EventPage:
        user = await info.context.require_user()
        _check_types(types)
        return await info.context.db(
            _page, _topic_of(user), after=after, limit=first or queries.PAGE, types=types
        )


def _page(
    topic: str, *, after: EventCursor | None, limit: int, types: Sequence[str] | None
) -> EventPage:
    if after is None:
        seq = queries.oldest_kept(topic=topic) - 1
    else:
        seq = cursors.decode(after, topic=topic)
        queries.check_resumable(topic=topic, seq=seq)
    rows = queries.page_after(topic=topic, seq=seq, limit=limit + 1)
    page, more = rows[:limit], len(rows) > limit
    return EventPage(
        edges=[_edge(topic, row) for row in page if types is None or row.type in types],
        end_cursor=cursor_of(topic, page[-1].seq if page else seq),
        has_next_page=more,
    )


# An event never changes, and those who follow it show it one after the other.
@lru_cache(1024)
def _edge(topic: str, row: models.Event) -> EventEdge:
    return EventEdge(cursor=cursor_of(topic, row.seq), node=Event.from_model(row))


@strawberry.type
class FeedSubscription:
    @strawberry.subscription(
        description=(
            "What happens to the viewer and to what concerns them: applications, work, decisions, "
            "money. Without `after` the first item has no event and says where the feed is; with "
            "it, exactly the events behind that cursor follow, each once, in order. Never ends by "
            "itself."
        )
    )
    async def viewer_events(
        self, info: Info, after: After = None, types: Types = None
    ) -> AsyncGenerator[EventEdge, None]:
        user = await info.context.require_user()
        _check_types(types)

        async def look() -> None:
            await info.context.viewer_of_crowd()

        async for edge in _edges(info, _topic_of(user), after=after, types=types, look=look):
            yield edge

    @strawberry.subscription(
        description=(
            "What happens to a job that the viewer may see. Without `after` the first item has no "
            "event and says where the feed is; with it, exactly the events behind that cursor "
            "follow, each once, in order. Never ends by itself."
        )
    )
    async def job_events(
        self,
        info: Info,
        job_id: Annotated[
            strawberry.ID,
            strawberry.argument(description="Of one that the viewer may see, by its `id`."),
        ],
        after: After = None,
    ) -> AsyncGenerator[EventEdge, None]:
        await info.context.require_user()
        key = decode_id(job_id, type_name="Job", path=("jobId",))

        who_see_jobs = hub().batches(_who_see_jobs)

        async def look() -> None:
            viewer = await info.context.viewer_of_crowd()
            if not await who_see_jobs.get((viewer, key)):
                raise NotFound(_("There is no such job."), path=("jobId",))

        if after is not None:
            # Before the cursor is judged, which would tell how much happens to a foreign draft.
            await patiently(look)
        async for edge in _edges(info, f"job:{key}", after=after, types=None, look=look):
            yield edge


async def _edges(
    info: Info,
    topic: str,
    *,
    after: EventCursor | None,
    types: Sequence[str] | None,
    look: Callable[[], Awaitable[None]],
) -> AsyncGenerator[EventEdge, None]:
    read = partial(read_together, look=look)
    async with aclosing(follow(info, topic=topic, after=after, read=read)) as steps:
        async for step in steps:
            info.context.forget()
            if step.is_snapshot or step.event is None:
                yield EventEdge(cursor=step.cursor, node=None)
            elif types is None or step.event.type in types:
                yield _edge(topic, step.event)


def _who_see_jobs(asked: list[tuple[User | None, UUID]]) -> dict[tuple[User | None, UUID], bool]:
    # A job that visitors see is seen by everybody: then one answer does for all who ask.
    ids = {key for _, key in asked}
    public = set(jobs_visible_to(None).filter(id__in=ids).values_list("id", flat=True))
    return {
        (viewer, key): key in public or jobs_visible_to(viewer).filter(id=key).exists()
        for viewer, key in asked
    }


def _check_types(types: Sequence[str] | None) -> None:
    if types is not None and len(types) > MOST_TYPES:
        raise ValidationFailed(
            _("Name at most {most} types of events."), path=("types",), most=MOST_TYPES
        )


def _topic_of(user: User) -> str:
    return f"user:{user.pk}"
