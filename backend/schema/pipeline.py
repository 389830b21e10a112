"""From text to result: parse, guard, validate, and say what went wrong with a code.

Everything that every operation goes through is here.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any
from uuid import uuid4

import strawberry
from django.utils import translation
from django.utils.translation import gettext
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    get_operation_ast,
    parse,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import validate_document
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.graphql import OperationType

from backend import locales, outages
from backend.errors import ErrorCode, FaenaError, RateLimited
from backend.schema import guard
from backend.schema.context import Context
from backend.schema.errors import MONEY_MUTATIONS
from backend.telemetry import context as telemetry
from backend.telemetry import metrics, traces

log = logging.getLogger(__name__)

# A subscription takes as long as its reader likes.
TIMED = frozenset({"query", "mutation"})
# What operations are called whose first root field is none of the schema's.
NO_FIELDS = INVALID, FRAGMENT, INTROSPECTION = "invalid", "(fragment)", "introspection"

MAX_TOKENS = 2000
# Characters. One token may be as long as the request, and is read several times over.
MAX_DOCUMENT_LENGTH = 32 * 1024
# How graphql-core words it; a test holds this.
_TOO_LONG = re.compile("tokens|too deeply")
# A client learns nothing from the hundredth error of a document, and each costs to make.
MAX_ERRORS = 3
_CACHED_DOCUMENTS = 256
_CACHED_DOCUMENT_LENGTH = 16 * 1024
# PostgreSQL keeps no NUL in text; refused here it is nobody's problem further down.
_NUL = re.compile(r"\x00|\\u0000|\\u\{0+\}")

# Stands for a document that is too long to be read, until it is refused.
_NOTHING = parse("{ __typename }")

_cached_validate = lru_cache(_CACHED_DOCUMENTS)(validate_document)


class Parsing(SchemaExtension):
    """Parses with a token limit, and remembers what it parsed."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        context.parse_options["max_tokens"] = MAX_TOKENS
        # What does not parse is left to Strawberry, which parses again and reports: an error
        # raised here would reach a socket as a bare `complete`.
        with suppress(GraphQLError, RecursionError):
            context.graphql_document = _parse(context.query or "")
        yield


def _parse(text: str) -> DocumentNode:
    if len(text) > MAX_DOCUMENT_LENGTH:
        return _NOTHING
    if len(text) > _CACHED_DOCUMENT_LENGTH:
        return _parse_uncached(text)
    return _parse_cached(text)


def _parse_uncached(text: str) -> DocumentNode:
    return parse(text, max_tokens=MAX_TOKENS)


_parse_cached = lru_cache(_CACHED_DOCUMENTS)(_parse_uncached)


class Validation(SchemaExtension):
    """Guards, then validates, remembering documents that it has validated before.

    What the document costs goes with the answer, in `extensions.cost`; a stream would say it with
    every item.
    """

    _cost: int | None = None

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        document = context.graphql_document
        assert document is not None
        if isinstance(context.context, Context):
            context.context.reads = _kind(context) is not OperationType.MUTATION
        schema = context.schema._schema
        text = context.query or ""
        try:
            if len(text) > MAX_DOCUMENT_LENGTH:
                raise guard.too_complex(f"Longer than {MAX_DOCUMENT_LENGTH} characters.")
            if _NUL.search(text):
                raise guard.bad_request("Text must not contain NUL.")
            cost = guard.weigh(
                schema, document, context.variables, money_mutations=frozenset(MONEY_MUTATIONS)
            )
        except GraphQLError as refusal:
            context.pre_execution_errors = [refusal]
        else:
            self._cost = None if _kind(context) is OperationType.SUBSCRIPTION else cost
            errors = _cached_validate(schema, document, context.validation_rules)
            context.pre_execution_errors = errors[:MAX_ERRORS]
        yield

    def get_results(self) -> dict[str, Any]:
        if self._cost is None:
            return {}
        return {"cost": {"requested": self._cost, "limit": guard.LIMITS.cost}}


def _kind(context: ExecutionContext) -> OperationType | None:
    try:
        return context.operation_type
    except (CannotGetOperationTypeError, RuntimeError):
        return None  # nothing will be executed


