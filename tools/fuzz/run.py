"""Sending what schemathesis makes up, and judging every answer."""

import base64
import binascii
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import NonFatalError

from tools.fuzz import documents

# How many objects of a type are kept to be named again; the latest ones.
KNOWN_IDS = 200
REQUEST_SECONDS = 30
_TEXT = re.compile(r'"([A-Za-z0-9+/=]{44,100})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An answer that no request should get."""

    operation: str
    document: str
    status: int
    answer: str


@dataclass(slots=True)
class Report:
    """What was asked and what came back."""

    asked: Counter[str] = field(default_factory=Counter)
    # Of all answers: the code of the first error in them, or "ok".
    answers: Counter[str] = field(default_factory=Counter)
    # Operations of which at least one call went through.
    went_through: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    # What schemathesis itself could not do.
    troubles: Counter[str] = field(default_factory=Counter)


def fuzz(
    *,
    url: str,
    tokens: Callable[[], str | None],
    ids: Iterable[str],
    seed: int,
    examples: int,
    modes: Sequence[str] = ("all",),
    seconds: int | None = None,
    wallet_address: str = "https://wallet.example/alice",
) -> Report:
    """Send documents to the GraphQL endpoint at `url` and say what came back.

    `tokens` gives an Authorization value for each request, None for a visitor. `ids` are global
    ids to begin with. In each of `modes`, "positive", "negative" or "all", every operation gets
    `examples` documents, and again while `seconds`, shared by all modes, last; None for once. The
    same `seed` makes the same documents, ids aside.
    """
    documents.register_scalars()
    run = _Run(tokens=tokens, ids=ids)
    for number, mode in enumerate(modes):
        config = {
            "seed": seed + number,
            **({"max-time": max(1, seconds // len(modes))} if seconds else {}),
            "suppress-health-check": ["all"],
            "request-timeout": REQUEST_SECONDS,
            # What is an error of the server, our codes say.
            "checks": {"enabled": False},
            "generation": {
                "mode": mode,
                "max-examples": examples,
                "database": "none",
                "no-shrink": True,
            },
        }
        _send(run, url, SchemathesisConfig.from_dict(config), wallet_address)
    return run.report


def _send(run: "_Run", url: str, config: SchemathesisConfig, wallet_address: str) -> None:
    schema = schemathesis.graphql.from_url(url, config=config)

    @schema.hook
    def before_generate_body(context: Any, strategy: Any) -> Any:
        return documents.plausible(strategy, ids=run.ids, wallet_address=wallet_address)

    @schema.hook
    def before_generate_headers(context: Any, strategy: Any) -> Any:
        return strategy.map(lambda _: run.headers())

    @schema.hook
    def after_call(context: Any, case: Any, response: Any) -> None:
        run.judge(case.operation.label, case.body, response.status_code, response.content)

    for event in from_schema(schema).execute():
        if isinstance(event, NonFatalError):
            run.report.troubles[f"{event.label}: {event.value!r}"] += 1


class _Run:
    def __init__(self, *, tokens: Callable[[], str | None], ids: Iterable[str]) -> None:
        self.report = Report()
        self.ids: dict[str, list[str]] = defaultdict(list)
        self._tokens = tokens
        self._learn(ids)

    def headers(self) -> dict[str, str]:
        token = self._tokens()
        return {"Authorization": token} if token else {}

    def judge(self, operation: str, document: str, status: int, content: bytes) -> None:
        """Note one answer."""
        code = code_of(operation, status, content)
        self.report.asked[operation] += 1
        self.report.answers[code] += 1
        if code == "ok":
            self.report.went_through.add(operation)
        if code.startswith("FAULT"):
            self.report.faults.append(
                Fault(
                    operation=operation,
                    document=document,
                    status=status,
                    answer=content.decode(errors="replace")[:2000],
                )
            )
        self._learn(_TEXT.findall(content.decode(errors="replace")))

    def _learn(self, texts: Iterable[str]) -> None:
        for text in texts:
            if type_name := _type_in(text):
                known = self.ids[type_name]
                if text not in known:
                    known.append(text)
                    del known[:-KNOWN_IDS]


def code_of(operation: str, status: int, content: bytes) -> str:
    """What an answer comes down to: the code of its first error, "ok", or a FAULT.

    "unknown" is a mutation whose document did not ask for errors.
    """
    try:
        answer = json.loads(content)
    except ValueError:
        return "FAULT: not JSON"
    if status >= 500:
        return "FAULT: HTTP 5xx"
    codes = [(each.get("extensions") or {}).get("code") for each in answer.get("errors") or ()]
    if None in codes:
        return "FAULT: without a code"
    kind, _, name = operation.partition(".")
    result = (answer.get("data") or {}).get(name)
    if kind == "Mutation" and isinstance(result, dict):
        codes += [each.get("code", "unknown") for each in result.get("errors", [{}])]
    if "INTERNAL" in codes:
        return "FAULT: INTERNAL"
    return str(codes[0]) if codes else "ok"


def _type_in(text: str) -> str | None:
    try:
        name, _, key = base64.b64decode(text, validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        return None
    return name if name.isalpha() and len(key) == 36 else None
