"""Signing and verifying a request, against bare Ed25519 over the same bytes."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend.open_payments import Ed25519Signer, Signer, sign_request, verify_request
from bench.results import Row, percentile

SLICES = 80
CALLS_PER_SLICE = 100
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
URL = "https://wallet.example/quotes"
BODY = (
    b'{"walletAddress":"https://wallet.example/alice",'
    b'"receiver":"https://wallet.example/incoming-payments/0190a7d2-1b8e-7cc3-98c4-dc0c0c07398f",'
    b'"method":"ilp"}'
)
HEADERS = {
    "Accept": "application/json",
    "Content-Type": "application/json",
    "Authorization": "GNAP OS9M2PMHKUR64TB8N6BW7OZB8CDFONP219RP1LT0",
}


class _Recorder:
    """A signer that remembers what it signed."""

    key_id = "key-1"

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.seen = b""

    def sign(self, data: bytes) -> bytes:
        self.seen = data
        return self._private_key.sign(data)


def measure() -> list[Row]:
    """Take both in turns, and compare their quick slices: noise only ever adds."""
    private_key = Ed25519PrivateKey.generate()
    public_key = private_key.public_key()
    signer, recorder = Ed25519Signer(private_key, "key-1"), _Recorder(private_key)
    _sign(recorder)
    signed_bytes = recorder.seen

    def ours() -> None:
        verify_request(
            method="POST",
            target_uri=URL,
            headers=_sign(signer),
            body=BODY,
            key_for=lambda _: public_key,
            now=NOW,
            max_age_seconds=300,
        )

    def bare() -> None:
        public_key.verify(private_key.sign(signed_bytes), signed_bytes)

    our_times, bare_times = [], []
    for _ in range(SLICES):
        our_times.append(_microseconds(ours))
        bare_times.append(_microseconds(bare))
    return [
        Row(
            name="sign and verify a request / bare Ed25519",
            unit="µs",
            ours=percentile(our_times, 0.1),
            baseline=percentile(bare_times, 0.1),
            at_most=2.0,
        )
    ]


def _sign(signer: Signer) -> dict[str, str]:
    return sign_request(
        method="POST", url=URL, headers=HEADERS, body=BODY, signer=signer, created=NOW
    )


def _microseconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS_PER_SLICE):
        work()
    return (time.perf_counter() - began) / CALLS_PER_SLICE * 1e6
