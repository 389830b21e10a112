"""One funding in a world where anything may fail, on a clock that only the simulator moves.

The real workflow, the real database, the sandbox wallet in-process. What the payer's browser and
the worker's machine do is decided by a seed, so every history can be played again.
"""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from django.db import OperationalError, connection
from django.test import RequestFactory
from psycopg.errors import LockNotAvailable

from backend.accounts.models import User, WalletAddress
from backend.funding.models import Funding, Seller
from backend.funding.services import fund_job
from backend.funding.status import FundingMode, FundingStatus
from backend.ids import new_id
from backend.jobs.models import Job
from backend.jobs.status import JobStatus
from backend.ledger.bookings import PAYMENT
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Entry
from backend.open_payments import Client, Ed25519Signer
from backend.payments import claims, links, views, workflow
from backend.payments.models import Discrepancy, Grant, Payment
from backend.payments.status import (
    TERMINAL,
    GrantKind,
    GrantStatus,
    PaymentStatus,
)
from backend.receipts.models import Receipt
from sandbox_wallet import Options, World
from sandbox_wallet.transport import WorldTransport
from sandbox_wallet.wire import WireRequest
from tests.simulation.crashes import (
    Crash,
    CrashingTransport,
    CrashPoints,
    PausingTransport,
    RepeatingTransport,
    lose_connection,
)

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
BASE_URL = "http://sandbox.example"
KEY = Ed25519Signer.generate("platform-key-1")
MAX_ROUNDS = 400
LEASE_OVER = 61.0
# What every Rafiki does and a clock that only we move makes free.
AS_REAL_WALLETS = {"wait_s": 5, "rafiki_json": True}
# Where what arrived is booked: a payer's own account when it came back to them.
ARRIVED_IN = (
    AccountKind.SELLER,
    AccountKind.PAYEE,
    AccountKind.ESCROW,
    AccountKind.PAYER,
    AccountKind.PLATFORM_FEE,
)
# What a movement does to the payer: money is held when the order is given, a rest is released.
SIGNS = {"hold": 1, "release": -1}
# How long after the end late effects are still watched for.
AFTERMATH = timedelta(minutes=20)


