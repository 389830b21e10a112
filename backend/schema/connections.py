"""Pages of rows, in the order of their query, with cursors that stay put when rows are added.

A cursor is the place of a row: its values in the columns of the order, the last of which is the
key. It is sealed together with the list it came from (which rows, which filter, which order), so
that a cursor of another list is refused instead of leading somewhere.
"""

import asyncio
import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar, cast
from uuid import UUID

import strawberry
from django.conf import settings
from django.db.models import BooleanField, Count, F, Field, Func, Model, Q, QuerySet, Value, Window
from django.db.models.functions import RowNumber
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode

from backend.accounts.models import User
from backend.errors import ErrorCode, FaenaError
from backend.schema.context import Context, Info
from backend.schema.permissions import WITH_PARENT, rule

T = TypeVar("T")
M = TypeVar("M", bound=Model)

LARGEST_PAGE = 100
First = Annotated[
    int | None, strawberry.argument(description=f"How many to list: 1 to {LARGEST_PAGE}.")
]
After = Annotated[
    str | None,
    strawberry.argument(
        description="What stands behind this cursor. Left out: from the list's start."
    ),
]
# Counting stops here: it costs what reading the largest page does, however long the list is.
MOST_COUNTED = LARGEST_PAGE
SEAL_BYTES = 9
_COUNTS = frozenset({"totalCount", "totalCountIsExact"})


class BadPage(FaenaError):
    """`after` or `before` is not a cursor of this list."""

    code = ErrorCode.BAD_CURSOR


@rule(WITH_PARENT)
@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(
        description="Whether there is more behind; with `last`, whether the page had a `before`."
    )
    has_previous_page: bool = strawberry.field(
        description="With `last`, whether there is more ahead; else whether it had an `after`."
    )
    start_cursor: str | None = strawberry.field(
        description=(
            "What `before` takes to page back. Null on an empty page, unless a search stopped "
            "looking there."
        )
    )
    end_cursor: str | None = strawberry.field(
        description=(
            "What `after` takes to go on. Null on an empty page, unless a search stopped looking "
            "there: a page of it may have fewer objects than asked for, or none, while there are "
            "more."
        )
    )


@rule(WITH_PARENT)
@strawberry.type(description="An object in a list, and its cursor.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Pass as `after` to continue behind this edge.")
    node: T = strawberry.field(description="What is listed.")


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows a list has; when it is not exact there are more."""

    number: int
    exact: bool = True


@rule(WITH_PARENT)
@strawberry.type(description="A page of a list. A page size is required: 1 to 100.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(
        description="What is on this page, in the list's order."
    )
    page_info: PageInfo = strawberry.field(description="Whether there is more, and how to go on.")
    count: strawberry.Private[Callable[[], Awaitable[Counted]]]

    @strawberry.field(
        description="How many objects the whole list has, if totalCountIsExact; else at least that."
    )
    async def total_count(self) -> int:
        return (await self.count()).number

    @strawberry.field(
        description="False when counting stopped early, which it does in lists above 100."
    )
    async def total_count_is_exact(self) -> bool:
        return (await self.count()).exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which part of a list is wanted: `first` rows behind `after`, or `last` rows before `before`.

    `list_name` says which list this is, filter included: cursors of one are refused by others.
    """

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None
    list_name: str = ""

    @property
    def size(self) -> int:
        """Rows of the page."""
        # The guard has refused everything else before execution; this is the second lock.
        return max(1, min(self.first or self.last or LARGEST_PAGE, LARGEST_PAGE))

    @property
    def from_the_end(self) -> bool:
        """Whether the page is counted from the list's end."""
        return self.first is None and self.last is not None


@dataclass(frozen=True, slots=True)
class Part:
    """How far one page looks: at the next `at_most` of `among`, which has the list's order.

    What is not found there is left to the next page, so that none takes long. The viewer need
    not see all of `among`.
    """

    among: QuerySet[Any]
    at_most: int

    def end(self, place: "_Place", span: Span) -> tuple[Any, ...] | None:
        """The last place to look at for the page `span`; None when the list ends before it."""
        rows = self.among.reverse() if span.from_the_end else self.among
        if span.after is not None:
            rows = rows.filter(place.beyond(span.after, argument="after"))
        if span.before is not None:
            rows = rows.filter(place.ahead_of(span.before, argument="before"))
        # These columns are in an index: the rows that are passed over are not read.
        row = rows.values_list(*place.columns)[self.at_most : self.at_most + 1].first()
        if row is None:
            return None
        # It may be a row that the viewer must not know of. A place beside it does as well: the
        # last 32 bits of a UUIDv7 are chance, and what is before them differs from row to row.
        *before, key = row
        return (*before, UUID(int=key.int >> 32 << 32))


