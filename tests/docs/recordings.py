"""Real payments against the sandbox wallet, written down for docs/payment-requests.md
and docs/reliability.md.

Everything comes from seeds, except what must not: nonces, tokens, signatures and our own ids.
Those are replaced by a name in angle brackets; other UUIDs are cut after eight digits.
"""

import json
import re
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
from django.http import HttpResponse
from django.test import RequestFactory

from backend.accounts.models import WalletAddress
from backend.open_payments import Client
from backend.open_payments.exchange import Answer, Operation
from backend.payments import links, views
from backend.payments.models import Grant, WalletCall
from backend.payments.status import GrantKind
from sandbox_wallet.transport import WorldTransport
from tests.simulation.simulator import KEY, Simulation

T = TypeVar("T")

WIDTH = 88
UUID_TEXT = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
# What `access_token` of an answer gives access to, and what the page calls it.
TOKEN_NAMES = {
    "incoming-payment": "<receiver token>",
    "quote": "<quote token>",
    "outgoing-payment": "<payer token>",
}
COOKIE_ATTRIBUTES = ["path", "max-age", "httponly", "samesite"]
SIGNED_HEADERS = ("Content-Digest", "Signature-Input", "Signature")


def ordinary_payment() -> dict[str, str]:
    """Play a payment without trouble; return its exchanges by name, as Markdown."""
    simulation, wire = _simulation()
    simulation.work()
    browser = _visit(simulation, wire)
    simulation.run()
    names = (
        "get-wallet-address",
        None,  # the same for the payer's wallet
        "request-grant incoming-payment",
        "create-incoming-payment",
        "request-grant quote",
        "create-quote",
        "request-grant outgoing-payment",
        "continue-grant",
        None,  # the same quote again
        "create-outgoing-payment",
        "get-public-incoming-payment",
    )
    exchanges = {
        name: wire.written(request, answer, signature=name == "request-grant incoming-payment")
        for name, (_, request, answer) in zip(names, wire.seen, strict=True)
        if name
    }
    return exchanges | {name: wire.masked(text) for name, text in browser.items()}


def operations_of_an_ordinary_payment() -> list[str]:
    """The names of its calls, in their order."""
    simulation, wire = _simulation()
    simulation.run()
    return [name for name, _, _ in wire.seen]


def operations_that_are_asked_once() -> set[str]:
    """The names of the calls whose intent is committed before they are made."""
    dead_token()
    intents = WalletCall.objects.filter(is_answer=False)
    return set(intents.values_list("operation", flat=True))


def lost_order() -> dict[str, str]:
    """Play a payment whose order never arrived; return the exchanges of its reconciliation."""
    simulation, wire = _simulation()
    simulation.fault(call="create-outgoing-payment", when="before", act="reset")
    simulation.run()
    return wire.first_of(
        "list-outgoing-payments", "complete-incoming-payment", "get-incoming-payment"
    )


def dead_token() -> dict[str, str]:
    """Play a payment whose access token died before it was used; return the rotation."""
    simulation, wire = _simulation()
    simulation.options(token_life_s=60)
    simulation.work()
    simulation.fault(call="create-quote", when="before", act="503", retry_after=120)
    simulation.run()
    return wire.first_of("rotate-token")


def _simulation() -> tuple[Simulation, "Wire"]:
    simulation = Simulation(
        temperament="strict", options={"fees": {"bps": 100, "fixed": 25}, "wait_s": 5}
    )
    wire = Wire(simulation)
    simulation.client = wire
    # Old enough to be read again.
    WalletAddress.objects.update(checked_at=simulation.clock.at - timedelta(hours=1))
    return simulation, wire


