"""Properties of the schema as a whole."""

import re
from collections.abc import Iterator
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
    is_non_null_type,
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


def described(type: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    """Everything public about a type, each with its description."""
    yield type.name, type.description
    if isinstance(type, GraphQLEnumType):
        for name, value in type.values.items():
            yield f"{type.name}.{name}", value.description
    if isinstance(type, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        fields: dict[str, GraphQLField | GraphQLInputField] = dict(type.fields)
        for name, field in fields.items():
            yield f"{type.name}.{name}", field.description
            for argument, definition in getattr(field, "args", {}).items():
                # A mutation's one input is described at its type.
                if argument != "input":
                    yield f"{type.name}.{name}({argument}:)", definition.description


WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
# Words that say nothing by themselves.
FILLERS = frozenset(
    WORD.findall(
        "a an and as be been by for from has have in is it its of on one or that the their them "
        "these this those to was what when where which who whose whether with"
    )
)


def says_nothing(name: str, description: str | None) -> bool:
    """Whether a description says no more than the name does."""
    named = {_stem(word) for word in WORD.findall(name)}
    said = {_stem(word) for word in WORD.findall(description or "")} - FILLERS
    return said <= named


def _stem(word: str) -> str:
    return word.lower().removesuffix("s")


@pytest.mark.parametrize(
    ("name", "description", "expected"),
    [
        ("Job.id", None, True),
        ("Job.id", "The id.", True),
        ("ApplyInput.jobId", "The job.", True),
        ("FilePayload.file", "The file.", True),
        ("Job.createdAt", "When it was drafted.", False),
        ("Job.reviewDays", "Days that the owner has for the review.", False),
    ],
)
def test_a_description_that_repeats_the_name_is_noticed(
    name: str, description: str | None, expected: bool
) -> None:
    assert says_nothing(name, description) is expected


@pytest.mark.parametrize("type", TYPES, ids=str)
def test_everything_public_is_described(type: GraphQLNamedType) -> None:
    assert [name for name, text in described(type) if says_nothing(name, text)] == []


@pytest.mark.parametrize("type", TYPES, ids=str)
def test_a_description_is_sentences(type: GraphQLNamedType) -> None:
    assert [name for name, text in described(type) if not (text or "").endswith(".")] == []


@pytest.mark.parametrize("type", [t for t in TYPES if isinstance(t, GraphQLObjectType)], ids=str)
def test_what_may_be_null_says_why(type: GraphQLObjectType) -> None:
    assert [
        f"{type.name}.{name}"
        for name, field in type.fields.items()
        if not is_non_null_type(field.type) and not SAYS_WHY_NULL.search(field.description or "")
    ] == []


# "Only to …" says that it is null to everybody else.
SAYS_WHY_NULL = re.compile(r"\b[Nn]ull\b|\bOnly to\b")


def test_every_mutation_says_what_a_repetition_does() -> None:
    mutation = CORE.mutation_type
    assert mutation is not None
    assert [
        name
        for name, field in mutation.fields.items()
        if not re.search("[Rr]epeat|repetition|Each call", field.description or "")
    ] == []


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
