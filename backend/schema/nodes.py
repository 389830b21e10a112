"""Global ids and the objects behind them."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self, TypeVar
from uuid import UUID

import strawberry
from django.utils.translation import gettext_lazy as _

from backend.errors import NotFound
from backend.ids import global_id, read_global_id
from backend.schema.context import Info
from backend.schema.permissions import visible_rows

N = TypeVar("N", bound="Node")


def encode_id(type_name: str, key: UUID) -> strawberry.ID:
    """The global id of the row `key` of a GraphQL type."""
    return strawberry.ID(global_id(type_name, key))


def decode_any_id(value: str, *, path: tuple[str, ...]) -> tuple[str, UUID]:
    """The type name and key in a global id.

    Raises:
        NotFound: it is not one; `path` says which input it was.
    """
    found = read_global_id(value)
    if found is None:
        raise NotFound(_("There is no object with this id."), path=path)
    return found


def decode_id(value: str, *, type_name: str, path: tuple[str, ...]) -> UUID:
    """The key in the global id of a `type_name`.

    Raises:
        NotFound: it is malformed or the id of another type.
    """
    name, key = decode_any_id(value, path=path)
    if name != type_name:
        raise NotFound(_("This is not the id of a {type}."), path=path, type=type_name)
    return key


def decode_ids(values: Sequence[str] | None, *, type_name: str, path: str) -> list[UUID]:
    """The keys in the global ids of several `type_name`s; None is an empty list.

    Raises:
        NotFound: one is malformed or the id of another type.
    """
    return [decode_id(value, type_name=type_name, path=(path,)) for value in values or ()]


@strawberry.interface(description="Anything that has an id and can be read by it.")
class Node:
    """Base of all types with rows of their own: subclasses give `from_model` and a rule."""

    types: ClassVar[dict[str, type["Node"]]] = {}
    key: strawberry.Private[UUID]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Node.types[cls.__name__] = cls

    @strawberry.field(
        description="Its name for ever, among objects of all types. Opaque; `node` takes it."
    )
    def id(self) -> strawberry.ID:
        return encode_id(type(self).__name__, self.key)

    @classmethod
    def from_model(cls, row: Any) -> Self:
        # Each type says. Strawberry makes dataclasses of them, also of what is abstract.
        raise NotImplementedError


async def load_node(info: Info, cls: type[N], key: UUID) -> N | None:
    """The object, or None when it does not exist for the viewer; batched within an operation."""
    viewer = await info.context.viewer()

    def load(keys: list[UUID]) -> dict[UUID, N]:
        rows = visible_rows(cls.__name__, viewer).filter(pk__in=keys)
        return {row.pk: cls.from_model(row) for row in rows}

    return await info.context.loader((cls, "visible"), lambda: load).load(key)


async def node(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The `id` of whatever type.")],
) -> Node | None:
    """Any object by its global id; None when it does not exist for the viewer."""
    try:
        type_name, key = decode_any_id(id, path=("id",))
        return await load_node(info, Node.types[type_name], key)
    except (NotFound, LookupError):
        return None


async def node_of(info: Info, cls: type[N], id: strawberry.ID) -> N | None:
    """An object of one type by its global id; None when it does not exist for the viewer."""
    try:
        return await load_node(info, cls, decode_id(id, type_name=cls.__name__, path=("id",)))
    except NotFound:
        return None