async def page(
    info: Info,
    rows: QuerySet[M],
    span: Span,
    *,
    convert: Callable[[M], T],
    part: Part | None = None,
    by_key: QuerySet[M] | None = None,
) -> Connection[T]:
    """One page of `rows`, which the caller has already restricted to what the viewer may see.

    The order is that of the query, newest first if it has none. Its columns must all point one
    way, never be null, and end with the key. With a `part` a page can have fewer rows than it
    was asked for, or none, while there are more: its cursors say where the next one continues.
    `by_key` is for rows that take longer to find than to read: all of the model's, to read those
    of the page from, once they are found and counted in one go.

    Raises:
        BadPage: `after` or `before` is not a cursor of this list.
    """
    ordered = wanted = rows if rows.query.order_by else rows.order_by("-pk")
    place = _Place.of(ordered, list_name=span.list_name)
    if span.after is not None:
        wanted = wanted.filter(place.beyond(span.after, argument="after"))
    if span.before is not None:
        wanted = wanted.filter(place.ahead_of(span.before, argument="before"))
    if span.from_the_end:
        wanted = wanted.reverse()

    is_first = span.after is None and span.before is None
    found_first = by_key if is_first and not span.from_the_end and _counts(info) else None

    def read() -> tuple[list[M], tuple[Any, ...] | None, int]:
        end = part.end(place, span) if part else None
        near = wanted if end is None else wanted.filter(place.up_to(end, span))
        if found_first is None:
            rows = list(near[: span.size + 1])
            return rows, end, len(rows)
        places = list(near.values_list(*place.columns)[: MOST_COUNTED + 1])
        there = found_first.in_bulk([values[-1] for values in places[: span.size]])
        rows = []
        for values in places[: span.size]:
            if (row := there.get(values[-1])) is not None:
                # Where the order is by what was computed, its cursor needs that.
                vars(row).update(zip(place.columns[:-1], values[:-1], strict=True))
                rows.append(row)
        return rows, end, len(places)

    found, end, number = await info.context.db(read)
    is_full = number > span.size
    shown = found[: span.size]
    if span.from_the_end:
        shown.reverse()
    counting: list[asyncio.Future[Counted]] = []

    def counted() -> Counted:
        if part is None or (is_first and not span.from_the_end):
            return _count(ordered, place, end)
        return _count(ordered, place, part.end(place, Span()))

    async def count() -> Counted:
        if found_first is not None or (is_first and not is_full):
            return _capped(number, exact=end is None)
        # Once, however many fields ask.
        if not counting:
            counting.append(asyncio.ensure_future(info.context.db(counted)))
        return await counting[0]

    page_info = _page_info(shown, span, place, more=is_full or end is not None)
    if end is not None and not is_full:
        cursor = place.cursor_at(end)
        if span.from_the_end:
            page_info.start_cursor = cursor
        else:
            page_info.end_cursor = cursor
    return Connection(
        edges=[Edge(cursor=place.cursor_of(row), node=convert(row)) for row in shown],
        page_info=page_info,
        count=count,
    )


