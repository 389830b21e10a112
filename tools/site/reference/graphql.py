"""The GraphQL API's reference, from schema.graphql: what it says there, on pages that link."""

from collections.abc import Callable, Iterable, Mapping

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    Undefined,
    build_schema,
    get_named_type,
)

START = "reference/graphql.md"
# The pages, in their order, with a sentence about each.
PARTS = {
    "queries": "What can be read.",
    "mutations": "What can be done. What a mutation foresees comes back in its payload's `errors`.",
    "subscriptions": "What is told while it happens.",
    "objects": "What queries, mutations and subscriptions answer with.",
    "inputs": "What they take.",
    "enums": "Names that stand for one thing each.",
    "scalars": "Single values, as JSON writes them.",
}
ROOTS = {"queries": "Query", "mutations": "Mutation", "subscriptions": "Subscription"}
Member = GraphQLField | GraphQLArgument | GraphQLInputField


def pages(sdl: str) -> dict[str, str]:
    """The pages by their paths; `sdl` is the schema's own text."""
    types = {
        name: kind
        for name, kind in sorted(build_schema(sdl).type_map.items())
        if not name.startswith("__")
    }
    bodies = {part: _body(part, types) for part in PARTS}
    made = {
        f"reference/{part}.md": f"# {part.capitalize()}\n\n{PARTS[part]}\n\n{body}"
        for part, body in bodies.items()
    }
    return {START: _start(types), **made}


def _start(types: dict[str, GraphQLNamedType]) -> str:
    lines = [
        "# GraphQL",
        "",
        "Everything that the schema says, as pages. Programs take the text itself:",
        "`schema.graphql` in the repository, or introspection where it is allowed.",
        "",
    ]
    for part, root in ROOTS.items():
        lines += [f"## {part.capitalize()}", "", "| name | what it is for |", "|---|---|"]
        lines += [
            f"| [`{name}`]({part}.md#{name.lower()}) | {_first_sentence(field.description)} |"
            for name, field in _fields(types[root]).items()
        ]
        lines.append("")
    return "\n".join(lines)


def _body(part: str, types: dict[str, GraphQLNamedType]) -> str:
    if part in ROOTS:
        fields = _fields(types[ROOTS[part]])
        return "\n".join(_operation(name, field) for name, field in fields.items())
    return "\n".join(_type(kind) for name, kind in types.items() if _part_of(kind) == part)


def _operation(name: str, field: Member) -> str:
    assert isinstance(field, GraphQLField)
    lines = [f"## {name}", "", _text(field.description), ""]
    for argument in field.args.values():
        kind = get_named_type(argument.type)
        if isinstance(kind, GraphQLInputObjectType) and len(field.args) == 1:
            lines += [f"Takes {_reference(argument)}.", "", *_table("input", _fields(kind)), ""]
            break
    else:
        lines += [*_table("argument", field.args), ""] if field.args else []
    lines += [f"Answers with {_reference(field)}.", ""]
    answer = get_named_type(field.type)
    if answer.name.endswith("Payload"):
        lines += [*_table("payload", _fields(answer)), ""]
    return "\n".join(lines)


def _type(kind: GraphQLNamedType) -> str:
    lines = [f"## {kind.name}", "", _text(kind.description), ""]
    if isinstance(kind, GraphQLEnumType):
        rows = [(f"`{name}`", value.description) for name, value in kind.values.items()]
        return "\n".join([*lines, *_rows("value", rows), ""])
    if isinstance(kind, GraphQLUnionType):
        return "\n".join([*lines, f"One of {', '.join(map(_link, kind.types))}.", ""])
    if isinstance(kind, GraphQLObjectType) and kind.interfaces:
        lines += [f"Implements {', '.join(map(_link, kind.interfaces))}.", ""]
    if not isinstance(kind, GraphQLScalarType):
        lines += [*_table("field", _fields(kind)), ""]
        for name, field in _fields(kind).items():
            if isinstance(field, GraphQLField) and field.args:
                lines += [f"`{name}` takes:", "", *_table("argument", field.args), ""]
    return "\n".join(lines)


def _table(heading: str, members: Mapping[str, Member]) -> list[str]:
    rows = [(f"`{name}`: {_reference(member)}", _says(member)) for name, member in members.items()]
    return _rows(heading, rows)


def _rows(heading: str, rows: Iterable[tuple[str, str | None]]) -> list[str]:
    cells = [f"| {first} | {_cell(says)} |" for first, says in rows]
    return [f"| {heading} | |", "|---|---|", *cells]


def _says(member: Member) -> str:
    said = member.description or ""
    default = getattr(member, "default_value", Undefined)
    if default is not Undefined and default is not None:
        said += f" Left out: `{default}`."
    if member.deprecation_reason:
        said += f" *Deprecated: {member.deprecation_reason}*"
    return said


def _reference(member: Member) -> str:
    """The member's type as the schema writes it, linked."""
    named = get_named_type(member.type)
    return _link(named, written=str(member.type))


def _link(named: GraphQLNamedType, *, written: str = "") -> str:
    return f"[`{written or named.name}`]({_part_of(named)}.md#{named.name.lower()})"


def _part_of(kind: GraphQLNamedType) -> str | None:
    parts: dict[str, Callable[[], bool]] = {
        "scalars": lambda: isinstance(kind, GraphQLScalarType),
        "enums": lambda: isinstance(kind, GraphQLEnumType),
        "inputs": lambda: isinstance(kind, GraphQLInputObjectType),
        "objects": lambda: kind.name not in ROOTS.values(),
    }
    return next((part for part, fits in parts.items() if fits()), None)


def _fields(kind: GraphQLNamedType) -> dict[str, Member]:
    owners = (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)
    assert isinstance(kind, owners), kind
    return dict(kind.fields)


def _text(text: str | None) -> str:
    return _marked(text or "")


def _cell(text: str | None) -> str:
    return _marked(" ".join((text or "").split())).replace("|", "\\|")


def _first_sentence(text: str | None) -> str:
    first, dot, _ = " ".join((text or "").split()).partition(". ")
    return _cell(first + ("." if dot else ""))


def _marked(text: str) -> str:
    """Plain text as Markdown: brackets and angles are not meant as such."""
    return text.replace("<", "&lt;").replace("[", "\\[")
