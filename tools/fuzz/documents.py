"""What the generated documents are made of, and how most of them are made to get somewhere.

schemathesis writes valid documents; their values are anything. With nothing else, ids would be
nobody's, pages too large, amounts in no currency, and every answer a refusal at the door. So most
values are replaced by plausible ones, and some are left: the door is tested too.
"""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import schemathesis
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    IntValueNode,
    ListValueNode,
    NameNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    Visitor,
    parse,
    print_ast,
    visit,
)
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

# The type of object that an argument or input field names, where its name does not say so.
TYPE_OF = {"select": "Application", "reject": "Application", "reset": "Application"}
TYPE_OF |= {"payoutWallet": "Wallet", "payerWallet": "Wallet"}
TYPE_OF |= {"attachmentFile": "File", "evidenceFile": "File", "referenceFile": "File"}
# Of the owner, who is among the people.
PASSWORD = "as long as a sentence"  # noqa: S105 - of nobody's account
Values = Mapping[str, tuple[str | int, ...]]
# Deadlines have to lie ahead; they are of a day, so that a run can be played again.
_TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DEADLINES = tuple((_TODAY + timedelta(days=days)).isoformat() for days in (3, 8, 20, 60, 90))
PLAUSIBLE: Values = {
    "assetCode": ("USD",),
    "assetScale": (2,),
    "value": ("100", "2500", "2500"),
    "recruitUntil": DEADLINES,
    "submitUntil": DEADLINES,
    "expiresAt": DEADLINES,
    "sellerId": ("default-seller",),
    "note": ("It is my first language.",),
    "dialect": ("of the valley",),
    "password": (PASSWORD,),
    "workersNeeded": (1, 2),
    "recruitLimit": (2, 20),
    "submitDays": (1, 14),
    "reviewDays": (1, 14),
    "expectedVersion": (1, 2, 3),
    "languageTag": ("oto", "es-MX"),
    "locale": ("en", "es"),
    "returnUrl": ("http://localhost:5173/done",),
    "mediaType": ("text/plain", "audio/webm"),
    "sha256": ("a" * 64,),
    "size": (1, 5_000_000),
    "title": ("Record ten sentences",),
    "description": ("In a quiet room.",),
    "text": ("Ten sentences.",),
    "reason": ("It was done as asked.",),
    "response": ("It was not.",),
    "comment": ("Thank you.",),
    "displayName": ("Ana",),
}
# Cost counts a field once for every object of the pages above it: mostly small pages.
PAGES = (1, 1, 1, 2, 2, 5, 100)
# With how much care the values of a document are replaced: some documents are sent as they were
# made, some with every value plausible, and the rest in between.
CARE = (0.0, 0.8, 0.9, 1.0, 1.0, 1.0)
# Of ten plausible ids, how many are of another type than they should be, where care allows.
WRONG_TYPE = 1
ADDRESSES = ("https://app.example/done", "http://127.0.0.1:1/", "$wallet.example/alice", "x:", "")
CURSORS = ("", "bm90IGEgY3Vyc29y", "…", "A" * 300)
EDGES_OF_TIME = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2027-06-01", "now")
EDGES_OF_NUMBERS = ("-1", "01", "1.5", "", "٣")

_WITH_ERRORS = parse("{ errors { code message } }").definitions[0]
assert isinstance(_WITH_ERRORS, OperationDefinitionNode)
ERRORS = _WITH_ERRORS.selection_set.selections[0]

Ids = Mapping[str, list[str]]


def register_scalars() -> None:
    """Tell schemathesis how our scalars are written: mostly right, sometimes at their edges."""
    numbers = st.integers(0, 3000) | st.integers(0, 2**64) | st.integers(2**63 - 2, 2**63 + 2)
    months = st.integers(0, 60).map(lambda n: f"{2026 + n // 12}-{n % 12 + 1:02}-01T00:00:00Z")
    keys = st.uuids().map(str)
    instants = st.datetimes().map(lambda at: f"{at.isoformat()}Z")
    scalars = {
        "UInt64": numbers.map(str) | st.sampled_from(EDGES_OF_NUMBERS),
        "UUID": keys | keys | keys | st.sampled_from(["", "x" * 36]),
        "URL": st.sampled_from(ADDRESSES) | st.text(max_size=40).map("https://a.example/".__add__),
        "EventCursor": st.sampled_from(CURSORS) | st.text(max_size=40),
        "DateTime": months | months | instants | st.sampled_from(EDGES_OF_TIME),
    }
    for name, strategy in scalars.items():
        schemathesis.graphql.scalar(name, strategy.map(lambda text: StringValueNode(value=text)))


