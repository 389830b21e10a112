"""How much a document asks for, measured before it is validated.

One walk, remembered per fragment, so that fragments spreading fragments cost their size and not
their expansion. (Strawberry's own depth and alias limiters expand them: exponential work, done
by the very thing that should prevent it. graphql-core's merge rule is quadratic in equal fields.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_introspection_type,
    is_list_type,
    value_from_ast_untyped,
)

from backend.errors import ErrorCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one document may ask for. Counts are taken after fragments are spread."""

    fields: int = 300
    # Fields again, each multiplied by the page sizes above it.
    cost: int = 6000
    depth: int = 12
    # What GraphiQL's own introspection query needs.
    introspection_depth: int = 18
    aliases: int = 15
    directives: int = 20
    directives_per_place: int = 5
    fragments: int = 20
    root_fields: int = 10
    introspections: int = 2
    money_mutations: int = 1
    page: int = 100
    # Assumed length of a list that has no page size.
    list_length: int = 5
    # Fields, inline fragments and spreads inside each other: bounds the walk's own recursion.
    nesting: int = 60


LIMITS = Limits()
# The page sizes of a connection: one of them is given. Not every connection has the second.
PAGE_SIZES = frozenset({"first", "last"})
# How the types are called that have one page of a list.
PAGES = ("Connection", "Page")


@dataclass(slots=True)
class Weight:
    """What a selection set amounts to."""

    fields: int = 0
    cost: int = 0
    depth: int = 0
    width: int = 0
    aliases: int = 0
    directives: int = 0
    money: int = 0
    introspections: int = 0

    def add(self, other: "Weight") -> None:
        self.fields += other.fields
        self.cost += other.cost
        self.depth = max(self.depth, other.depth)
        self.width += other.width
        self.aliases += other.aliases
        self.directives += other.directives
        self.money += other.money
        self.introspections += other.introspections


def weigh(
    schema: GraphQLSchema,
    document: DocumentNode,
    variables: Mapping[str, Any] | None,
    *,
    money_mutations: frozenset[str],
    limits: Limits = LIMITS,
) -> int:
    """What `document` costs. It need not be valid: validation comes after.

    Raises:
        GraphQLError: it asks for too much, or does not say for how much; the reason to refuse it.
    """
    return _Walk(schema, document, variables or {}, money_mutations, limits).weigh()


