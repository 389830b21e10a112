"""The official TypeScript client, unmodified and validating, against a running sandbox wallet."""

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.conftest import HERE

CALLS = (
    "walletAddress.get",
    "walletAddress.get, unauthenticated",
    "walletAddress.get, useHttp",
    "walletAddress.getKeys",
    "grant.request, incoming-payment",
    "grant.request, quote",
    "grant.request, outgoing-payment with a finish",
    "grant.request, outgoing-payment without a finish",
    "grant.request, subject",
    "grant.request, client by JWK",
    "grant.continue, interact_ref",
    "grant.continue, still pending",
    "grant.continue, polled to its end",
    "grant.continue, subject",
    "grant.cancel",
    "token.rotate",
    "token.revoke",
    "incomingPayment.create, fixed amount",
    "incomingPayment.create, open amount",
    "incomingPayment.create, client by JWK",
    "incomingPayment.get",
    "incomingPayment.get, unauthenticated",
    "incomingPayment.get, paid",
    "incomingPayment.getPublic",
    "incomingPayment.list, forward",
    "incomingPayment.list, backward",
    "incomingPayment.complete",
    "quote.create, receiver only",
    "quote.create, receiveAmount",
    "quote.create, debitAmount",
    "quote.get",
    "outgoingPayment.create, quoteId",
    "outgoingPayment.create, incomingPayment and debitAmount",
    "outgoingPayment.get",
    "outgoingPayment.get, rotated token",
    "outgoingPayment.list, forward",
    "outgoingPayment.list, backward",
    "outgoingPayment.getGrantSpentAmounts",
    "refused: an unknown wallet address",
    "refused: a DID document, which no wallet has",
    "refused: another key under our key id",
    "refused: a rotated token",
    "refused: a payment completed twice",
    "refused: a grant that was declined",
)
ROOT = HERE.parent.parent
START_SECONDS = 30


@contextmanager
def sandbox(folder: Path) -> Iterator[dict[str, Any]]:
    """Run `python -m sandbox_wallet` as anybody would, and give what it says when it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox_wallet", "--port", "0", "--db", folder / "wallet.sqlite3"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        assert ready, "the sandbox wallet did not start"
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=START_SECONDS)


@pytest.fixture(scope="module", params=["strict", "loose"])
def made(
    request: pytest.FixtureRequest, node: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Every call that official_client.mjs made of a sandbox of this temperament, by name."""
    with sandbox(tmp_path_factory.mktemp("sandbox")) as ready:
        # A loose wallet refuses to close its incoming payments; this one does it when asked.
        temperament = {"temperament": request.param, "closes_receiver": True}
        options = httpx.post(f"{ready['control']}/options", json=temperament)
        assert options.status_code == 200, options.text
        done = subprocess.run(
            [node, "official_client.mjs", json.dumps(ready)],
            cwd=HERE,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["call"]: line for line in lines}


@pytest.mark.parametrize("call", CALLS)
def test_the_official_client_is_content_with(made: dict[str, Any], call: str) -> None:
    assert call in made, "the call was not made"
    assert made[call]["ok"], made[call]


def test_no_call_is_made_that_nobody_checks(made: dict[str, Any]) -> None:
    assert set(made) == set(CALLS)
