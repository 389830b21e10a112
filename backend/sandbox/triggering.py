"""`manage.py trigger payment.completed`: a real payment in a running sandbox world, on demand.

A job is posted and funded, and its payer decides at the sandbox wallet's control API. The servers
do the rest, as for anybody: what is told of it is what will be told in production.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import httpx
from django.conf import settings

from backend import outbound
from backend.accounts.models import User
from backend.clock import SYSTEM_CLOCK
from backend.funding.sellers import register
from backend.funding.services import fund_job
from backend.funding.status import FundingMode
from backend.ids import new_id
from backend.jobs import posting
from backend.jobs.status import DeliverableType
from backend.jobs.validation import JobData
from backend.open_payments.types import Amount
from backend.payments import links
from backend.payments.models import Grant, Payment
from backend.payments.status import TERMINAL, GrantKind, GrantStatus, PaymentStatus

T = TypeVar("T")

# What the payer decides for each event.
DECISIONS: Mapping[str, str] = {
    "payment.completed": "accept",
    "payment.failed": "reject",
    "payment.unknown": "accept",
}
ENDINGS: Mapping[str, frozenset[PaymentStatus]] = {
    "payment.completed": frozenset({PaymentStatus.COMPLETED}),
    "payment.failed": TERMINAL - {PaymentStatus.COMPLETED},
    "payment.unknown": frozenset({PaymentStatus.UNKNOWN}),
}
# A payee of this module's own, whose wallet falls silent: other payments do not notice.
SILENT_SELLER = "silent-shop"
FOR_LONG = 1_000_000
REWARD = 100
POLL_SECONDS = 0.1


class NothingMoves(Exception):
    """The servers of the world do not do their part, or do not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Whose payment it is, and where the sandbox wallet takes decisions."""

    payer: User
    control: str
    # One that nobody else uses: payment.unknown makes it fall silent.
    silent_wallet: str = ""
    patience_seconds: float = 30.0


def trigger(event: str, *, scene: Scene) -> Payment:
    """Make the event happen, and return the payment it is about, which is over.

    After payment.unknown it is not: the order's answer was lost, and its receiver answers nobody.

    Raises:
        FaenaError: the payer cannot fund a job: they have no wallet, say, or nobody is paid.
        NothingMoves: the payment did not get on in time.
    """
    silent = event == "payment.unknown"
    payment = _asked_for(scene.payer, seller=_silent_seller(scene) if silent else None)
    grant = _await(lambda: _undecided(payment), scene, "the payer was not asked")
    if silent:
        _silence(payment, control=scene.control)
    _decide(grant, DECISIONS[event], control=scene.control)
    wanted = ENDINGS[event] | TERMINAL
    return _await(lambda: _in(payment, wanted), scene, "the payment did not end")


def _silent_seller(scene: Scene) -> str:
    register(SILENT_SELLER, scene.silent_wallet, now=SYSTEM_CLOCK.now())
    return SILENT_SELLER


def _silence(payment: Payment, *, control: str) -> None:
    """Lose the next order of the payer's wallet, and let the receiver's answer nobody."""
    payer, receiver = payment.sender.url, payment.receiver.url
    for fault in (
        {"call": "create-outgoing-payment", "wallet": _name(payer)},
        {"call": "get-public-incoming-payment", "wallet": _name(receiver), "times": FOR_LONG},
    ):
        _call("POST", f"{control}/faults", json={**fault, "act": "reset"}).raise_for_status()


def _name(wallet_address: str) -> str:
    return wallet_address.rpartition("/")[2]


def _asked_for(payer: User, *, seller: str | None) -> Payment:
    now = SYSTEM_CLOCK.now()
    wallet = payer.wallet_addresses.filter(is_default=True).first()
    code, scale = wallet.asset if wallet else ("USD", 2)
    data = JobData(
        title="A job that was triggered",
        description="It was made by manage.py trigger, to be paid for.",
        language_tag="en",
        deliverables=(DeliverableType.TEXT,),
        reward=Amount(value=REWARD, asset_code=code, asset_scale=scale),
        workers_needed=1,
        expires_at=now + timedelta(days=30),
    )
    job = posting.create_job(owner=payer, data=data, now=now)
    posting.publish_job(user=payer, job_id=job.id, now=now)
    funded = fund_job(
        payer=payer,
        job_id=job.id,
        mode=FundingMode.DIRECT,
        seller=seller,
        payer_wallet_id=None,
        expected_total=None,
        return_url=f"{settings.PUBLIC_URL}/",
        idempotency_key=new_id(),
        now=now,
    )
    assert funded.payment is not None
    return funded.payment


def _undecided(payment: Payment) -> Grant | None:
    grants = Grant.objects.filter(payment=payment, kind=GrantKind.OUTGOING_PAYMENT)
    return grants.filter(status=GrantStatus.AWAITING_APPROVAL).order_by("created_at").last()


def _in(payment: Payment, statuses: Collection[PaymentStatus]) -> Payment | None:
    return Payment.objects.filter(id=payment.id, status__in=sorted(statuses)).first()


def _await(look: Callable[[], T | None], scene: Scene, complaint: str) -> T:
    ends_at = time.monotonic() + scene.patience_seconds
    while time.monotonic() < ends_at:
        if (found := look()) is not None:
            return found
        time.sleep(POLL_SECONDS)
    raise NothingMoves(f"{complaint} in {scene.patience_seconds:g} s")


def _decide(grant: Grant, decision: str, *, control: str) -> None:
    """What the payer's browser would do: decide at the wallet, and come back with its cookie."""
    name, value = links.browser_cookie(grant.id)
    wanted = {"redirect": grant.open_secrets().redirect, "decision": decision}
    try:
        answer = _call("POST", f"{control}/decide", json=wanted)
        answer.raise_for_status()
        _call("GET", answer.json()["location"], headers={"cookie": f"{name}={value}"})
    except httpx.HTTPError as error:
        raise NothingMoves(f"{type(error).__name__} while deciding: {error}") from error


def _call(method: str, url: str, **more: Any) -> httpx.Response:
    # Both are of the world that whoever runs this has started.
    origin = "/".join(url.split("/")[:3])
    with outbound.client(outbound.Policy(allowed_origins=frozenset({origin}))) as browser:
        return browser.request(method, url, **more)


def ended_as(event: str, payment: Payment) -> bool:
    """Whether what was to happen has happened."""
    return payment.status in ENDINGS[event]
