"""Sending what schemathesis makes up, and judging every answer."""

import base64
import binascii
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import schemathesis
from graphql import GraphQLError
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import NonFatalError

from tools.fuzz import documents
from tools.fuzz.documents import aimed
from tools.fuzz.offers import Offer, read_offers
from tools.fuzz.variables import with_variables

# How many objects of a type are kept to be named again; the latest ones.
KNOWN_IDS = 200
REQUEST_SECONDS = 30
# Of ten documents, how many are sent with variables.
WITH_VARIABLES = 4
# Of ten mutations, how many are sent by somebody who may, with the ids that it takes.
OFFERED = 6
# After how many documents what is offered is read again.
OFFERS_LAST = 60
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


class Askers(Protocol):
    """Those who ask, by their Authorization values."""

    def authorization(self) -> str | None:
        """Whose turn it is; None is a visitor."""

    def everybody(self) -> list[str]:
        """All but visitors."""


def fuzz(
    *,
    url: str,
    askers: Askers,
    ids: Iterable[str],
    seed: int,
    examples: int,
    modes: Sequence[str] = ("all",),
    seconds: int | None = None,
    workers: int = 1,
    wallet_address: str = "https://wallet.example/alice",
) -> Report:
    """Send documents to the GraphQL endpoint at `url` and say what came back.

    `ids` are global ids to begin with. In each of `modes`, "positive", "negative" or "all", every
    operation gets `examples` documents, and again while `seconds`, shared by all modes, last; None
    for once. The same `seed` makes the same documents, ids aside; in another order with several
    `workers`, who ask at the same time.
    """
    documents.register_scalars()
    run = _Run(url=url, askers=askers, ids=ids)
    for number, mode in enumerate(modes):
        config = {
            "seed": seed + number,
            "workers": workers,
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
    def map_case(context: Any, case: Any) -> Any:
        return run.addressed(case)

    @schema.hook
    def after_call(context: Any, case: Any, response: Any) -> None:
        sent = case.body.decode() if isinstance(case.body, bytes) else case.body
        run.judge(case.operation.label, sent, response.status_code, response.content)

    for event in from_schema(schema).execute():
        if isinstance(event, NonFatalError):
            run.report.troubles[f"{event.label}: {event.value!r}"] += 1


class _Run:
    def __init__(self, *, url: str, askers: Askers, ids: Iterable[str]) -> None:
        self.report = Report()
        self.ids: dict[str, list[str]] = defaultdict(list)
        self._url, self._askers = url, askers
        self._offers: Mapping[str, Sequence[Offer]] = {}
        self._made = 0
        self._learn(ids)

    def addressed(self, case: Any) -> Any:
        """The case with somebody who asks; often somebody who may do just this."""
        rng = random.Random(case.body)  # noqa: S311 - a test's dice
        if self._made % OFFERS_LAST == 0:
            self._offers = read_offers(self._url, self._askers.everybody())
        self._made += 1
        offers = self._offers.get(case.operation.definition.field_name)
        authorization = self._askers.authorization()
        with suppress(GraphQLError):
            if offers and rng.randrange(10) < OFFERED:
                offer = rng.choice(offers)
                authorization, case.body = offer.authorization, aimed(case.body, offer.values)
            if rng.randrange(10) < WITH_VARIABLES:
                case.body = with_variables(case.body, case.operation.definition.raw, rng)
        case.headers = {"Authorization": authorization} if authorization else {}
        return case

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
