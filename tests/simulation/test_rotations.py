"""Keys are changed while people are paid, and not one payout fails.

A fleet is never restarted at once, so between two steps of a rotation each piece of work may fall
to a process from before the step or after it.
"""

import base64
import json
import os
from collections.abc import Callable, Iterator

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pytest_django import Settings

from backend.open_payments import Client, Ed25519Signer
from backend.payments.models import Grant, Payment
from backend.payments.status import PaymentStatus
from backend.receipts.keys import published_keys, write_key_set
from backend.receipts.models import Receipt
from backend.receipts.verifying import verify
from backend.sealed import count_by_key, seal_again
from sandbox_wallet.transport import WorldTransport
from tests.receipts.forging import as_pem
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL, KEY

pytestmark = pytest.mark.django_db(transaction=True)
# ROTATION_PAYOUTS=50 plays the full length.
PAYOUTS = int(os.environ.get("ROTATION_PAYOUTS", "10"))
# A step is taken once so many are paid; those after it go on under what came of it.
STEPS_AFTER = tuple(PAYOUTS * tenths // 10 for tenths in (1, 3, 5, 7))
Step = Callable[[], None]


@pytest.fixture(autouse=True)
def _platform(settings: Settings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


@pytest.fixture
def market() -> Market:
    """Work of many that is accepted, and nobody is paid yet."""
    market = Market(workers=PAYOUTS)
    market.secure()
    market.accept_all()
    return market


def pay(market: Market, *, steps: list[Step], before_each: Step) -> None:
    """Pay everybody, taking the steps of a rotation on the way."""
    waiting = list(zip(STEPS_AFTER, steps, strict=False))
    for _ in range(60 * PAYOUTS):
        done = payouts(PaymentStatus.COMPLETED)
        while waiting and done >= waiting[0][0]:
            waiting.pop(0)[1]()
        if done == PAYOUTS or payouts(PaymentStatus.FAILED):
            break
        before_each()
        if not market.work():
            market.wait()
    assert waiting == []
    assert payouts(PaymentStatus.COMPLETED) == PAYOUTS


def payouts(status: PaymentStatus) -> int:
    return Payment.objects.filter(purpose="PAYOUT", status=status).count()


def refusals(market: Market) -> dict[str, int]:
    """What the wallets refused, counted by reason."""
    found: dict[str, int] = market._control("GET", "requests")["refusals"]
    return found


def test_the_client_key_is_changed_without_a_refused_request(market: Market) -> None:
    fresh = Ed25519Signer.generate("platform-key-2")
    http = httpx.Client(transport=WorldTransport(market.world, sleep=market.clock.advance))
    old, new = market.client, Client(http, fresh, clock=market.clock.now)
    fleet = [old]
    ours = {each.key_id: each.public_jwk().x for each in (KEY, fresh)}

    def publish() -> None:
        market._control("POST", "keys", {"keys": ours})

    def switch_some() -> None:
        fleet.append(new)

    def switch_all() -> None:
        fleet.remove(old)

    def remove() -> None:
        market._control("POST", "keys", {"keys": {fresh.key_id: ours[fresh.key_id]}})

    def pick() -> None:
        market.client = market.rng.choice(fleet)

    pay(market, steps=[publish, switch_some, switch_all, remove], before_each=pick)

    assert refusals(market) == {}


def test_without_publishing_it_first_a_new_client_key_stops_payouts(market: Market) -> None:
    http = httpx.Client(transport=WorldTransport(market.world, sleep=market.clock.advance))
    market.client = Client(http, Ed25519Signer.generate("platform-key-2"), clock=market.clock.now)

    with pytest.raises(AssertionError):
        pay(market, steps=[], before_each=lambda: None)

    assert refusals(market) != {}


def test_the_ring_gets_a_new_key_and_loses_the_old_one(market: Market, settings: Settings) -> None:
    # The rest of the run, its teardown too, opens what the old key sealed with the old ring.
    (old,) = settings.ENCRYPTION_KEYS
    new = f"new:{base64.b64encode(b'a ring key made for this one test'[:32]).decode()}"
    rings = [[old]]
    sealing: list[Iterator[int]] = []

    def learn() -> None:
        rings.append([old, new])

    def begin() -> None:
        rings[:] = [[old, new], [new, old]]

    def rekey() -> None:
        rings[:] = [[new, old]]
        settings.ENCRYPTION_KEYS = [new, old]
        sealing.append(seal_again(batch=40))

    def remove() -> None:
        settings.ENCRYPTION_KEYS = [new, old]
        for _ in sealing[0]:
            pass
        assert set(count_by_key()) == {"new"}
        rings[:] = [[new]]

    def pick() -> None:
        # While it is sealed again, payments go on between the batches.
        settings.ENCRYPTION_KEYS = [new, old]
        if sealing:
            next(sealing[0], None)
        settings.ENCRYPTION_KEYS = market.rng.choice(rings)

    pay(market, steps=[learn, begin, rekey, remove], before_each=pick)

    assert set(count_by_key()) == {"new"}
    assert all(grant.open_secrets() for grant in Grant.objects.exclude(secrets=""))


def test_the_receipt_key_is_changed_and_every_receipt_verifies(
    market: Market, settings: Settings
) -> None:
    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    both: list[str] = []

    def use(private: Ed25519PrivateKey, kid: str, retired: str = "") -> None:
        settings.RECEIPT_PRIVATE_KEY, settings.RECEIPT_KEY_ID = as_pem(private), kid
        settings.RECEIPT_RETIRED_KEYS = retired

    def publish() -> None:
        keys = {"old": old.public_key(), "new": new.public_key()}
        both.append(json.dumps(write_key_set(keys)))
        use(old, "old", both[0])

    def pick() -> None:
        if both and payouts(PaymentStatus.COMPLETED) >= STEPS_AFTER[1]:
            use(*market.rng.choice([(old, "old"), (new, "new")]), both[0])

    def switch() -> None:
        use(new, "new", both[0])

    use(old, "old")
    pay(market, steps=[publish], before_each=pick)
    switch()

    receipts = [receipt.jws for receipt in Receipt.objects.filter(payment__purpose="PAYOUT")]
    issuer = settings.PUBLIC_URL
    verified = [verify(jws, keys=published_keys(), issuer=issuer) for jws in receipts]
    assert len({each["number"] for each in verified}) == PAYOUTS
    assert {jwt.get_unverified_header(jws)["kid"] for jws in receipts} == {"old", "new"}
