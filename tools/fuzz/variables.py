"""Sending the same with variables: values then come as JSON, where other mistakes can be made."""

import json
import random
from dataclasses import replace
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLField,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    parse,
    parse_type,
    print_ast,
    value_from_ast_untyped,
)

# What stands in a JSON value in place of what belongs there.
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    2**64,
    1.5,
    1e308,
    "",
    "\t",
    "\u202e",
    [],
    {},
)
ODD += ([None], {"": None}, "é" * 6000, "😀", [[[]]], "0", "null", -0.0)
# Of ten requests, how many have one odd value.
ODD_REQUESTS = 4


def with_variables(text: str, field: GraphQLField, rng: random.Random) -> bytes:
    """The body of a request that sends the arguments of the document's one root field as JSON."""
    document = parse(text)
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    (root,) = operation.selection_set.selections
    assert isinstance(root, FieldNode)
    values: dict[str, Any] = {}
    definitions, arguments = [], []
    for argument in root.arguments or ():
        name = argument.name.value
        known = field.args.get(name)
        if known is None:
            arguments.append(argument)
            continue
        variable = VariableNode(name=NameNode(value=name))
        definitions.append(
            VariableDefinitionNode(variable=variable, type=parse_type(str(known.type)))
        )
        arguments.append(replace(argument, value=variable))
        values[name] = value_from_ast_untyped(argument.value)
    if rng.randrange(10) < ODD_REQUESTS:
        _spoil(values, rng)
    changed = replace(
        operation,
        variable_definitions=tuple(definitions),
        selection_set=SelectionSetNode(selections=(replace(root, arguments=tuple(arguments)),)),
    )
    query = print_ast(DocumentNode(definitions=(changed,)))
    return json.dumps({"query": query, "variables": values}).encode()


def _spoil(values: dict[str, Any], rng: random.Random) -> None:
    """Put something odd in one place, inside of an input object where there is one."""
    places = [place for each in values.values() for place in _places(each)] or [
        (values, name) for name in values
    ]
    if places:
        container, key = rng.choice(places)
        container[key] = rng.choice(ODD)


def _places(value: Any) -> list[tuple[Any, Any]]:
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [(value, key) for key, _ in items] + [
        place for _, each in items for place in _places(each)
    ]