async def nested_page(
    info: Info,
    rows: Callable[[User | None], QuerySet[M]],
    *,
    parent_field: str,
    parent_id: UUID,
    convert: Callable[[M], T],
    first: int | None,
    after: str | None,
    children: Callable[[list[UUID]], Q] | None = None,
) -> Connection[T]:
    """A page of one parent's `rows`, newest first, read together with the pages of its siblings.

    `rows(viewer)` says what the viewer may see; it must be a plain function, the same object each
    time. `parent_field` is the foreign key's attribute, such as "job_id". Where that is computed,
    `children(parents)` says in columns of the table which rows are theirs: what is computed, no
    index can find.

    Raises:
        BadPage: `after` is not a cursor of such a list.
    """
    viewer = await info.context.viewer()
    size = Span(first=first).size
    pages = info.context.once(
        (rows, parent_field, size, after),
        lambda: _NestedPages(info.context, rows(viewer), parent_field, size, after, children),
    )
    found = await pages.rows.load(parent_id) or []
    shown = found[:size]
    span = Span(first=first, after=after, list_name=parent_field)

    async def count() -> Counted:
        return Counted(await pages.counts.load(parent_id) or 0)

    return Connection(
        edges=[Edge(cursor=pages.place.cursor_of(row), node=convert(row)) for row in shown],
        page_info=_page_info(shown, span, pages.place, more=len(found) > size),
        count=count,
    )


def newest_of_each(rows: QuerySet[M], *, parent_field: str, most: int) -> QuerySet[M]:
    """The newest `most` rows of each parent: what a list without pages may have in it."""
    number = Window(RowNumber(), partition_by=F(parent_field), order_by=F("pk").desc())
    newest = rows.annotate(place_in_list=number).filter(place_in_list__lte=most)
    return cast("QuerySet[M]", newest)


class _NestedPages(Generic[M]):
    """The pages, and the counts, of all parents that ask for one like it."""

    def __init__(
        self,
        context: Context,
        rows: QuerySet[M],
        parent_field: str,
        size: int,
        after: str | None,
        children: Callable[[list[UUID]], Q] | None,
    ) -> None:
        ordered = rows.order_by("-pk")
        self.place = _Place.of(ordered, list_name=parent_field)
        behind = None if after is None else self.place.beyond(after, argument="after")

        def children_of(parents: list[UUID]) -> Q:
            return children(parents) if children else Q((f"{parent_field}__in", parents))

        def load_pages(parents: list[UUID]) -> dict[UUID, list[M]]:
            wanted = ordered.filter(children_of(parents))
            if behind is not None:
                wanted = wanted.filter(behind)
            if len(parents) == 1:
                return {parents[0]: list(wanted[: size + 1])}
            pages: dict[UUID, list[M]] = {}
            for row in newest_of_each(wanted, parent_field=parent_field, most=size + 1):
                pages.setdefault(getattr(row, parent_field), []).append(row)
            return pages

        def load_counts(parents: list[UUID]) -> dict[UUID, int]:
            wanted = rows.filter(children_of(parents)).order_by()
            return dict(wanted.values_list(parent_field).annotate(Count("pk")))

        self.rows = context.batches(load_pages)
        self.counts = context.batches(load_counts)


def _page_info(found: Sequence[Model], span: Span, place: "_Place", *, more: bool) -> PageInfo:
    return PageInfo(
        has_next_page=span.before is not None if span.from_the_end else more,
        has_previous_page=more if span.from_the_end else span.after is not None,
        start_cursor=place.cursor_of(found[0]) if found else None,
        end_cursor=place.cursor_of(found[-1]) if found else None,
    )


def _count(rows: QuerySet[Any], place: "_Place", end: tuple[Any, ...] | None) -> Counted:
    if end is not None:
        rows = rows.filter(place.up_to(end, Span()))
    # In the list's order: then the database counts as it reads a page. Left free, it finds ways
    # that would be good for the whole list.
    return _capped(rows.values("pk")[: MOST_COUNTED + 1].count(), exact=end is None)


def _capped(number: int, *, exact: bool) -> Counted:
    return Counted(min(number, MOST_COUNTED), exact=exact and number <= MOST_COUNTED)