class Wire(Client):
    """The simulation's client, taking notes."""

    def __init__(self, simulation: Simulation) -> None:
        self.seen: list[tuple[str, httpx.Request, Answer]] = []
        self._requests: list[httpx.Request] = []
        http = httpx.Client(
            transport=WorldTransport(simulation.world, sleep=simulation.clock.advance),
            timeout=10,
            event_hooks={"request": [self._requests.append]},
        )
        super().__init__(http, KEY, clock=simulation.clock.now)

    def exchange(self, operation: Operation[T], *, within_seconds: float | None = None) -> Answer:
        answer = super().exchange(operation, within_seconds=within_seconds)
        if answer.status < 300:
            self.seen.append((operation.name, self._requests[-1], answer))
        return answer

    def first_of(self, *names: str) -> dict[str, str]:
        """The first exchange of each operation, as Markdown."""
        found: dict[str, str] = {}
        for name, request, answer in self.seen:
            if name in names:
                found.setdefault(name, self.written(request, answer))
        assert found.keys() == set(names)
        return found

    def written(self, request: httpx.Request, answer: Answer, *, signature: bool = False) -> str:
        """One exchange as Markdown, with names for everything secret."""
        lines = [f"{request.method} {request.url}"]
        if "authorization" in request.headers:
            lines.append(f"Authorization: {request.headers['authorization']}")
        if signature:
            lines += [f"{name}: {request.headers[name]}" for name in SIGNED_HEADERS]
        if request.content:
            lines += ["", pretty(json.loads(request.content))]
        lines += ["", f"→ {answer.status}", "", pretty(json.loads(answer.body))]
        return self.masked(block("\n".join(lines)))

    def masked(self, text: str) -> str:
        """`text` with a name for each secret that this wire has carried."""
        for secret, name in self._secrets().items():
            text = text.replace(secret, name)
        text = re.sub(r"sig1=:[^:]+:", "sig1=:<signature>:", text)
        text = re.sub(r"sha-512=:[^:]+:", "sha-512=:<hash of the body>:", text)
        text = re.sub(r"/op/(start|finish)/[\w-]+", r"/op/\1/<grant's seal>", text)
        text = re.sub(r"hash=[^&\s]+", "hash=<hash>", text)
        return UUID_TEXT.sub(r"\1…", text)

    def _secrets(self) -> dict[str, str]:
        secrets: dict[str, str] = {}
        for _, request, answer in self.seen:
            asked = json.loads(request.content or b"{}")
            told = json.loads(answer.body)
            _learn(secrets, asked, told)
        return secrets


def _learn(secrets: dict[str, str], asked: dict[str, Any], told: dict[str, Any]) -> None:
    if "access_token" in told:
        access = told["access_token"]["access"][0]["type"]
        secrets[told["access_token"]["value"]] = TOKEN_NAMES[access]
    if "continue" in told:
        secrets[told["continue"]["access_token"]["value"]] = "<continue token>"
    if "interact" in told:
        secrets[told["interact"]["finish"]] = "<wallet's nonce>"
        secrets[urlsplit(told["interact"]["redirect"]).path.rpartition("/")[2]] = "<page's nonce>"
    if "interact" in asked:
        secrets[asked["interact"]["finish"]["nonce"]] = "<our nonce>"
    if "interact_ref" in asked:
        secrets[asked["interact_ref"]] = "<interact_ref>"
    if "metadata" in asked:
        for name, value in asked["metadata"].items():
            secrets[value] = f"<{name}'s id>"
    for method in told.get("methods", []):
        secrets[method["sharedSecret"]] = "<secret>"


def _visit(simulation: Simulation, wire: Wire) -> dict[str, str]:
    """Approve in the wallet, with the payer's browser."""
    grant = Grant.objects.get(payment=simulation.payment, kind=GrantKind.OUTGOING_PAYMENT)
    start_url, browser = links.start_url(grant.id), RequestFactory()
    sent_on = views.start(browser.get("/"), _last_part(start_url))
    name, value = links.browser_cookie(grant.id)
    location = simulation.decide("accept")
    request = browser.get("/", dict(parse_qsl(urlsplit(location).query)))
    request.COOKIES[name] = sent_on.cookies[name].value
    came_back = views.finish(request, _last_part(location), clock=simulation.clock)
    words = {
        value: "<seal>",
        name: "op_<grant>",
        str(grant.id): "<grant>",
        str(simulation.payment.id): "<payment>",
        parse_qs(urlsplit(location).query)["interact_ref"][0]: "<interact_ref>",
    }
    cookie = sent_on.cookies[name].OutputString(COOKIE_ATTRIBUTES)
    return {
        "start": _redirection([f"GET {start_url}"], sent_on, [f"Set-Cookie: {cookie}"], words),
        "finish": _redirection(
            [f"GET {location}", f"Cookie: {name}={value}"], came_back, [], words
        ),
    }


def _last_part(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def _redirection(
    request: list[str], answer: HttpResponse, headers: list[str], words: dict[str, str]
) -> str:
    told = [f"→ {answer.status_code}", f"Location: {answer['Location']}", *headers]
    text = "\n".join([*request, "", *told])
    for secret, word in words.items():
        text = text.replace(secret, word)
    return block(text)


def block(text: str) -> str:
    """`text` as a fenced block of Markdown."""
    return f"```http\n{text}\n```"


def pretty(value: object, *, indent: int = 0) -> str:
    """JSON for reading: whatever fits stays on one line."""
    short = json.dumps(value, ensure_ascii=False)
    if len(short) + indent <= WIDTH or not isinstance(value, dict | list):
        return short
    inner, pad = indent + 2, " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f'"{key}": {pretty(each, indent=inner)}' for key, each in value.items()]
    else:
        parts = [pretty(each, indent=inner) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    lines = ",\n".join(pad + part for part in parts)
    return f"{opening}\n{lines}\n{' ' * indent}{closing}"