class Operation(SchemaExtension):
    """Gives every operation a context of its own; a socket runs many."""

    def on_operation(self) -> Iterator[None]:
        context = self.execution_context.context
        if isinstance(context, Context):
            context = self.execution_context.context = context.for_operation()
        started = time.perf_counter()
        with traces.span("GraphQL") as span:
            yield
            kind, name = root_field(self.execution_context)
            span.update_name(f"{kind} {name}")
        if kind in TIMED:
            metrics.GRAPHQL.labels(kind, name).observe(time.perf_counter() - started)
        for error in getattr(self.execution_context.result, "errors", None) or ():
            code = (error.extensions or {}).get("code", ErrorCode.BAD_REQUEST)
            metrics.GRAPHQL_ERRORS.labels(name, str(code)).inc()
        telemetry.note(operation=f"{kind} {name}")
        if isinstance(context, Context) and context.response_headers is not None:
            context.response_headers["Content-Language"] = context.language


def root_field(context: ExecutionContext) -> tuple[str, str]:
    """The type of an operation and its first root field: a name of ours, whatever the text says.

    Clients choose the names of their operations, so those cannot be kept as labels.
    """
    document = context.graphql_document
    found = get_operation_ast(document, context.operation_name) if document else None
    if found is None or not found.selection_set.selections:
        return INVALID, INVALID
    first = found.selection_set.selections[0]
    name = first.name.value if isinstance(first, FieldNode) else FRAGMENT
    root = context.schema._schema.get_root_type(found.operation)
    if name.startswith("__"):
        name = INTROSPECTION
    elif name != FRAGMENT and (root is None or name not in root.fields):
        return INVALID, INVALID
    return found.operation.value, name


class Schema(strawberry.Schema):
    """Strawberry's, with our errors, and subscriptions only where they can stream."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The first bug of an operation has to be seen as a rise: see telemetry/metrics.py.
        of = self._schema
        roots = (of.query_type, of.mutation_type, of.subscription_type)
        for name in (*NO_FIELDS, *(name for root in roots if root for name in root.fields)):
            metrics.GRAPHQL_ERRORS.labels(name, str(ErrorCode.INTERNAL))

    async def execute(self, *args: Any, **kwargs: Any) -> ExecutionResult:
        kwargs["allowed_operation_types"] = (OperationType.QUERY, OperationType.MUTATION)
        return await super().execute(*args, **kwargs)

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        # Every way out goes through here, also a hook that fails, which MaskErrors never sees.
        context = execution_context.context if execution_context else None
        language = context.language if isinstance(context, Context) else locales.ENGLISH
        with translation.override(language):
            errors[:] = [present(error) for error in errors]


def present(error: GraphQLError) -> GraphQLError:
    """The error as callers see it: with a code, in the active language. Safe to repeat.

    What is wrong with the document stays English: its reader writes software. What nobody
    foresaw becomes INTERNAL with a log id; nothing else is logged.
    """
    cause = _cause(error)
    if cause is not None and outages.is_away(cause):
        outages.note(cause)
        cause = outages.DatabaseAway()
    if isinstance(cause, FaenaError):
        extensions: dict[str, object] = {"code": cause.code, "retryable": cause.retryable}
        if isinstance(cause, RateLimited):
            extensions["retryAfterSeconds"] = cause.retry_after_seconds
        return _with(error, cause.message, extensions)
    if cause is None or isinstance(cause, CannotGetOperationTypeError | InvalidOperationTypeError):
        if not error.extensions or "code" not in error.extensions:
            too_long = isinstance(error, GraphQLSyntaxError) and _TOO_LONG.search(error.message)
            code = ErrorCode.QUERY_TOO_COMPLEX if too_long else ErrorCode.BAD_REQUEST
            error.extensions = {**(error.extensions or {}), "code": code}
        return error
    if isinstance(cause, RecursionError) and error.path is None:
        return guard.too_complex("Too deeply nested.")
    log_id = uuid4().hex
    log.error(
        "GraphQL error %s at %s", log_id, error.path, exc_info=cause, extra={"log_id": log_id}
    )
    return _with(error, gettext("Internal error."), {"code": ErrorCode.INTERNAL, "logId": log_id})


def _cause(error: GraphQLError) -> BaseException | None:
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _with(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
