"""Errors as data: what a mutation answers when it refuses.

Refusals we foresaw come back in the payload's `errors`. Three kinds concern the request and not
its input, and are top-level errors: authentication, rate limits, and bugs.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry
from django.utils import translation
from strawberry.extensions.field_extension import AsyncExtensionResolver, FieldExtension
from strawberry.types.field import StrawberryField

from backend import errors
from backend.accounts.models import Scope
from backend.errors import ErrorCode, FaenaError
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.error_codes import CODES
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scopes import SCOPES, leads_on
from backend.telemetry import metrics

E = TypeVar("E", bound=FaenaError)

TOP_LEVEL = frozenset({ErrorCode.UNAUTHENTICATED, ErrorCode.RATE_LIMITED, ErrorCode.INTERNAL})
# Fields that move money or ask consent: at most one of them in a request.
MONEY_MUTATIONS: set[str] = set()

strawberry.enum(
    ErrorCode,
    name="ErrorCode",
    description="Why something was refused. New codes may be added: treat unknown ones alike.",
)
describe_values(ErrorCode, **{code.name: entry.description for code, entry in CODES.items()})


@strawberry.interface(
    description="A refusal that the user or the client can act on. Nothing was changed."
)
class UserError:
    code: ErrorCode = strawberry.field(
        description="What programs decide by; it stays when the message is reworded."
    )
    message: str = strawberry.field(
        description=(
            "A sentence to show, in the language of the viewer's profile, else of Accept-Language."
        )
    )
    path: list[str] | None = strawberry.field(
        description=(
            "The input field it is about, outermost name first, without `input`. Null when it is "
            "about none in particular."
        )
    )
    retryable: bool = strawberry.field(
        description="Whether the same request, unchanged, can succeed later."
    )


@rule(WITH_PARENT)
@strawberry.type(description="The input is wrong; the message says what would be right.")
class ValidationError(UserError):
    pass


@rule(WITH_PARENT)
@strawberry.type(description="Any other refusal: its code and message say all there is.")
class Refusal(UserError):
    pass


@rule(WITH_PARENT)
@strawberry.type(
    description=(
        "The status of the object, or a deadline in it, does not allow this. Clients that offer "
        "only `allowedActions` meet it only in a race."
    )
)
class InvalidTransitionError(UserError):
    from_: str = strawberry.field(
        name="from", description="The status it is in, a value of its own status enum."
    )
    allowed: list[str] = strawberry.field(
        description="The statuses it can go to from there; empty when it is in a final one."
    )


@rule(WITH_PARENT)
@strawberry.type(
    description=(
        "Two assets that had to be equal are not: a wallet holds another one than the job pays."
    )
)
class AssetMismatchError(UserError):
    pass


@rule(WITH_PARENT)
@strawberry.type(description="Nobody answered at a wallet address as an Open Payments wallet does.")
class WalletError(UserError):
    pass


@strawberry.type
class Payload:
    """Base of all payloads: a nullable result declared by the subclass, and the errors."""

    errors: list[UserError] = strawberry.field(
        default_factory=list,
        description=(
            "Empty when it worked. Otherwise nothing was changed, and what stands beside it is "
            "null or empty."
        ),
    )


_converters: dict[type[FaenaError], Callable[[Any], UserError]] = {}


def converts(error_type: type[E]) -> Callable[[Callable[[E], UserError]], Callable[[E], UserError]]:
    """Register how `error_type` and its subclasses look in a payload."""

    def register(convert: Callable[[E], UserError]) -> Callable[[E], UserError]:
        _converters[error_type] = convert
        return convert

    return register


def common(error: FaenaError) -> dict[str, Any]:
    """The fields that all user errors share; the message is in the active language."""
    return {
        "code": error.code,
        "message": error.message,
        "path": list(error.path) or None,
        "retryable": error.retryable,
    }


def user_error(error: FaenaError, *, language: str) -> UserError:
    """The GraphQL form of a refusal, its message in `language`."""
    with translation.override(language):
        return _converted(error)


def _converted(error: FaenaError) -> UserError:
    # By the most specific converter.
    for cls in type(error).__mro__:
        if cls in _converters:
            return _converters[cls](error)
    if error.code in {ErrorCode.WALLET_UNREACHABLE, ErrorCode.WALLET_REJECTED}:
        return WalletError(**common(error))
    if error.code is ErrorCode.VALIDATION:
        return ValidationError(**common(error))
    return Refusal(**common(error))


@converts(errors.InvalidTransition)
def _invalid_transition(error: errors.InvalidTransition) -> UserError:
    return InvalidTransitionError(
        **common(error), from_=str(error.old), allowed=[str(status) for status in error.allowed]
    )


@converts(errors.AssetMismatch)
def _asset_mismatch(error: errors.AssetMismatch) -> UserError:
    return AssetMismatchError(**common(error))


class RefusalsAsData(FieldExtension):
    """Turns a FaenaError of a mutation into its payload's `errors`."""

    def apply(self, field: StrawberryField) -> None:
        self._field = field

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any
    ) -> Any:
        # Several mutations of one request run one after the other: what was loaded for the answer
        # of one may be stale for the next.
        info.context.forget()
        try:
            await info.context.require_scope(SCOPES.get(info.field_name))
            if info.context.is_program and leads_on(info._raw_info):
                await info.context.require_scope(Scope.READ)
            await info.context.count_mutation()
            return await next_(source, info, **kwargs)
        except FaenaError as error:
            if error.code in TOP_LEVEL:
                raise
            metrics.GRAPHQL_ERRORS.labels(info.field_name, str(error.code)).inc()
            payload: Any = self._field.type
            return payload(errors=[user_error(error, language=info.context.language)])


def mutation(*, description: str, moves_money: bool = False) -> Callable[[Any], Any]:
    """`@mutation(description=…)`: a strawberry.mutation whose refusals come back as data.

    `moves_money` marks those of which a request may hold only one.
    """

    def decorate(resolver: Any) -> Any:
        if moves_money:
            MONEY_MUTATIONS.add(_camel_case(resolver.__name__))
        return strawberry.mutation(resolver, description=description, extensions=[RefusalsAsData()])

    return decorate


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
