"""Pages of rows, newest first, with cursors that stay put when rows are added.

Keys are UUIDv7: they sort by age, so a cursor is the key of the last row seen.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar
from uuid import UUID

import strawberry
from django.db.models import Count, F, Model, QuerySet, Window
from django.db.models.functions import RowNumber

from backend.accounts.models import User
from backend.errors import ErrorCode, FaenaError
from backend.schema.context import Info
from backend.schema.permissions import WITH_PARENT, rule

T = TypeVar("T")
M = TypeVar("M", bound=Model)

LARGEST_PAGE = 100


class BadPage(FaenaError):
    """`after` is not a cursor of this list."""

    code = ErrorCode.BAD_CURSOR


@rule(WITH_PARENT)
@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether `after: endCursor` gives more.")
    has_previous_page: bool = strawberry.field(description="Whether this page had an `after`.")
    start_cursor: str | None = strawberry.field(description="The first edge's cursor.")
    end_cursor: str | None = strawberry.field(description="The last edge's cursor.")


@rule(WITH_PARENT)
@strawberry.type(description="An object in a list, and its cursor.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Pass as `after` to continue behind this edge.")
    node: T = strawberry.field(description="The object.")


@rule(WITH_PARENT)
@strawberry.type(description="A page of a list, newest first. `first` is required: 1 to 100.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The objects of this page.")
    page_info: PageInfo = strawberry.field(description="How to go on.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="How many objects the whole list has.")
    async def total_count(self) -> int:
        return await self.count()


async def page(
    info: Info,
    rows: QuerySet[M],
    *,
    convert: Callable[[M], T],
    first: int | None,
    after: str | None,
) -> Connection[T]:
    """One page of `rows`, which the caller has already restricted to what the viewer may see.

    Raises:
        BadPage: `after` is not a cursor.
    """
    size, start = _size(first), _decode(after)
    wanted = rows.order_by("-pk")
    if start is not None:
        wanted = wanted.filter(pk__lt=start)
    found = await info.context.db(lambda: list(wanted[: size + 1]))

    async def count() -> int:
        return await info.context.db(rows.count)

    return _connection(found, size=size, after=start, convert=convert, count=count)


async def nested_page(
    info: Info,
    rows: Callable[[User | None], QuerySet[M]],
    *,
    parent_field: str,
    parent_id: UUID,
    convert: Callable[[M], T],
    first: int | None,
    after: str | None,
) -> Connection[T]:
    """A page of one parent's `rows`, read together with the pages of its siblings.

    `rows(viewer)` says what the viewer may see; it must be a plain function, the same object each
    time. `parent_field` is the foreign key's attribute, such as "job_id".

    Raises:
        BadPage: `after` is not a cursor.
    """
    size, start = _size(first), _decode(after)
    viewer = await info.context.viewer()

    def load_pages(parents: list[UUID]) -> dict[UUID, list[M]]:
        wanted = rows(viewer).filter(**{f"{parent_field}__in": parents})
        if start is not None:
            wanted = wanted.filter(pk__lt=start)
        place = Window(RowNumber(), partition_by=F(parent_field), order_by=F("pk").desc())
        numbered = wanted.annotate(place_in_page=place).filter(place_in_page__lte=size + 1)
        pages: dict[UUID, list[M]] = {}
        for row in numbered.order_by("-pk"):
            pages.setdefault(getattr(row, parent_field), []).append(row)
        return pages

    def load_counts(parents: list[UUID]) -> dict[UUID, int]:
        wanted = rows(viewer).filter(**{f"{parent_field}__in": parents}).order_by()
        counted = wanted.values_list(parent_field).annotate(Count("pk"))
        return dict(counted)

    async def count() -> int:
        counts = info.context.loader((rows, parent_field, "count"), lambda: load_counts)
        return await counts.load(parent_id) or 0

    pages = info.context.loader((rows, parent_field, size, start), lambda: load_pages)
    found = await pages.load(parent_id) or []
    return _connection(found, size=size, after=start, convert=convert, count=count)


def _connection(
    found: list[M],
    *,
    size: int,
    after: UUID | None,
    convert: Callable[[M], T],
    count: Callable[[], Awaitable[int]],
) -> Connection[T]:
    edges: list[Edge[Any]] = [Edge(cursor=_encode(row.pk), node=convert(row)) for row in found]
    shown = edges[:size]
    return Connection(
        edges=shown,
        page_info=PageInfo(
            has_next_page=len(edges) > size,
            has_previous_page=after is not None,
            start_cursor=shown[0].cursor if shown else None,
            end_cursor=shown[-1].cursor if shown else None,
        ),
        count=count,
    )


def _size(first: int | None) -> int:
    # The guard has refused everything else before execution; this is the second lock.
    return max(1, min(first or LARGEST_PAGE, LARGEST_PAGE))


def _encode(key: UUID) -> str:
    return base64.urlsafe_b64encode(key.bytes).decode().rstrip("=")


def _decode(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return UUID(bytes=raw)
    except (binascii.Error, ValueError) as error:
        raise BadPage("`after` is not a cursor of this list.", path=("after",)) from error
