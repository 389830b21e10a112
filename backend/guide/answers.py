"""How this contract is spoken: who may ask, what is read, and how a refusal looks.

A refusal is `{"success": false, "error": <a sentence>, "code": <what programs decide by>,
"details": {"path": […], "retryable": …}}` with a status that says whose fault it is.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from json import JSONDecodeError
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, JsonResponse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from backend import locales, outages, rate_limits
from backend.accounts import api_keys
from backend.accounts.callers import Caller
from backend.accounts.errors import KeyRefused
from backend.accounts.models import Scope
from backend.clock import SYSTEM_CLOCK, Clock
from backend.errors import ErrorCode, FaenaError, RateLimited, ValidationFailed
from backend.events.threads import in_database
from backend.web import strict_json

log = logging.getLogger(__name__)

# Others are 409: what is asked for does not fit what is there.
STATUSES: Mapping[ErrorCode, int] = MappingProxyType(
    {
        ErrorCode.VALIDATION: 400,
        ErrorCode.AMOUNT_OUT_OF_RANGE: 400,
        ErrorCode.WALLET_REQUIRED: 400,
        ErrorCode.RETURN_URL_REFUSED: 400,
        ErrorCode.BAD_REQUEST: 400,
        ErrorCode.UNAUTHENTICATED: 401,
        ErrorCode.FORBIDDEN: 403,
        ErrorCode.NOT_FOUND: 404,
        ErrorCode.SELLER_NOT_FOUND: 404,
        ErrorCode.RATE_LIMITED: 429,
        ErrorCode.WALLET_REJECTED: 502,
        ErrorCode.WALLET_UNREACHABLE: 502,
        ErrorCode.UPSTREAM_UNAVAILABLE: 503,
    }
)


class BadBody(FaenaError):
    """The body is not a JSON object."""

    code = ErrorCode.BAD_REQUEST


@dataclass(frozen=True, slots=True)
class Ask:
    """One authenticated request. `body` is empty for a GET."""

    caller: Caller
    now: datetime
    query: Mapping[str, str]
    body: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A field of the body that has to be a text with something in it.

        Raises:
            ValidationFailed: it is not.
        """
        value = self.body.get(name)
        if not isinstance(value, str) or not value.strip():
            raise ValidationFailed(_("{name} is missing."), path=(name,), name=name)
        return value

    def optional_text(self, name: str) -> str | None:
        """A field of the body that may be left out.

        Raises:
            ValidationFailed: it is there, and no text.
        """
        return None if self.body.get(name) in (None, "") else self.text(name)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    body: Mapping[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[..., "Awaitable[Answer]"]


def endpoint(*, clock: Clock = SYSTEM_CLOCK, **methods: tuple[Scope, Handler]) -> Any:
    """A view, made by `endpoint(GET=(Scope.READ, handler))`.

    A handler gets the Ask and the parts of the path.
    """

    @csrf_exempt  # a key in a header, no cookie
    @never_cache
    async def view(request: HttpRequest, **parts: str) -> JsonResponse:
        if request.method not in methods:
            return _refusal(
                "This address does not have this method.",
                ErrorCode.BAD_REQUEST,
                status=405,
                headers={"Allow": ", ".join(methods)},
            )
        scope, handler = methods[request.method]
        caller: Caller | None = None
        try:
            caller = await in_database(_admit, request, scope, clock.now())
            ask = Ask(caller, clock.now(), request.GET.dict(), _body(request))
            answer = await handler(ask, **parts)
        except FaenaError as error:
            return _refuse(error, request, caller)
        except outages.AWAY as error:
            outages.note(error)
            return _refuse(outages.DatabaseAway(), request, caller)
        except Exception:
            log_id = uuid4().hex
            log.exception("REST request %s", log_id, extra={"log_id": log_id})
            return _refusal("Internal error.", ErrorCode.INTERNAL, status=500, logId=log_id)
        return JsonResponse(answer.body, status=answer.status, headers=dict(answer.headers))

    return view


def in_language_of(caller: Caller | None, request: HttpRequest | None = None) -> Any:
    """A context in which sentences are in the language of who asks."""
    profile = caller.user.locale if caller else ""
    accepts = request.headers.get("accept-language", "") if request else ""
    return translation.override(locales.language_for(profile=profile, accept_language=accepts))


def _admit(request: HttpRequest, scope: Scope, now: datetime) -> Caller:
    """Who asks by an API key in `Authorization: Bearer` or `X-API-Key`, and may.

    Raises:
        KeyRefused: there is none that works.
        Forbidden: it lacks `scope`.
        RateLimited: it is used too often.
    """
    kind, _blank, secret = request.headers.get("authorization", "").strip().partition(" ")
    if kind.lower() != "bearer":
        secret = request.headers.get("x-api-key", "")
    if not secret.strip():
        raise KeyRefused(_("Send an API key: in the header Authorization: Bearer <key>."))
    key = api_keys.working_key(secret.strip(), now=now)
    rate_limits.hit("apiKey", str(key.id))
    caller = Caller(key.owner, key)
    caller.require(scope)
    return caller


def _body(request: HttpRequest) -> Mapping[str, Any]:
    if request.method != "POST":
        return {}
    try:
        return strict_json(request.body)
    except JSONDecodeError:
        raise BadBody(_("The body is one JSON object, in UTF-8.")) from None


def _refuse(error: FaenaError, request: HttpRequest, caller: Caller | None) -> JsonResponse:
    headers = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, outages.DatabaseAway):
        headers |= outages.RETRY_AFTER
    if error.code is ErrorCode.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    with in_language_of(caller, request):
        sentence = error.message
    return _refusal(
        sentence,
        error.code,
        status=STATUSES.get(error.code, 409),
        headers=headers,
        path=list(error.path),
        retryable=error.retryable,
    )


def _refusal(
    sentence: str,
    code: ErrorCode,
    *,
    status: int,
    headers: Mapping[str, str] | None = None,
    **details: object,
) -> JsonResponse:
    body = {"success": False, "error": sentence, "code": code, "details": details}
    return JsonResponse(body, status=status, headers=dict(headers or {}))