@dataclass
class VirtualClock:
    """Stands still until somebody moves it."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Verdict:
    """What the wallets say beside what we say."""

    status: PaymentStatus
    funding: FundingStatus
    failure: str
    wanted: int
    delivered: int
    booked: int
    debits: int
    unexplained_debits: int
    receipts: int
    rounds: int
    points: int = 0
    history: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """Every way in which money is not right; empty is the only good answer."""
        found = []
        if self.status not in TERMINAL:
            found.append(f"stranded in {self.status}")
        if self.delivered > self.wanted:
            found.append(f"doubled: {self.delivered} delivered of {self.wanted}")
        if self.status is PaymentStatus.COMPLETED and self.delivered != self.wanted:
            found.append(f"COMPLETED with {self.delivered} of {self.wanted}")
        if self.status is not PaymentStatus.COMPLETED and self.delivered == self.wanted:
            found.append(f"lost: delivered, yet {self.status}")
        if self.booked != self.delivered:
            found.append(f"the books say that {self.booked} arrived, wallets {self.delivered}")
        if (self.funding is FundingStatus.SETTLED) != (self.status is PaymentStatus.COMPLETED):
            found.append(f"the funding is {self.funding} while the payment is {self.status}")
        if self.receipts != (self.status is PaymentStatus.COMPLETED):
            found.append(f"{self.receipts} receipts while the payment is {self.status}")
        if self.unexplained_debits:
            found.append(f"{self.unexplained_debits} debits without delivery or discrepancy")
        return found


class Simulation:
    """A payer, a seller, their wallets, and a worker that may die."""

    def __init__(
        self,
        *,
        temperament: str,
        seed: int = 0,
        options: dict[str, Any] | None = None,
        start: datetime = START,
        funded: bool = True,
        payer_wallet: str = "alice",
    ) -> None:
        self._payer_wallet = payer_wallet
        self.clock = VirtualClock(start)
        self.points = CrashPoints()
        self.rng = random.Random(seed)
        self.world = World(
            base_url=BASE_URL,
            clock=self.clock,
            rng=random.Random(seed),
            options=Options().changed(
                {"temperament": temperament, **AS_REAL_WALLETS, **(options or {})}
            ),
            platform_key=KEY,
        )
        wallets = WorldTransport(self.world, sleep=self.clock.advance)
        way = RepeatingTransport(wallets, self._is_asked_twice)
        wire = CrashingTransport(PausingTransport(way, self._before_call), self.points)
        self.client = Client(httpx.Client(transport=wire, timeout=10), KEY, clock=self.clock.now)
        self.approve = True
        self.pauses = False
        # So many orders are repeated on their way, and the second answer is passed on.
        self.repeats = 0
        self.before_each_call: Callable[[httpx.Request], None] = lambda request: None
        self.deaths = 0
        self.payer, self.job = self._new_job()
        if funded:
            self.payment = self._fund()

    def fault(self, **rule: Any) -> None:
        """Give the wallets a fault rule; see the sandbox's control API."""
        self._control("POST", "faults", rule)

    def run(self, *, crash: Callable[[int], bool] | None = None) -> Verdict:
        """Play until the payment is over and late effects had their time."""
        if crash:
            self.points.choose(crash)
        for rounds in range(1, MAX_ROUNDS + 1):  # noqa: B007  told in the verdict
            self.payment = Payment.objects.get(id=self.payment.id)
            if self.payment.status in TERMINAL:
                break
            self.visit_wallet()
            if not self.work():
                self._wait()
        self.clock.at += AFTERMATH
        self._control("POST", "clock", {"advance_s": 0})
        return self._verdict(rounds)

    # --- the actors ---------------------------------------------------------------------------

    def work(self) -> bool:
        """Let a worker look at the payment once; False when it was not due."""
        return self.dying_now_and_then(self._advance_the_payment)

    def _advance_the_payment(self) -> bool:
        claimed = claims.claim_due(Payment, now=self.clock.now(), limit=1, only=self.payment.id)
        for payment in claimed:
            workflow.advance(payment, client=self.client, clock=self.clock, rng=self.rng)
        return bool(claimed)

    def dying_now_and_then(self, work: Callable[[], bool]) -> bool:
        """Do what a worker does, and what it does to a worker to die of it; then True."""
        try:
            with self.points.watching():
                return work()
        except BaseException as error:
            # Django trips over the lost connection on the way out; that is part of dying.
            if not (isinstance(error, Crash) or self.points.crashed):
                raise
            self.deaths += 1
            lose_connection()
            return True

    def _before_call(self, request: httpx.Request) -> None:
        self.before_each_call(request)
        self._maybe_pause()

    def _is_asked_twice(self, request: httpx.Request) -> bool:
        is_order = request.method == "POST" and request.url.path.endswith("/outgoing-payments")
        if not is_order or not self.repeats or self.rng.random() < 0.5:
            return False
        self.repeats -= 1
        return True

    def _maybe_pause(self) -> None:
        """Stop this worker past its lease, with its request in hand, while another one works."""
        if not self.pauses or not self.points.active or self.rng.random() > 0.1:
            return
        self.clock.advance(LEASE_OVER)
        if connection.vendor == "postgresql":
            # SQLite keeps no lock around a call: there a paused worker is outside the promise.
            other = threading.Thread(target=self._other_worker)
            other.start()
            other.join()

    def _other_worker(self) -> None:
        # A second machine. It waits for a row that the stopped one keeps locked around its call,
        # which here would be for ever.
        self.points.active, was_active = False, self.points.active
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '300ms'")
            self._advance_beside()
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
        finally:
            connection.close()
            self.points.active = was_active

    def _advance_beside(self) -> None:
        self._advance_the_payment()

    def visit_wallet(self) -> None:
        """Decide in the wallet, as the payer does, if the payment waits for it."""
        grant = (
            Grant.objects.filter(
                payment=self.payment,
                kind=GrantKind.OUTGOING_PAYMENT,
                status=GrantStatus.AWAITING_APPROVAL,
            )
            .order_by("created_at")
            .last()
        )
        if grant is None or self.payment.status != PaymentStatus.AWAITING_APPROVAL:
            return
        location = self.decide("accept" if self.approve else "reject")
        name, value = links.browser_cookie(grant.id)
        request = RequestFactory().get("/op/finish", dict(parse_qsl(urlsplit(location).query)))
        request.COOKIES[name] = value
        opaque = urlsplit(location).path.rpartition("/")[2]
        self._finish_now(request, opaque)

    def decide(self, decision: str) -> str:
        """Accept or reject at the wallet; return where it sends the browser."""
        grant = Grant.objects.filter(payment=self.payment, kind=GrantKind.OUTGOING_PAYMENT).latest(
            "created_at"
        )
        redirect = grant.open_secrets().redirect
        answer = self._control("POST", "decide", {"redirect": redirect, "decision": decision})
        return str(answer["location"])

    def payment_now(self) -> Payment:
        """The payment as the database has it."""
        return Payment.objects.get(id=self.payment.id)

    def options(self, **options: Any) -> None:
        """Change how the wallets behave; see the sandbox's control API."""
        self._control("POST", "options", options)

    def _finish_now(self, request: Any, opaque: str) -> None:
        class Now:
            now = staticmethod(self.clock.now)

        views.finish(request, opaque, clock=Now())

    def _wait(self) -> None:
        payment = Payment.objects.get(id=self.payment.id)
        next_at = payment.due_at or self.clock.at
        if payment.lease_until is not None:
            next_at = max(next_at, payment.lease_until + timedelta(milliseconds=1))
        self.clock.at = max(next_at, self.clock.at + timedelta(milliseconds=100))

    # --- the world ----------------------------------------------------------------------------

    def _control(self, method: str, what: str, body: dict[str, Any] | None = None) -> Any:
        answer = self.world.handle(
            WireRequest(
                method=method,
                url=f"{BASE_URL}/__ctl/{what}",
                headers=(("content-type", "application/json"),),
                body=json.dumps(body or {}).encode() if method == "POST" else b"",
            )
        )
        assert answer.status < 300, answer.body
        return json.loads(answer.body) if answer.body else None

    def _new_job(self) -> tuple[User, Job]:
        payer = User.objects.create(
            email=f"{new_id()}@example.org", display_name="Alice", created_at=self.clock.at
        )
        WalletAddress.objects.create(
            owner=payer, is_default=True, **self._wallet(self._payer_wallet)
        )
        shop = self._wallet("shop")
        till, _ = WalletAddress.objects.get_or_create(owner=None, url=shop["url"], defaults=shop)
        WalletAddress.objects.filter(id=till.id).update(checked_at=self.clock.at)
        Seller.objects.get_or_create(
            slug="default-seller", defaults={"wallet": till, "created_at": self.clock.at}
        )
        job = Job.objects.create(
            owner=payer,
            title="Translate",
            description="Translate a page.",
            deliverables=["TEXT"],
            reward_value=1250,
            asset_code="USD",
            asset_scale=2,
            workers_needed=2,
            status=JobStatus.RECRUITING,
            recruit_until=self.clock.at + timedelta(days=7),
            expires_at=self.clock.at + timedelta(days=40),
            created_at=self.clock.at,
            updated_at=self.clock.at,
        )
        return payer, job

    def _fund(self) -> Payment:
        funded = fund_job(
            payer=self.payer,
            job_id=self.job.id,
            mode=FundingMode.DIRECT,
            seller=None,
            payer_wallet_id=None,
            expected_total=self.job.total_budget,
            return_url="http://127.0.0.1:8000/",
            idempotency_key=new_id(),
            now=self.clock.at,
        )
        return Payment.objects.get(reference=funded.funding.id)

    def _wallet(self, name: str) -> dict[str, Any]:
        answer = self.world.handle(WireRequest(method="GET", url=f"{BASE_URL}/{name}"))
        document = json.loads(answer.body)
        return {
            "url": document["id"],
            "asset_code": document["assetCode"],
            "asset_scale": document["assetScale"],
            "auth_server": document["authServer"],
            "resource_server": document["resourceServer"],
            "checked_at": self.clock.at,
        }

    def _verdict(self, rounds: int) -> Verdict:
        payment = Payment.objects.get(id=self.payment.id)
        receivers = {attempt.incoming_payment_url for attempt in payment.attempts.all()}
        movements = self.movements()
        moved = [move for move in movements if move["receiver"] in receivers]
        delivered = sum(int(move["value"]) for move in moved if move["kind"] == "deliver")
        debits: Counter[str] = Counter()
        for move in moved:
            debits[move["outgoing"]] += SIGNS.get(move["kind"], 0) * int(move["value"])
        debited = [outgoing for outgoing, value in debits.items() if value > 0]
        explained = Discrepancy.objects.filter(payment=payment).count()
        return Verdict(
            status=PaymentStatus(payment.status),
            funding=FundingStatus(Funding.objects.get(id=payment.reference).status),
            failure=payment.failure_code,
            wanted=payment.receive_value or 0,
            delivered=delivered,
            booked=self.booked(payment),
            debits=len(debited),
            unexplained_debits=max(0, len(debited) - (delivered > 0) - explained),
            receipts=Receipt.objects.filter(payment=payment).count(),
            rounds=rounds,
            points=self.points.passed,
            history=[
                f"{row.old}→{row.new} {row.reason}"
                for row in payment.transitions.order_by("at", "id")
            ],
        )

    def movements(self) -> list[dict[str, Any]]:
        """Everything that money did in the wallets."""
        return list(self._control("GET", "ledger")["movements"])

    def booked(self, payment: Payment) -> int:
        """What the books say has arrived of this payment."""
        arrived = Entry.objects.filter(
            transfer__payment=payment,
            transfer__reason=PAYMENT,
            account__kind__in=ARRIVED_IN,
            amount__gt=0,
        )
        return sum(arrived.values_list("amount", flat=True))
