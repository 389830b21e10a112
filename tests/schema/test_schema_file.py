"""Properties of the schema as a whole."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)
from strawberry.types.base import StrawberryObjectDefinition

from backend.schema import schema
from backend.schema.nodes import Node
from backend.schema.permissions import RULES, visible_rows
from tests.schema.client import data_of, execute

CORE = schema._schema
ROOTS = {"Query", "Mutation", "Subscription"}
# Scalars and enums that libraries describe, or whose values speak for themselves.
TYPES = [
    type
    for type in CORE.type_map.values()
    if not is_introspection_type(type) and not is_specified_scalar_type(type)
]
OBJECTS = [type for type in TYPES if isinstance(type, GraphQLObjectType)]


def rule_name(type: GraphQLObjectType) -> str:
    """A generic's instances (JobConnection) have the rule of the generic (Connection)."""
    definition = schema.schema_converter.type_map[type.name].definition
    assert isinstance(definition, StrawberryObjectDefinition)
    return definition.name if definition.name in RULES else definition.origin.__name__


@pytest.mark.parametrize("type", [t for t in OBJECTS if t.name not in ROOTS], ids=str)
def test_every_object_type_has_a_rule(type: GraphQLObjectType) -> None:
    assert rule_name(type) in RULES


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(Node.types))
def test_every_node_has_rows_and_a_rule_for_visitors(name: str) -> None:
    assert name in CORE.type_map
    assert visible_rows(name, None) is not None


def described(type: GraphQLNamedType) -> list[tuple[str, str | None]]:
    """Everything public about a type, with its description."""
    found = [] if type.name in ROOTS else [(type.name, type.description)]
    if isinstance(type, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        fields: dict[str, GraphQLField | GraphQLInputField] = dict(type.fields)
        found += [(f"{type.name}.{name}", field.description) for name, field in fields.items()]
    return found


@pytest.mark.parametrize("type", TYPES, ids=str)
def test_everything_public_is_described(type: GraphQLNamedType) -> None:
    assert [name for name, description in described(type) if not description] == []


def test_every_connection_asks_for_a_page_size() -> None:
    for type in OBJECTS:
        for name, field in type.fields.items():
            if get_named_type(field.type).name.endswith("Connection"):
                assert {"first", "after"} <= set(field.args), f"{type.name}.{name}"


def test_every_mutation_takes_one_input_and_answers_with_errors() -> None:
    mutation = CORE.mutation_type
    assert mutation is not None
    for name, field in mutation.fields.items():
        payload = get_named_type(field.type)
        assert isinstance(payload, GraphQLObjectType)
        assert str(payload.fields["errors"].type) == "[UserError!]!", name
        assert set(field.args) == {"input"} or name == "logOut", name


def test_enums_carry_members_not_texts() -> None:
    # A schema sorted by Strawberry hands the resolver a text instead of the enum's member.
    for type in TYPES:
        if isinstance(type, GraphQLEnumType):
            for value in type.values.values():
                assert value.value is not None


def test_no_type_is_a_union_or_an_unbounded_scalar() -> None:
    allowed = {"UInt64", "URL", "EventCursor", "DateTime", "UUID"}
    for type in TYPES:
        assert not isinstance(type, GraphQLUnionType)
        if isinstance(type, GraphQLScalarType):
            assert type.name in allowed


def test_the_exported_schema_is_the_one_that_runs() -> None:
    exported = (Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8")

    assert exported.rstrip() == schema.as_str().rstrip(), (
        "run `make schema` and commit schema.graphql"
    )


@pytest.mark.django_db
def test_health_is_served_to_everybody() -> None:
    health = data_of(execute("{ health { status service checks { name ok } } }"))["health"]

    assert (health["status"], health["service"]) == ("ok", "payments")
    assert {"name": "database", "ok": True} in health["checks"]
