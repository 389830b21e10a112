"""Executes selections a level at a time: one field for all objects side by side, then the next.

graphql-core goes from object to object, and for every field of every one of them it makes a path
and an info, coerces the arguments, and starts a task where the resolver is async. On a page with
fifty of everything that is most of the time. Going by field all this is done once per level, and
paths only where an error needs one. The root of a mutation stays with graphql-core, one field
after the other.

What comes out is the same; a test compares it with graphql-core's. See decision 0015.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from types import CoroutineType
from typing import Any, cast

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    OperationDefinitionNode,
    Undefined,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    located_error,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.executor import invalid_return_type_error
from graphql.execution.values import get_argument_values
from graphql.pyutils import AwaitableOrValue, Path, is_iterable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter, get_arguments
from strawberry.types.field import StrawberryField

Data = dict[str, Any]
Resolve = Callable[[list["_Object"]], list[Any]]


class Answers:
    """What operations have answered about one root value that is the same for whoever asks.

    One event has thousands of followers, who follow it with the same few documents: what one of
    them gets is what all get. Not for documents with directives, whose variables may leave
    something out. Whoever gets an answer must not change it.
    """

    MOST = 32

    def __init__(self) -> None:
        self._found: dict[int, tuple[OperationDefinitionNode, Data]] = {}

    def of(self, operation: OperationDefinitionNode) -> Data | None:
        """What it has answered already."""
        found = self._found.get(id(operation))
        return found[1] if found else None

    def keep(self, operation: OperationDefinitionNode, data: Data) -> None:
        """Answer the same the next time."""
        source = operation.loc.source.body if operation.loc else "@"
        if "@" not in source and len(self._found) < self.MOST:
            # With its operation, whose id() is nobody else's as long as it lives.
            self._found[id(operation)] = operation, data


class LevelExecution(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, except for how it goes through selections."""

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[Data]:
        """The selected fields of one object, with everything below them."""
        answers: Answers | None = getattr(source_value, "answers", None) if path is None else None
        if answers and (found := answers.of(self.operation)) is not None:
            return found
        levels = _Levels(self)
        root = _Object(source_value, {}, path)
        try:
            levels.enter(levels.selection(parent_type, grouped_field_set), [root])
        except Exception:
            levels.close()
            raise
        if levels.waiting:
            return levels.finish(root.data)
        if answers and not self.collected_errors.errors:
            answers.keep(self.operation, root.data)
        return root.data