def plausible(
    documents: SearchStrategy[DocumentNode], *, ids: Ids, wallet_address: str
) -> SearchStrategy[DocumentNode]:
    """Most of `documents` with values that get somewhere; `ids` are known ones, by type."""
    values = {**PLAUSIBLE, "address": (wallet_address,)}

    def improve(document: DocumentNode, seed: int) -> DocumentNode:
        rng = random.Random(seed)  # noqa: S311 - a test's dice
        care = rng.choice(CARE)
        improved: DocumentNode = visit(document, _Improvement(ids, values, rng, care))
        return improved

    return st.builds(improve, documents, st.integers(0, 2**32))


def aimed(text: str, values: Mapping[str, Any]) -> str:
    """The document with these values in the input of its mutation."""
    return print_ast(visit(parse(text), _Aim(values)))


class _Improvement(Visitor):
    def __init__(self, ids: Ids, values: Values, rng: random.Random, care: float) -> None:
        super().__init__()
        self._ids, self._values, self._rng, self._care = ids, values, rng, care
        self._fields: list[str] = []

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> Any:
        # A refusal that is not asked for would look like success.
        if node.operation is not OperationType.MUTATION:
            return None
        (field,) = node.selection_set.selections
        if not isinstance(field, FieldNode) or field.selection_set is None:
            return None
        selections = (*field.selection_set.selections, ERRORS)
        field = replace(field, selection_set=SelectionSetNode(selections=selections))
        return replace(node, selection_set=SelectionSetNode(selections=(field,)))

    def enter_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        self._fields.append(node.name.value)
        names = {each.name.value for each in node.arguments or ()}
        if "first" not in names or self._rng.random() >= self._care:
            return None
        size = IntValueNode(value=str(self._rng.choice(PAGES)))
        kept = [each for each in node.arguments or () if each.name.value in ("filter", "orderBy")]
        first = ArgumentNode(name=NameNode(value="first"), value=size)
        return replace(node, arguments=(first, *kept))

    def leave_field(self, *_: Any) -> None:
        self._fields.pop()

    def enter_argument(self, node: ArgumentNode, *_: Any) -> Any:
        return self._with_value(node)

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> Any:
        return self._with_value(node)

    def _with_value(self, node: Any) -> Any:
        name = node.name.value
        if self._rng.random() >= self._care:
            return None
        if isinstance(node.value, ListValueNode) and (name.endswith("Ids") or name in TYPE_OF):
            length = self._rng.randrange(3)
            value: ValueNode | None = ListValueNode(
                values=tuple(self._id(name) for _ in range(length))
            )
        elif name == "id" or (name.endswith("Id") and name not in self._values):
            value = self._id(name)
        elif name == "idempotencyKey":
            value = _literal(str(UUID(int=self._rng.getrandbits(128))))
        elif name == "email":
            who = self._rng.choice(["owner", f"somebody-{self._rng.randrange(10**9)}"])
            value = _literal(f"{who}@fuzz.example")
        elif name in self._values:
            value = _literal(self._rng.choice(self._values[name]))
        else:
            value = None
        return replace(node, value=value) if value else None

    def _id(self, name: str) -> StringValueNode:
        stem = name.removesuffix("s").removesuffix("Id")
        if stem == "id":
            stem = self._fields[-1]
        type_name = TYPE_OF.get(stem) or stem[:1].upper() + stem[1:]
        if type_name not in self._ids or self._rng.randrange(10) < WRONG_TYPE * (self._care < 1):
            type_name = self._rng.choice(list(self._ids))
        return StringValueNode(value=self._rng.choice(self._ids[type_name]))


class _Aim(Visitor):
    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__()
        self._values = values

    def enter_argument(self, node: ArgumentNode, *_: Any) -> Any:
        if node.name.value != "input" or not isinstance(node.value, ObjectValueNode):
            return None
        others = [each for each in node.value.fields if each.name.value not in self._values]
        given = [
            ObjectFieldNode(name=NameNode(value=name), value=_literal(value))
            for name, value in self._values.items()
        ]
        return replace(node, value=ObjectValueNode(fields=(*others, *given)))


def _literal(value: Any) -> ValueNode:
    if isinstance(value, ValueNode):
        return value
    if value is None:
        return NullValueNode()
    if isinstance(value, dict):
        fields = (
            ObjectFieldNode(name=NameNode(value=name), value=_literal(each))
            for name, each in value.items()
        )
        return ObjectValueNode(fields=tuple(fields))
    if isinstance(value, list):
        return ListValueNode(values=tuple(map(_literal, value)))
    if isinstance(value, int):
        return IntValueNode(value=str(value))
    return StringValueNode(value=value)
