"""From text to result: parse, guard, validate, and say what went wrong with a code.

Everything that every operation goes through is here.
"""

import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from uuid import uuid4

import strawberry
from graphql import DocumentNode, GraphQLError, parse
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import validate_document
from strawberry.types import ExecutionContext

from backend.errors import ErrorCode, FaenaError, RateLimited
from backend.schema import guard
from backend.schema.context import Context
from backend.schema.errors import MONEY_MUTATIONS

log = logging.getLogger(__name__)

MAX_TOKENS = 2000
# A client learns nothing from the hundredth error of a document, and each costs to make.
MAX_ERRORS = 3
_CACHED_DOCUMENTS = 256
_CACHED_DOCUMENT_LENGTH = 16 * 1024
# PostgreSQL keeps no NUL in text; refused here it is nobody's problem further down.
_NUL = re.compile(r"\x00|\\u0000|\\u\{0+\}")

_cached_validate = lru_cache(_CACHED_DOCUMENTS)(validate_document)


class Parsing(SchemaExtension):
    """Parses with a token limit, and remembers what it parsed."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        context.graphql_document = _parse(context.query or "")
        yield


def _parse(text: str) -> DocumentNode:
    if len(text) > _CACHED_DOCUMENT_LENGTH:
        return _parse_uncached(text)
    return _parse_cached(text)


def _parse_uncached(text: str) -> DocumentNode:
    if _NUL.search(text):
        raise guard.bad_request("Text must not contain NUL.")
    try:
        return parse(text, max_tokens=MAX_TOKENS)
    except RecursionError:
        raise guard.too_complex("Too deeply nested.") from None
    except GraphQLError as error:
        # A syntax error keeps its class: sockets close with 4400 on it.
        over = "token limit" in error.message.lower() or "tokens" in error.message.lower()
        error.extensions = {"code": ErrorCode.QUERY_TOO_COMPLEX if over else ErrorCode.BAD_REQUEST}
        raise


_parse_cached = lru_cache(_CACHED_DOCUMENTS)(_parse_uncached)


class Validation(SchemaExtension):
    """Guards, then validates, remembering documents that it has validated before."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        document = context.graphql_document
        assert document is not None
        schema = context.schema._schema
        refusal = guard.check(
            schema, document, context.variables, money_mutations=frozenset(MONEY_MUTATIONS)
        )
        if refusal is not None:
            context.pre_execution_errors = [refusal]
        else:
            errors = _cached_validate(schema, document, context.validation_rules)
            context.pre_execution_errors = errors[:MAX_ERRORS]
        yield


class Operation(SchemaExtension):
    """Gives every operation a context of its own; a socket runs many."""

    def on_operation(self) -> Iterator[None]:
        context = self.execution_context.context
        if isinstance(context, Context):
            self.execution_context.context = context.for_operation()
        yield


class Schema(strawberry.Schema):
    """Strawberry's, with our errors."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        # Every way out goes through here, also a hook that fails, which MaskErrors never sees.
        errors[:] = [present(error) for error in errors]


def present(error: GraphQLError) -> GraphQLError:
    """The error as callers see it: with a code. Safe to repeat.

    What nobody foresaw becomes INTERNAL with a log id; nothing else is logged.
    """
    cause = _cause(error)
    if isinstance(cause, FaenaError):
        extensions: dict[str, object] = {"code": cause.code, "retryable": cause.retryable}
        if isinstance(cause, RateLimited):
            extensions["retryAfterSeconds"] = cause.retry_after_seconds
        return _with(error, cause.message, extensions)
    if cause is None or isinstance(cause, CannotGetOperationTypeError | InvalidOperationTypeError):
        if error.extensions and "code" in error.extensions:
            return error
        error.extensions = {**(error.extensions or {}), "code": ErrorCode.BAD_REQUEST}
        return error
    log_id = uuid4().hex
    log.error("GraphQL error %s at %s", log_id, error.path, exc_info=cause)
    return _with(error, "Internal error.", {"code": ErrorCode.INTERNAL, "logId": log_id})


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