class _Levels:
    """Below one object: what was selected of it, and which fields still wait for something."""

    def __init__(self, executor: LevelExecution) -> None:
        self.executor = executor
        self.waiting: list[_Waiting] = []
        self._selections: dict[tuple[str, _Selected], _Selection] = {}

    def enter(self, selection: "_Selection", objects: "list[_Object]") -> None:
        """Resolve what can be without waiting, down to the leaves; keep the rest in `waiting`."""
        for each in objects:
            # First all names, in their order: values come as they are ready.
            each.data.update(selection.nothing)
        for selected in selection.fields:
            values = selected.resolve(objects)
            waiting = [
                index for index, value in enumerate(values) if value.__class__ is CoroutineType
            ]
            if waiting:
                self.waiting.append(_Waiting(selected, objects, values, waiting))
            else:
                self._complete(selected, objects, values)

    async def finish(self, data: Data) -> Data:
        """Go on with whatever can go on, until nothing waits. Returns `data`.

        Raises:
            GraphQLError: the null of a field that must not be null has reached the top.
        """
        try:
            while self.waiting:
                moved = self.waiting
                for each in moved:
                    each.go_on()
                still = [each for each in moved if each.indexes]
                self.waiting = list(still)
                for each in moved:
                    if not each.indexes:
                        self._complete(each.selected, each.objects, each.values)
                # What is new begins before anything is waited for: so look-ups share a batch.
                if still and len(self.waiting) == len(still):
                    await _wait_for_any(still)
        finally:
            self.close()
        return data

    def close(self) -> None:
        """End what waits: nobody needs it any more."""
        for each in self.waiting:
            each.close()

    def selection(self, parent_type: GraphQLObjectType, grouped: GroupedFieldSet) -> "_Selection":
        """What to do for objects of `parent_type`."""
        fields = []
        for name, details in grouped.items():
            definition = self.executor.schema.get_field(parent_type, details[0].node.name.value)
            if definition is not None:
                fields.append(_Selected(self.executor, parent_type, name, details, definition))
        return _Selection(fields, dict.fromkeys(each.name for each in fields))

    def _selection_below(self, selected: "_Selected", type_: GraphQLObjectType) -> "_Selection":
        key = (type_.name, selected)
        if key not in self._selections:
            grouped = self.executor.collect_subfields(type_, selected.details).grouped_field_set
            self._selections[key] = self.selection(type_, grouped)
        return self._selections[key]

    def _complete(self, selected: "_Selected", objects: "list[_Object]", values: list[Any]) -> None:
        name, shape, leaf = selected.name, selected.shape, selected.shape.leaf
        if leaf is None:
            self._complete_at(selected, shape, [selected.place(each) for each in objects], values)
            return
        for each, value in zip(objects, values, strict=True):
            if value is not None:
                try:
                    each.data[name] = leaf(value)
                except Exception as error:
                    self._fail(selected, selected.place(each), error)
            elif not shape.nullable:
                self._fail(selected, selected.place(each), selected.must_not_be_null())

    def _complete_at(
        self, selected: "_Selected", shape: "_Shape", places: "list[_Place]", values: list[Any]
    ) -> None:
        below: dict[GraphQLObjectType, list[_Object]] = {}
        items: list[tuple[_Place, Any]] = []
        for place, value in zip(places, values, strict=True):
            try:
                if isinstance(value, Exception):
                    raise value
                if value is None or value is Undefined:
                    if not shape.nullable:
                        raise selected.must_not_be_null()
                elif shape.leaf is not None:
                    place.container[place.key] = shape.leaf(value)
                elif shape.item is not None:
                    items += selected.items(shape.item, place, value)
                else:
                    type_ = selected.runtime_type(shape, value, place)
                    found = _Object(value, {}, place)
                    place.container[place.key] = found.data
                    below.setdefault(type_, []).append(found)
            except Exception as error:
                self._fail(selected, place, error)
        if shape.item is not None and items:
            self._complete_at(selected, shape.item, *map(list, zip(*items, strict=True)))
        for type_, objects in below.items():
            self.enter(self._selection_below(selected, type_), objects)

    def _fail(self, selected: "_Selected", place: "_Place", error: Exception) -> None:
        # GraphQL specification, "Handling Execution Errors": null goes up until it may stand.
        located = located_error(error, selected.nodes, _path(place).as_list())
        spot: _Place | Path | None = place
        while isinstance(spot, _Place) and not spot.nullable:
            spot = spot.above
        if not isinstance(spot, _Place):
            raise located
        spot.container[spot.key] = None
        self.executor.collected_errors.add(located, _path(spot))


@dataclass(slots=True)
class _Place:
    """Where a value stands in the answer."""

    above: "_Place | Path | None"
    container: Any
    key: str | int
    typename: str | None
    nullable: bool


@dataclass(slots=True)
class _Object:
    """An object whose fields are resolved into `data`."""

    source: Any
    data: Data
    place: _Place | Path | None


def _path(place: _Place) -> Path:
    above = _path(place.above) if isinstance(place.above, _Place) else place.above
    return Path(above, place.key, place.typename)


