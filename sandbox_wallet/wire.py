"""Requests and answers as plain data, and the way an endpoint refuses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

Headers = tuple[tuple[str, str], ...]
Json = dict[str, Any]

# What becomes of an answer on its way: it arrives, the connection is reset, or nobody speaks.
Fate = Literal["answer", "reset", "silence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """An HTTP request as it came off the wire; header names are lower case, repeats are kept."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the values of `name` joined by a comma, or None when it was not sent."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    @property
    def path(self) -> str:
        """The path of `url`, never empty."""
        return urlsplit(self.url).path or "/"

    @property
    def query(self) -> dict[str, list[str]]:
        """The query parameters of `url`, decoded."""
        return parse_qs(urlsplit(self.url).query, keep_blank_values=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class WireResponse:
    """An HTTP answer, and what a fault makes of it: `delay_s` seconds late, reset or silence."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    fate: Fate = "answer"
    delay_s: float = 0.0

    def json(self) -> Any:
        """Return the body parsed as JSON."""
        return json.loads(self.body)


def dump_json(value: object) -> bytes:
    """Return `value` as compact UTF-8 JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


JSON_TYPE = ("content-type", "application/json; charset=utf-8")


def json_response(status: int, value: object, *headers: tuple[str, str]) -> WireResponse:
    """Return an answer with `value` as its JSON body."""
    return WireResponse(status=status, headers=(JSON_TYPE, *headers), body=dump_json(value))


NO_CONTENT = WireResponse(status=204)


class Refusal(Exception):
    """The request is refused with this answer; whatever it had begun to write is undone."""

    def __init__(self, status: int, body: Json, *headers: tuple[str, str]) -> None:
        error = body.get("error")
        self.reason = error.get("description", "") if isinstance(error, dict) else str(error)
        super().__init__(f"{status} {self.reason}")
        self.response = json_response(status, body, *headers)


def auth_refusal(status: int, code: str | None, description: str) -> Refusal:
    """Build a refusal of the auth server; `code` None is its schema-validation error.

    Spec: Open Payments auth server, error schemas; RFC 9635 section 3.6.
    """
    error = {"description": description} if code is None else {}
    if code is not None:
        error = {"code": code, "description": description}
    return Refusal(status, {"error": error})


def resource_refusal(
    status: int,
    description: str,
    *headers: tuple[str, str],
    details: Mapping[str, object] | None = None,
) -> Refusal:
    """Build a refusal of the resource server, whose `code` is its status as a string."""
    error: Json = {"code": str(status), "description": description}
    if details is not None:
        error["details"] = dict(details)
    return Refusal(status, {"error": error}, *headers)


def parse_object(body: bytes) -> Json | None:
    """Return the JSON object in `body`, or None when it holds anything else."""
    try:
        value = json.loads(body, parse_constant=_no_constant)
        if b"\\u" in body:
            # Half a surrogate pair can neither be stored nor sent on.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