def _counts(info: Info) -> bool:
    """Whether this list is asked how many it has."""
    raw = info._raw_info
    waiting = [node.selection_set for node in raw.field_nodes]
    while waiting:
        chosen = waiting.pop()
        for selection in chosen.selections if chosen else ():
            if isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                waiting.append(raw.fragments[selection.name.value].selection_set)
            elif isinstance(selection, FieldNode) and selection.name.value in _COUNTS:
                return True
    return False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where rows stand in the order of a query, and how that is written as a cursor."""

    columns: tuple[str, ...]
    fields: "tuple[Field[Any, Any], ...]"
    descending: bool
    # The list's, and the MAC of it; each cursor's values are added to a copy.
    name: bytes
    mac: hmac.HMAC

    @classmethod
    def of(cls, rows: QuerySet[Any], *, list_name: str) -> "_Place":
        order = [str(each) for each in rows.query.order_by]
        columns = tuple(each.removeprefix("-") for each in order)
        (descending,) = {each.startswith("-") for each in order}
        fields = tuple(_field(rows, column) for column in columns)
        name = json.dumps([rows.model._meta.label, *order, list_name]).encode()
        return cls(columns, fields, descending, name, _mac(name))

    def cursor_of(self, row: Model) -> str:
        return self.cursor_at([getattr(row, column) for column in self.columns])

    def cursor_at(self, place: Sequence[object]) -> str:
        values = json.dumps([_plain(value) for value in place]).encode()
        seal = _seal(self.mac, values)
        return base64.urlsafe_b64encode(seal + values).decode().rstrip("=")

    def beyond(self, cursor: str, *, argument: str) -> "_RowCompare":
        """The rows behind that of `cursor`."""
        return self._compared(cursor, "<" if self.descending else ">", argument)

    def ahead_of(self, cursor: str, *, argument: str) -> "_RowCompare":
        """The rows before that of `cursor`."""
        return self._compared(cursor, ">" if self.descending else "<", argument)

    def up_to(self, end: Sequence[Any], span: Span) -> "_RowCompare":
        """The rows that come before `end` on the way of `span`, and one that is there."""
        return self._with(end, ">=" if self.descending is not span.from_the_end else "<=")

    def _compared(self, cursor: str, sign: str, argument: str) -> "_RowCompare":
        values = self._values(cursor)
        if values is None:
            raise BadPage(
                _("This is not a cursor of this list, in this order and with this filter."),
                path=(argument,),
            )
        return self._with(values, sign)

    def _with(self, values: Sequence[Any], sign: str) -> "_RowCompare":
        given = [
            Value(field.to_python(value), output_field=field)
            for field, value in zip(self.fields, values, strict=True)
        ]
        return _RowCompare(*[F(column) for column in self.columns], *given, sign=sign)

    def _values(self, cursor: str) -> list[Any] | None:
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        seal, values = raw[:SEAL_BYTES], raw[SEAL_BYTES:]
        # What the seal fits was written by cursor_of: it needs no further check.
        return list(json.loads(values)) if self._fits(seal, values) else None

    def _fits(self, seal: bytes, values: bytes) -> bool:
        if hmac.compare_digest(seal, _seal(self.mac, values)):
            return True
        # Of a page that was asked for before SECRET_KEY was changed.
        before = (_mac(self.name, key=key) for key in settings.SECRET_KEY_FALLBACKS)
        return any(hmac.compare_digest(seal, _seal(mac, values)) for mac in before)


def _mac(name: bytes, *, key: str | None = None) -> hmac.HMAC:
    return salted_hmac("cursor", name + b"\n", secret=key, algorithm="sha256")


def _seal(mac: hmac.HMAC, values: bytes) -> bytes:
    mac = mac.copy()
    mac.update(values)
    return mac.digest()[:SEAL_BYTES]


class _RowCompare(Func):
    """`(a, b) < (x, y)`: rows on one side of a place, as a condition that one index answers.

    Takes the columns, then as many values. (The same in ANDs and ORs reads all rows that tie.)
    """

    output_field = BooleanField()
    conditional = True

    def __init__(self, *columns_and_values: Any, sign: str) -> None:
        super().__init__(*columns_and_values)
        self.sign = sign

    def as_sql(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        compiled = [compiler.compile(each) for each in self.source_expressions]
        half = len(compiled) // 2
        left, right = (
            ", ".join(sql for sql, _params in part) for part in (compiled[:half], compiled[half:])
        )
        params = [param for _sql, some in compiled for param in some]
        return f"({left}) {self.sign} ({right})", params


def _field(rows: QuerySet[Any], column: str) -> "Field[Any, Any]":
    annotation = rows.query.annotations.get(column)
    if annotation is not None:
        return annotation.output_field
    model: Any = rows.model
    field: Field[Any, Any] = model._meta.pk if column == "pk" else model._meta.get_field(column)
    return field


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return value.hex
    return value.isoformat() if isinstance(value, datetime) else value