@dataclass(slots=True)
class _Waiting:
    """A field of which some values, those at `indexes`, are coroutines on their way.

    They are moved on from here and not by tasks of their own, which would cost more than most of
    them do. So a resolver below a mutation's root may await futures, but not ask for its task.
    """

    selected: "_Selected"
    objects: list[_Object]
    values: list[Any]
    indexes: list[int]
    futures: dict[int, asyncio.Future[Any] | None] = field(default_factory=dict)

    def go_on(self) -> None:
        """Move every coroutine on whose future is done, and those not begun."""
        still = []
        for index in self.indexes:
            future = self.futures.get(index)
            if future is not None and not future.done():
                still.append(index)
                continue
            try:
                future = self.futures[index] = self.values[index].send(None)
                if future is not None:
                    # A future remembers that somebody has begun to wait for it, until whoever
                    # moves them has seen it. Several may wait for one.
                    future._asyncio_future_blocking = False
                still.append(index)
            except StopIteration as end:
                self.values[index] = end.value
            except Exception as error:
                self.values[index] = error
        self.indexes = still

    def close(self) -> None:
        """End the coroutines, whose values nobody needs any more."""
        for index in self.indexes:
            cast("Coroutine[Any, Any, Any]", self.values[index]).close()
            if future := self.futures.get(index):
                # Unless somebody looks, asyncio logs its failure as one that was overlooked.
                future.add_done_callback(_look_at)


def _look_at(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


async def _wait_for_any(running: Iterable[_Waiting]) -> None:
    futures = {each.futures[index] for each in running for index in each.indexes}
    if None in futures:
        # A bare `yield`, as of asyncio.sleep(0).
        await asyncio.sleep(0)
    else:
        waited_for = cast("set[asyncio.Future[Any]]", futures)
        await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)


@dataclass(slots=True)
class _Selection:
    """Fields selected of one type. `nothing` has their names, in the order of the answer."""

    fields: "list[_Selected]"
    nothing: Data


