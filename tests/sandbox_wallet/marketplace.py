"""A client of the sandbox for its tests: signs raw requests, so that refusals can be seen."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx

from backend.open_payments import Ed25519Signer, sign_request
from sandbox_wallet import Options, World
from sandbox_wallet.transport import WorldTransport

BASE = "http://sandbox.example"
CONTROL = f"{BASE}/__ctl"
FINISH = "https://platform.example/finish/abc?state=1"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Json = dict[str, Any]


@dataclass
class ManualClock:
    """A clock that stands still until a test moves it."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def dump(body: Json) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def amount(value: int, code: str = "USD", scale: int = 2) -> Json:
    return {"value": str(value), "assetCode": code, "assetScale": scale}


@dataclass
class Marketplace:
    """One client instance and the few flows that the tests repeat."""

    http: httpx.Client
    signer: Ed25519Signer
    clock: ManualClock = field(default_factory=ManualClock)
    base: str = BASE
    identity: Json | None = None
    world: World | None = None

    def close(self) -> None:
        """Close the connections, and the sandbox if it is our own."""
        self.http.close()
        if self.world is not None:
            self.world.close()

    @property
    def client(self) -> str:
        return f"{self.base}/platform"

    @property
    def control(self) -> str:
        return f"{self.base}/__ctl"

    def call(
        self,
        method: str,
        url: str,
        body: Json | bytes | None = None,
        *,
        token: str | None = None,
        changes: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send a signed request; `changes` replaces headers after signing."""
        content = dump(body) if isinstance(body, dict) else body
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"GNAP {token}"
        if content is not None:
            headers["Content-Type"] = "application/json"
        request = self.http.build_request(method, url, content=content, headers=headers)
        target = f"{request.url.scheme}://{request.url.netloc.decode()}"
        signed = sign_request(
            method=method,
            url=target + request.url.raw_path.decode(),
            headers=headers,
            body=content,
            signer=self.signer,
            created=self.clock(),
        )
        request.headers.update({**signed, **(changes or {})})
        return self.http.send(request)

    def tell(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        """Use the control API."""
        return self.http.request(method, f"{self.control}/{path}", json=body)

    def fault(self, call: str, act: str, **rule: Any) -> Json:
        answer = self.tell("POST", "faults", {"call": call, "act": act, **rule})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def options(self, **changes: Any) -> None:
        answer = self.tell("POST", "options", changes)
        assert answer.status_code == 200, answer.text

    def ledger(self, receiver: str | None = None) -> Json:
        query = "" if receiver is None else f"?receiver={quote(receiver, safe='')}"
        return dict(self.tell("GET", f"ledger{query}").json())

    def balance(self, wallet: str) -> int:
        accounts = {one["account"]: one["balance"] for one in self.ledger()["accounts"]}
        return int(accounts[f"user:{wallet}"])

    # -- the protocol, step by step -------------------------------------------------------

    def wallet(self, name: str) -> Json:
        return dict(self.http.get(f"{self.base}/{name}").json())

    def grant_request(self, wallet: str, access: list[Json], **more: Any) -> httpx.Response:
        client = self.identity or {"walletAddress": self.client}
        body = {"access_token": {"access": access}, "client": client}
        return self.call("POST", self.wallet(wallet)["authServer"], {**body, **more})

    def token(self, wallet: str, kind: str, *actions: str) -> str:
        item: Json = {"type": kind, "actions": list(actions or ("create", "read"))}
        if kind != "quote":
            item["identifier"] = f"{self.base}/{wallet}"
        answer = self.grant_request(wallet, [item])
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"]["value"])

    def incoming(self, wallet: str, value: int | None, **more: Any) -> Json:
        document = self.wallet(wallet)
        body: Json = {"walletAddress": document["id"], **more}
        if value is not None:
            body["incomingAmount"] = amount(value, document["assetCode"], document["assetScale"])
        token = self.token(wallet, "incoming-payment")
        answer = self.call(
            "POST", f"{document['resourceServer']}/incoming-payments", body, token=token
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def received(self, url: str) -> int:
        return int(self.http.get(url).json()["receivedAmount"]["value"])

    def quote(self, wallet: str, receiver: str, **amounts: Json) -> Json:
        answer = self.try_quote(wallet, receiver, **amounts)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def try_quote(self, wallet: str, receiver: str, **amounts: Json) -> httpx.Response:
        document = self.wallet(wallet)
        body = {"walletAddress": document["id"], "receiver": receiver, "method": "ilp", **amounts}
        token = self.token(wallet, "quote")
        return self.call("POST", f"{document['resourceServer']}/quotes", body, token=token)

    def ask(
        self, wallet: str, limits: Json | None = None, *, finish: bool = True, **more: Any
    ) -> httpx.Response:
        """Request a grant for outgoing payments."""
        item: Json = {
            "type": "outgoing-payment",
            "actions": ["create", "read", "list"],
            "identifier": f"{self.base}/{wallet}",
        }
        if limits is not None:
            item["limits"] = limits
        interact: Json = {"start": ["redirect"]}
        if finish:
            interact["finish"] = {"method": "redirect", "uri": FINISH, "nonce": "client-nonce"}
        return self.grant_request(wallet, [item], interact=interact, **more)

    def decide(self, pending: Json, decision: str = "accept") -> dict[str, str]:
        """Decide at the control API; return the query of the finish redirect."""
        answer = self.tell(
            "POST",
            "decide",
            {"redirect": pending["interact"]["redirect"], "decision": decision},
        )
        assert answer.status_code == 200, answer.text
        return dict(parse_qsl(urlsplit(answer.json()["location"]).query))

    def continue_(self, pending: Json, interact_ref: str | None = None) -> httpx.Response:
        return self.call(
            "POST",
            pending["continue"]["uri"],
            None if interact_ref is None else {"interact_ref": interact_ref},
            token=pending["continue"]["access_token"]["value"],
        )

    def consent(self, wallet: str, limits: Json | None = None) -> Json:
        """Ask for a grant, have it approved and fetch its token."""
        pending = self.ask(wallet, limits)
        assert pending.status_code == 200, pending.text
        finish = self.decide(pending.json())
        answer = self.continue_(pending.json(), finish["interact_ref"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def send(self, wallet: str, quote_id: str, token: str, **more: Any) -> httpx.Response:
        document = self.wallet(wallet)
        body = {"walletAddress": document["id"], "quoteId": quote_id, **more}
        url = f"{document['resourceServer']}/outgoing-payments"
        return self.call("POST", url, body, token=token)

    def pay(self, sender: str, receiver_wallet: str, value: int) -> tuple[Json, Json, str]:
        """Pay `value` in full; return incoming payment, outgoing payment and token."""
        incoming = self.incoming(receiver_wallet, value)
        quote_ = self.quote(sender, incoming["id"])
        token = self.consent(sender, {"debitAmount": quote_["debitAmount"]})
        value_ = str(token["access_token"]["value"])
        answer = self.send(sender, quote_["id"], value_)
        assert answer.status_code == 201, answer.text
        return incoming, dict(answer.json()), value_


def open_marketplace(*, options: Options | None = None, seed: int = 1) -> Marketplace:
    """Make a sandbox in memory and a client of it."""
    clock = ManualClock()
    world = World(base_url=BASE, clock=clock, rng=random.Random(seed), options=options)
    platform = world.platform
    signer = Ed25519Signer.from_pem(platform.private_key_pem, platform.key_id)
    http = httpx.Client(transport=WorldTransport(world), timeout=5)
    return Marketplace(http=http, signer=signer, clock=clock, world=world)
