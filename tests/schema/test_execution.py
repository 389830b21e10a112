"""Going through an operation a level at a time answers what graphql-core answers."""

import asyncio
import gc
import json
from collections.abc import AsyncGenerator, Iterator
from enum import Enum
from typing import Any, Self

import pytest
import strawberry
from graphql import GraphQLError, get_introspection_query
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strawberry.dataloader import DataLoader
from strawberry.extensions.field_extension import FieldExtension
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from backend.schema.execution import LevelExecution


class Odd(Exception):
    """What resolvers here fail with."""


@strawberry.enum
class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.input
class Wish:
    size: int = 1
    colour: Colour = Colour.RED


class Shout(FieldExtension):
    async def resolve_async(self, next_: Any, source: Any, info: Any, **kwargs: Any) -> Any:
        return f"{await next_(source, info, **kwargs)}! at {info.path.key}"


@strawberry.interface
class Thing:
    number: int
    name: str
    absent: str | None = None
    colour: Colour = Colour.BLUE
    numbers: list[list[int]] = strawberry.field(default_factory=lambda: [[1, 2], []])
    gaps: list[int | None] = strawberry.field(default_factory=lambda: [1, None, 3])
    holes: list[int] | None = strawberry.field(default_factory=lambda: [1, None, 3])
    not_a_list: list[int] | None = 7  # type: ignore[assignment]
    missing: str = None  # type: ignore[assignment]

    @strawberry.field
    def sync(self, times: int = 1) -> str:
        return self.name * times

    @strawberry.field
    async def at_once(self) -> str:
        return self.name

    @strawberry.field
    async def soon(self, wish: Wish | None = None) -> str:
        for _ in range(self.number):
            await asyncio.sleep(0)
        return f"{self.name} {wish}"

    @strawberry.field
    async def later(self) -> str | None:
        await asyncio.sleep(0.0001 * self.number)
        return self.name

    @strawberry.field
    async def batched(self, info: strawberry.Info) -> "Thing | None":
        found: Thing | None = await info.context.load(self.number % 3)
        return found

    @strawberry.field
    def fails(self) -> str | None:
        raise Odd(self.name)

    @strawberry.field
    async def fails_hard(self) -> str:
        await asyncio.sleep(0)
        if self.number % 2:
            raise Odd(self.name)
        return self.name

    @strawberry.field
    async def gives_a_failure(self) -> str | None:
        return Odd(self.name)  # type: ignore[return-value]

    @strawberry.field(extensions=[Shout()])
    async def loud(self) -> str:
        return self.name

    @strawberry.field
    async def things(self, first: int = 2) -> list["Thing"]:
        return [make(self.number * 3 + each) for each in range(first)]

    @strawberry.field
    def some_things(self) -> list["Thing | None"] | None:
        return [make(self.number + 1), None, make(self.number + 2)]


@strawberry.type
class Box(Thing):
    @strawberry.field
    async def inside(self) -> "Ball":
        return Ball(number=self.number + 1, name="inside")

    @strawberry.field
    async def wrong(self) -> "Ball | None":
        return Odd  # type: ignore[return-value]


@strawberry.type
class Ball(Thing):
    bounces: bool = True

    @strawberry.field
    def twin(self) -> Self:
        return self


def make(number: int) -> Thing:
    return (Box if number % 2 else Ball)(number=number, name=f"thing {number}")


async def _load(keys: list[int]) -> list[Thing | None]:
    return [make(key) if key else None for key in keys]


@strawberry.type
class Query:
    @strawberry.field
    async def thing(self, number: int = 1) -> Thing:
        return make(number)

    @strawberry.field
    def maybe(self) -> Thing | None:
        return make(2)

    @strawberry.field
    def box(self) -> Box | None:
        return Box(number=3, name="box")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def change(self, info: strawberry.Info, by: int) -> Thing:
        before = info.root_value["sum"]
        await asyncio.sleep(0.001)
        info.root_value["sum"] = before + by
        return make(info.root_value["sum"])


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def each(self, to: int) -> AsyncGenerator[Thing]:
        for number in range(to):
            yield make(number)