class _Selected:
    """A selected field of a type: how it is resolved, and what its values become."""

    def __init__(
        self,
        executor: LevelExecution,
        parent_type: GraphQLObjectType,
        name: str,
        details: FieldDetailsList,
        definition: GraphQLField,
    ) -> None:
        self.name = name
        self.details = details
        self.shape = _shape(definition.type)
        self._executor = executor
        self._parent_type = parent_type
        self._definition = definition
        self.nodes: list[FieldNode] = [each.node for each in details]
        self.resolve = self._guarded(self._resolver())

    def place(self, of: _Object) -> _Place:
        """Where its value stands in an object."""
        return _Place(of.place, of.data, self.name, self._parent_type.name, self.shape.nullable)

    def items(self, shape: "_Shape", place: _Place, value: Any) -> list[tuple[_Place, Any]]:
        """The places and values of a list's items.

        Raises:
            GraphQLError: it is no list.
        """
        if not is_iterable(value):
            parent = self._parent_type
            raise GraphQLError(
                "Expected Iterable, but did not find one for field"
                f" '{parent}.{self.nodes[0].name.value}'."
            )
        found = list(value)
        listed: list[Any] = [None] * len(found)
        place.container[place.key] = listed
        return [
            (_Place(place, listed, index, None, shape.nullable), item)
            for index, item in enumerate(found)
        ]

    def runtime_type(self, shape: "_Shape", value: Any, place: _Place) -> GraphQLObjectType:
        """Which object type a value has.

        Raises:
            GraphQLError: none that may stand here.
        """
        type_ = shape.named
        if is_abstract_type(type_):
            info = self._info(_path(place))
            choose = type_.resolve_type or self._executor.type_resolver
            type_ = self._executor.ensure_valid_runtime_type(
                choose(value, info, type_), type_, self.details, info, value
            )
        object_type = cast("GraphQLObjectType", type_)
        belongs = object_type.is_type_of
        if belongs is None or value.__class__ is _class_of(object_type):
            return object_type
        if not belongs(value, self._info(_path(place))):
            raise invalid_return_type_error(object_type, value, self.details)
        return object_type

    def must_not_be_null(self) -> TypeError:
        """What graphql-core says to a null where none may be."""
        return TypeError(
            "Cannot return null for non-nullable field"
            f" {self._parent_type}.{self.nodes[0].name.value}."
        )

    def _guarded(self, resolve: Callable[[_Object], Any]) -> Resolve:
        def resolve_all(objects: list[_Object]) -> list[Any]:
            values = []
            for each in objects:
                try:
                    values.append(resolve(each))
                except Exception as error:
                    values.append(error)
            return values

        return resolve_all

    def _resolver(self) -> Callable[[_Object], Any]:
        ours = self._definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if not isinstance(ours, StrawberryField) or ours.is_subscription or ours.extensions:
            return self._resolve_alone()
        if ours.base_resolver is None:
            attribute = ours.python_name
            return lambda each: getattr(each.source, attribute)
        if ours.base_resolver.parent_parameter or ours.base_resolver.root_parameter:
            return self._resolve_alone()
        return self._resolve_together(ours)

    def _resolve_alone(self) -> Callable[[_Object], Any]:
        """As graphql-core does it, with an info for each object."""
        resolve = self._definition.resolve or self._executor.field_resolver

        def resolve_one(each: _Object) -> Any:
            info = self._info(_path(self.place(each)))
            return resolve(each.source, info, **self._arguments())

        return resolve_one

    def _resolve_together(self, ours: StrawberryField) -> Callable[[_Object], Any]:
        """With the same info and the same arguments for all. (The info has no path.)"""
        resolver = ours.base_resolver
        assert resolver is not None
        converter = self._executor.schema._strawberry_schema.schema_converter  # type: ignore[attr-defined]
        info = converter.config.info_class(_raw_info=self._info(None), _field=ours)
        try:
            _self, arguments = get_arguments(
                field=ours,
                source=None,
                info=info,
                kwargs=self._arguments(),
                config=converter.config,
                scalar_registry=converter.scalar_registry,
            )
        except Exception as error:
            refusal = error

            def refuse(each: _Object) -> Any:
                raise refusal

            return refuse
        function = cast("Callable[..., Any]", resolver.wrapped_func)
        if resolver.self_parameter:
            return lambda each: function(each.source, **arguments)
        return lambda each: function(**arguments)

    def _arguments(self) -> dict[str, Any]:
        first = self.details[0]
        return get_argument_values(
            self._definition,
            first.node,
            self._executor.variable_values,
            first.fragment_variable_values,
            self._executor.hide_suggestions,
        )

    def _info(self, path: Path | None) -> Any:
        return self._executor.build_resolve_info(
            self._definition, self.nodes, self._parent_type, cast("Path", path)
        )


@dataclass(frozen=True, slots=True)
class _Shape:
    """An output type, taken apart: a list has an `item`, a leaf a function, else it is `named`."""

    nullable: bool
    named: GraphQLOutputType
    item: "_Shape | None" = None
    leaf: Callable[[Any], Any] | None = None


@lru_cache(maxsize=1024)
def _shape(type_: GraphQLOutputType) -> _Shape:
    nullable = not is_non_null_type(type_)
    named: Any = cast("GraphQLNonNull[Any]", type_).of_type if not nullable else type_
    if is_list_type(named):
        return _Shape(nullable, named, item=_shape(named.of_type))
    return _Shape(nullable, named, leaf=_leaf(named) if is_leaf_type(named) else None)


def _leaf(type_: Any) -> Callable[[Any], Any]:
    complete = LevelExecution.complete_leaf_value
    plain = {"String": str, "ID": str, "Boolean": bool}.get(type_.name)
    known: dict[Any, Any] = {}

    def complete_plain(value: Any) -> Any:
        if value.__class__ is plain:
            return value
        if isinstance(value, Exception):
            raise value
        return complete(type_, value)

    def complete_member(value: Any) -> Any:
        if isinstance(value, Exception):
            raise value
        if value not in known:
            known[value] = complete(type_, value)
        return known[value]

    return complete_member if isinstance(type_, GraphQLEnumType) else complete_plain


@lru_cache(maxsize=1024)
def _class_of(type_: GraphQLObjectType) -> type | None:
    definition = type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return getattr(definition, "origin", None)
