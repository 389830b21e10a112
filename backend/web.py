"""What every ASGI application beside Django has to do itself, and what downloads share."""

import json
from collections.abc import Sequence
from json import JSONDecodeError
from typing import Any

from django.conf import settings
from django.http import JsonResponse
from django.http.request import split_domain_port, validate_host
from starlette.datastructures import Headers

from backend.errors import ErrorCode, RateLimited

CORS_MAX_AGE_SECONDS = 600
MAX_BODY_BYTES = 128 * 1024
MAX_JSON_DEPTH = 30


def is_our_host(headers: Headers) -> bool:
    """Whether the request is for a name in ALLOWED_HOSTS."""
    domain, _ = split_domain_port(headers.get("host", ""))
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def cors_headers(
    origin: str | None,
    *,
    methods: Sequence[str],
    allowed_headers: Sequence[str],
    exposed_headers: Sequence[str] = (),
) -> dict[str, str]:
    """The headers that let a page of `origin` read the answer, if CORS_ORIGINS has it.

    No credentials: a token travels in a header that pages set themselves, or in the URL. The
    answer has to say `Vary: Origin` either way.
    """
    if origin is None or origin not in settings.CORS_ORIGINS:
        return {}
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": ", ".join(allowed_headers),
        "Access-Control-Max-Age": str(CORS_MAX_AGE_SECONDS),
    }
    if exposed_headers:
        headers["Access-Control-Expose-Headers"] = ", ".join(exposed_headers)
    return headers


def download_cors_headers(origin: str | None) -> dict[str, str]:
    """The headers that let a page of `origin` read a file, and what it is called."""
    return cors_headers(
        origin, methods=("GET",), allowed_headers=(), exposed_headers=("Content-Disposition",)
    )


def download_headers(name: str) -> dict[str, str]:
    """The headers of a file that is its reader's alone, to be saved under this name."""
    return {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Referrer-Policy": "no-referrer",
        "Vary": "Origin",
        "X-Content-Type-Options": "nosniff",
    }


def bad_link(cors: dict[str, str]) -> JsonResponse:
    """The answer to a signed link that gives nothing, or nothing any more."""
    message = "This link does not work, or not any more. Ask for a fresh one."
    return _refusal(403, ErrorCode.FORBIDDEN, message, cors)


def too_often(error: RateLimited, cors: dict[str, str]) -> JsonResponse:
    """The answer to a signed link that is followed too often."""
    wait = {"Retry-After": str(error.retry_after_seconds)}
    return _refusal(429, error.code, str(error), {**wait, **cors})


def _refusal(status: int, code: str, message: str, headers: dict[str, str]) -> JsonResponse:
    body = {"errors": [{"message": message, "extensions": {"code": code}}]}
    headers = {"Cache-Control": "no-store", "Vary": "Origin", **headers}
    return JsonResponse(body, status=status, headers=headers)


def strict_json(data: str | bytes) -> dict[str, Any]:
    """The JSON object in `data`: UTF-8, no NaN, no NUL, no lone surrogate, not too deep.

    Raises:
        JSONDecodeError: it is anything else.
    """
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        if len(text) > MAX_BODY_BYTES or "\\u0000" in text:
            raise ValueError("too long, or with NUL")
        document = json.loads(text, parse_constant=_refuse_constant)
        if not isinstance(document, dict):
            raise ValueError("not an object")
        if text.count("[") + text.count("{") > MAX_JSON_DEPTH:
            _check_depth(document)
        if "\\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise JSONDecodeError("not acceptable JSON", "", 0) from error
    return document


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _check_depth(document: object) -> None:
    level: list[object] = [document]
    for _ in range(MAX_JSON_DEPTH):
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        if not below:
            return
        level = below
    raise ValueError("too deep")
