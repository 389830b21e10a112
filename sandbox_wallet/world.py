"""The sandbox wallet as one synchronous object: a request goes in, an answer comes out.

The process around it (`app`) and the in-process transport (`transport`) both only call
`World.handle`, so a test and a server see the same wallet.
"""

import json
import random
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend.open_payments.keys import Ed25519Signer
from sandbox_wallet import control, documents, execution, faults, grants, pages, routes, seed
from sandbox_wallet.bank import Bank, Call, digest_of
from sandbox_wallet.clients import NeedsDocument
from sandbox_wallet.db import connect, wipe
from sandbox_wallet.faults import Fault
from sandbox_wallet.options import Options
from sandbox_wallet.tokens import presented
from sandbox_wallet.wire import Refusal, WireRequest, WireResponse, json_response

_MOST_DOCUMENTS = 4


def system_clock() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformClient:
    """The ready-made client: a wallet address, and the key its jwks.json publishes."""

    wallet_address: str
    key_id: str
    private_key_pem: str


class World:
    """All wallets of one sandbox, their auth servers, their ledger and their consent pages.

    `db` is a file or `:memory:`; `base_url` the origin under which clients see it; `clock`
    and `rng` None are the system's. `platform_key` None makes a new client key. Stored state
    and options win over `options`. Safe to share between threads.
    """

    def __init__(
        self,
        *,
        db: str = ":memory:",
        base_url: str = "http://sandbox.example",
        clock: Callable[[], datetime] = system_clock,
        rng: random.Random | None = None,
        options: Options | None = None,
        platform_key: Ed25519Signer | None = None,
        fetch: Callable[[str], Any] = documents.fetch,
    ) -> None:
        self.base_url = _checked_origin(base_url)
        rng = rng or random.SystemRandom()
        self._key = platform_key or _new_key(rng)
        self._fetch = fetch
        self._lock = threading.Lock()
        self._db = connect(db)
        # For a world of a test, which is left behind unclosed: Python 3.13 complains of that.
        weakref.finalize(self, self._db.close)
        self.bank = Bank(
            self._db,
            base_url=self.base_url,
            clock=clock,
            rng=rng,
            options=options or Options(),
        )
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            if not self.bank.wallets():
                seed.populate(self.bank)
            # The key file may have been lost or exchanged since the state was written.
            seed.publish_platform_key(self.bank, self._key.public_jwk().x)
            self._db.execute("COMMIT")

    @property
    def platform(self) -> PlatformClient:
        """The client instance that clients under test may use."""
        return PlatformClient(
            wallet_address=f"{self.base_url}/{seed.PLATFORM}",
            key_id=seed.PLATFORM_KEY_ID,
            private_key_pem=self._key.to_pem(),
        )

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def handle(self, request: WireRequest) -> WireResponse:
        """Serve one request of any kind: protocol, consent page or control.

        Never raises for what a request contains.
        """
        known: dict[str, Any] = {}
        while True:
            try:
                with self._lock:
                    return self._serve(request, known)
            except NeedsDocument as needed:
                # Asked for without the lock, so that a client inside our own process can answer.
                enough = len(known) >= _MOST_DOCUMENTS
                known[needed.url] = None if enough else self._fetch(needed.url)

    def _serve(self, request: WireRequest, known: dict[str, Any]) -> WireResponse:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            now = self.bank.now()
            self._catch_up(now, known)
            answer = self._route(request, now, known)
        except BaseException:
            self._db.execute("ROLLBACK")
            self.bank.recall()
            raise
        self._db.execute("COMMIT")
        return answer

    def _route(self, request: WireRequest, now: int, known: dict[str, Any]) -> WireResponse:
        found = routes.find(request)
        if isinstance(found, WireResponse):
            return found
        route, args = found
        call = Call(
            request=request,
            operation=routes.operation_of(route, request),
            args=args,
            now=now,
            arrived=self.bank.real_now(),
            documents=known,
        )
        if not route.is_protocol:
            return self._front(route, call)
        fault = faults.strike(self.bank, call.operation, lambda: routes.wallet_of(self.bank, call))
        answer = self._answer(route, call, fault)
        act = None if fault is None else fault.act
        control.remember_request(self.bank, call, answer, act, digest_of(request))
        return answer

    def _front(self, route: routes.Route, call: Call) -> WireResponse:
        match route.name:
            case "index":
                return pages.index(self.bank)
            case "reset":
                wipe(self._db)
                self._db.execute("DELETE FROM meta")
                self.bank.recall()
                seed.populate(self.bank)
                seed.publish_platform_key(self.bank, self._key.public_jwk().x)
                return json_response(200, {"reset": True})
            case "advance-clock":
                try:
                    self.bank.advance(control.seconds_to_advance(call))
                except Refusal as refusal:
                    return refusal.response
                call.now = self.bank.now()
                self._catch_up(call.now, call.documents)
                return control.show_clock(self.bank, call)
            case _:
                return self._run(route, call)

    def _answer(self, route: routes.Route, call: Call, fault: Fault | None) -> WireResponse:
        if fault is None:
            return self._run(route, call)
        if fault.changes_money:
            call.mischief = {"act": fault.act, **fault.arguments}
            if fault.act == "revoke_grant":
                self._revoke_grant_of(call)
            return self._run(route, call)
        if fault.when == "late":
            self._postpone(route, call, fault)
            return faults.lost_answer(fault)
        if fault.when == "before" and fault.act not in faults.NEED_AN_ANSWER:
            return faults.lost_answer(fault)
        return faults.distort(fault, self._run(route, call))

    def _run(self, route: routes.Route, call: Call) -> WireResponse:
        assert route.handler is not None
        self._db.execute("SAVEPOINT handler")
        try:
            answer = route.handler(self.bank, call)
        except Refusal as refusal:
            self._db.execute("ROLLBACK TO handler")
            answer = refusal.response
        self._db.execute("RELEASE handler")
        return answer

    # -- what happens without a request ---------------------------------------------------

    def _postpone(self, route: routes.Route, call: Call, fault: Fault) -> None:
        """Put the effect of a call on the agenda, to happen as if it had been stuck inside."""
        late = float(fault.arguments.get("late_s", 30))
        detail = {
            "method": call.request.method,
            "url": call.request.url,
            "headers": call.request.headers,
            "body": call.request.body.decode("latin-1"),
        }
        self._db.execute(
            "INSERT INTO agenda (due, what, detail) VALUES (?, 'request', ?)",
            (call.now + round(late * 1_000_000), json.dumps(detail)),
        )

    def _catch_up(self, now: int, known: Mapping[str, Any]) -> None:
        """Do what fell due since the last request, in order, each at its own time."""
        while True:
            row = self._db.execute(
                "SELECT * FROM agenda WHERE due <= ? ORDER BY due, seq LIMIT 1", (now,)
            ).fetchone()
            if row is None:
                return
            self._db.execute("DELETE FROM agenda WHERE seq = ?", (row["seq"],))
            if row["what"] == "settle":
                execution.settle(self.bank, row["detail"], row["due"])
            else:
                self._run_postponed(json.loads(row["detail"]), row["due"], known)

    def _run_postponed(self, detail: dict[str, Any], due: int, known: Mapping[str, Any]) -> None:
        request = WireRequest(
            method=detail["method"],
            url=detail["url"],
            headers=tuple((name, value) for name, value in detail["headers"]),
            body=detail["body"].encode("latin-1"),
        )
        found = routes.find(request)
        assert not isinstance(found, WireResponse)
        route, args = found
        call = Call(
            request=request,
            operation=routes.operation_of(route, request),
            args=args,
            now=due,
            arrived=self.bank.real_now(),
            late=True,
            documents=known,
        )
        answer = self._run(route, call)
        control.remember_request(self.bank, call, answer, "late", digest_of(request))

    def _revoke_grant_of(self, call: Call) -> None:
        row = self._db.execute(
            "SELECT grant_id FROM tokens WHERE value = ?", (presented(call),)
        ).fetchone()
        if row is not None:
            grants.revoke(self.bank, row["grant_id"])


def _new_key(rng: random.Random) -> Ed25519Signer:
    private_key = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
    return Ed25519Signer(private_key, seed.PLATFORM_KEY_ID)


def _checked_origin(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
        raise ValueError(f"base_url must be an origin such as http://127.0.0.1:8100: {base_url}")
    return f"{parts.scheme}://{parts.netloc}"