class Quiet(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """They are what is compared."""


def schema_with(executor: type[StrawberryGraphQLCoreExecutionContext]) -> Quiet:
    return Quiet(Query, Mutation, Subscription, types=[Box, Ball], execution_context_class=executor)


OURS, THEIRS = schema_with(LevelExecution), schema_with(StrawberryGraphQLCoreExecutionContext)
HARMLESS = (
    *("number", "name", "absent", "colour", "numbers", "gaps", "holes", "notAList", "__typename"),
    *("twice: sync(times: 2)", "atOnce", "soon", "wished: soon(wish: { size: $size })", "later"),
    *("fails", "loud", "givesAFailure", "bad: soon(wish: { colour: $colour })"),
    *("... on Box { inside { bounces soon twin { later fails } } wrong { name } }",),
)
# Null goes up from these through all that was asked for: many of them leave little to compare.
RARE = ("failsHard", "missing")
BRANCHES = (
    "batched",
    "things",
    "more: things(first: $size)",
    "someThings",
    "... @include(if: $yes)",
)


def _selection(below: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    leaf = st.sampled_from(HARMLESS * 4 + RARE)
    branch = st.builds("{0} {{ {1} }}".format, st.sampled_from(BRANCHES), below)
    return st.lists(leaf | branch, min_size=1, max_size=5).map(" ".join)


selections = st.recursive(st.just("number name"), _selection, max_leaves=12)
queries = st.builds(
    "query ($size: Int!, $yes: Boolean!, $colour: Colour = BLUE) {{"
    " thing {{ {0} }} maybe {{ {1} }} a: box {{ used: soon(wish: {{ colour: $colour }}) }}"
    " unused: thing(number: $size) @skip(if: $yes) {{ {2} }} }}".format,
    *[selections] * 3,
)


async def both(query: str, variables: dict[str, Any] | None = None) -> list[Any]:
    results = [
        await each.execute(
            query,
            variable_values=variables,
            context_value=DataLoader(_load),
            root_value={"sum": 0},
        )
        for each in (OURS, THEIRS)
    ]
    await let_all_end()
    return results


async def let_all_end() -> None:
    # A batch may be on its way; and graphql-core goes on behind the answer with what nobody needs.
    if left := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(left, timeout=5)


def nulled(data: Any, path: list[str | int]) -> tuple[str | int, ...]:
    """The place on the way along `path` that is null."""
    for depth, key in enumerate(path):
        if data is None:
            return tuple(path[:depth])
        data = data[key]
    assert data is None
    return tuple(path)


@pytest.fixture
def collected() -> Iterator[None]:
    """What nobody refers to any more is found to be so in this test, not in a later one."""
    yield
    gc.collect()


# graphql-core forgets coroutines where a null goes up beside them.
@pytest.mark.usefixtures("collected")
@pytest.mark.filterwarnings("ignore:.*was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=queries, size=st.integers(0, 4), yes=st.booleans())
def test_any_query_is_answered_alike(query: str, size: int, yes: bool) -> None:
    ours, theirs = asyncio.run(both(query, {"size": size, "yes": yes}))

    assert all(error.path for error in ours.errors or ()), ours.errors
    assert json.dumps(ours.data) == json.dumps(theirs.data)
    assert places_of(ours) == places_of(theirs)
    if not any(field in query for field in (*RARE, "holes")):
        # No null has gone up and hidden other errors: they are the same, in another order.
        assert errors_of(ours) == errors_of(theirs)


@pytest.fixture
def quick_collections() -> Iterator[None]:
    """Garbage is looked for among what the test makes, not in all that was imported."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("quick_collections")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=queries)
def test_no_query_leaves_a_coroutine_behind(query: str) -> None:
    async def ask() -> None:
        variables = {"size": 2, "yes": True}
        await OURS.execute(query, variable_values=variables, context_value=DataLoader(_load))
        await let_all_end()

    asyncio.run(ask())
    # One that was never awaited is a warning, and a warning is a failure here.
    gc.collect()


def places_of(result: Any) -> set[tuple[str | int, ...]]:
    """Which nulls the errors have made."""
    return {_nulled(result.data, error.path) for error in result.errors or ()}


def _nulled(data: Any, path: list[str | int]) -> tuple[str | int, ...]:
    for depth, key in enumerate(path):
        if data is None:
            return tuple(path[:depth])
        data = data[key]
    assert data is None
    return tuple(path)


def errors_of(result: Any) -> list[tuple[str, str, str]]:
    """What the errors say, where, and about which part of the query."""
    return sorted(
        (str(error.path), error.message, str(error.locations)) for error in result.errors or ()
    )


async def test_mutations_come_one_after_the_other() -> None:
    query = "mutation { a: change(by: 1) { number soon } b: change(by: 2) { number failsHard } }"

    ours, theirs = await both(query)

    assert ours.data == theirs.data is None
    assert errors_of(ours) == errors_of(theirs)
    ours, theirs = await both(query.replace("by: 2", "by: 3"))
    assert ours.data == theirs.data
    assert ours.data["b"] == {"number": 4, "failsHard": "thing 4"}


async def test_each_item_of_a_subscription_is_gone_through() -> None:
    query = "subscription { each(to: 4) { number soon batched { name } fails failsHard } }"
    found = []
    for schema in (OURS, THEIRS):
        stream = await schema.subscribe(query, context_value=DataLoader(_load))
        found.append([(each.data, errors_of(each)) async for each in stream])

    assert found[0] == found[1]
    assert [data is None for data, _errors in found[0]] == [False, True, False, True]


async def test_the_looks_of_all_levels_that_can_share_a_batch_do() -> None:
    batches: list[list[int]] = []

    async def load(keys: list[int]) -> list[Thing | None]:
        batches.append(keys)
        return await _load(keys)

    await OURS.execute(
        "{ thing { things(first: 9) { batched { things(first: 3) { batched { name } } } } } }",
        context_value=DataLoader(load, cache=False),
    )

    assert len(batches) == 2


async def test_what_waits_is_ended_when_the_caller_goes_away() -> None:
    ended = asyncio.Event()

    @strawberry.type
    class Slow:
        @strawberry.field
        async def slow(self) -> str:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            return ""

    schema = strawberry.Schema(Slow, execution_context_class=LevelExecution)
    running = asyncio.create_task(schema.execute("{ slow }"))
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert ended.is_set()


@pytest.mark.parametrize("order", ["first second", "second first"])
async def test_a_failure_that_nobody_waits_for_any_more_is_no_error_of_the_server(
    order: str,
) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, found: complaints.append(found))

    async def fail(when: asyncio.Event) -> str:
        await when.wait()
        raise Odd

    @strawberry.type
    class Hard:
        @strawberry.field
        async def first(self) -> str:
            return await asyncio.ensure_future(fail(first))

        @strawberry.field
        async def second(self) -> str:
            return await asyncio.ensure_future(fail(second))

    schema = Quiet(Hard, execution_context_class=LevelExecution)
    running = asyncio.create_task(schema.execute(f"{{ {order} }}"))
    await asyncio.sleep(0.01)
    first.set()
    assert (await running).data is None
    second.set()
    await let_all_end()
    # The error's traceback holds what waited; asyncio complains when that goes.
    del running
    gc.collect()

    assert complaints == []


async def test_a_schema_describes_itself_alike() -> None:
    ours, theirs = await both(get_introspection_query())

    assert ours.errors is None
    assert json.dumps(ours.data) == json.dumps(theirs.data)