def too_complex(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": ErrorCode.QUERY_TOO_COMPLEX})


def bad_request(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": ErrorCode.BAD_REQUEST})


@dataclass
class _Walk:
    schema: GraphQLSchema
    document: DocumentNode
    variables: Mapping[str, Any]
    money_mutations: frozenset[str]
    limits: Limits
    fragments: dict[str, FragmentDefinitionNode] = field(default_factory=dict)
    weights: dict[str, Weight] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    defaults: dict[str, Any] = field(default_factory=dict)
    nesting: int = 0

    def weigh(self) -> int:
        operations = []
        for definition in self.document.definitions:
            if isinstance(definition, FragmentDefinitionNode):
                self.fragments[definition.name.value] = definition
            elif isinstance(definition, OperationDefinitionNode):
                operations.append(definition)
        if len(operations) > 1:
            raise too_complex("Send one operation per request.")
        self.refuse_above("fragments", len(self.fragments))
        cost = sum(self.of_operation(operation).cost for operation in operations)
        for name in self.fragments:
            self.of_fragment(name)
        return cost

    def of_operation(self, operation: OperationDefinitionNode) -> Weight:
        for definition in operation.variable_definitions or ():
            if definition.default_value is not None:
                name = definition.variable.name.value
                self.defaults[name] = value_from_ast_untyped(definition.default_value)
        root = self.schema.get_root_type(operation.operation)
        weight = self.of_selections(operation.selection_set, root)
        weight.directives += self.count_directives(operation.directives)
        self.within(weight)
        self.refuse_above("root_fields", weight.width)
        if operation.operation is OperationType.MUTATION:
            self.refuse_above("money_mutations", weight.money)
        return weight

    def within(self, weight: Weight) -> None:
        """Refuse a weight above the limits; partial sums are checked too, and only grow."""
        self.refuse_above("fields", weight.fields)
        self.refuse_above("cost", weight.cost)
        self.refuse_above("aliases", weight.aliases)
        self.refuse_above("directives", weight.directives)
        self.refuse_above("introspections", weight.introspections)
        if weight.introspections:
            self.refuse_above("introspection_depth", weight.depth)
        else:
            self.refuse_above("depth", weight.depth)

    def refuse_above(self, limit: str, actual: int) -> None:
        allowed: int = getattr(self.limits, limit)
        if actual > allowed:
            raise too_complex(f"Too many or too deep: {limit.replace('_', ' ')} above {allowed}.")

    def of_selections(
        self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None
    ) -> Weight:
        self.nesting += 1
        self.refuse_above("nesting", self.nesting)
        total = Weight()
        for selection in selection_set.selections:
            total.directives += self.count_directives(selection.directives)
            if isinstance(selection, FieldNode):
                total.add(self.of_field(selection, parent))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inside = self.schema.get_type(condition.name.value) if condition else parent
                total.add(self.of_selections(selection.selection_set, inside))
            elif isinstance(selection, FragmentSpreadNode):
                total.add(self.of_fragment(selection.name.value))
            # Early, so that a flood of fields is not counted to its end.
            self.refuse_above("fields", total.fields)
        self.nesting -= 1
        return total

    def of_fragment(self, name: str) -> Weight:
        if name in self.open:
            raise bad_request(f"Fragment {name!r} spreads itself.")
        if name not in self.weights:
            if (fragment := self.fragments.get(name)) is None:
                return Weight()  # validation names it
            self.open.add(name)
            condition = self.schema.get_type(fragment.type_condition.name.value)
            weight = self.of_selections(fragment.selection_set, condition)
            weight.directives += self.count_directives(fragment.directives)
            self.open.discard(name)
            self.weights[name] = weight
        return replace(self.weights[name])

    def of_field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Weight:
        name = node.name.value
        definition = self.definition_of(name, parent)
        result = get_named_type(definition.type) if definition else None
        inside = self.of_selections(node.selection_set, result) if node.selection_set else Weight()
        introspects = name in {"__schema", "__type"}
        return Weight(
            fields=inside.fields + 1,
            cost=inside.cost * self.length_of(node, definition, parent) + 1,
            depth=inside.depth + 1,
            width=1,
            aliases=inside.aliases + (node.alias is not None),
            directives=inside.directives,
            money=int(name in self.money_mutations),
            introspections=inside.introspections + introspects,
        )

    def definition_of(self, name: str, parent: GraphQLNamedType | None) -> GraphQLField | None:
        if name in {"__schema", "__type"} and isinstance(parent, GraphQLObjectType):
            return self.schema.get_field(parent, name)
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            field: GraphQLField | None = parent.fields.get(name)
            return field
        return None

    def length_of(
        self, node: FieldNode, definition: GraphQLField | None, parent: GraphQLNamedType | None
    ) -> int:
        """How many objects the field stands for, at most."""
        if definition is None:
            return 1
        result = get_named_type(definition.type)
        if result.name.endswith(PAGES):
            return self.page_size(node)
        if not is_list_type(get_nullable_type(definition.type)):
            return 1
        # A connection's own lists are as long as its page, which is counted already.
        counted = parent is not None and parent.name.endswith(PAGES)
        # The schema itself is finite, and graphql-core refuses to go round in it.
        if counted or is_introspection_type(result):
            return 1
        return self.limits.list_length

    def page_size(self, node: FieldNode) -> int:
        sizes = [
            self.value_of(argument.value)
            for argument in node.arguments or ()
            if argument.name.value in PAGE_SIZES
        ]
        given = [size for size in sizes if size is not None]
        size = given[0] if len(given) == 1 else None
        if isinstance(size, bool) or not isinstance(size, int):
            raise bad_request(f"{node.name.value} needs `first`: 1 to {self.limits.page}.")
        if not 1 <= size <= self.limits.page:
            raise bad_request(f"`first` of {node.name.value} must be 1 to {self.limits.page}.")
        return size

    def value_of(self, value: Any) -> Any:
        if isinstance(value, VariableNode):
            name = value.name.value
            return self.variables.get(name, self.defaults.get(name))
        # A literal of thousands of digits would not even convert.
        if isinstance(value, IntValueNode) and len(value.value) <= 12:
            return int(value.value)
        return None

    def count_directives(self, directives: tuple[DirectiveNode, ...] | None) -> int:
        count = len(directives or ())
        self.refuse_above("directives_per_place", count)
        return count
