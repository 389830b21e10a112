"""sandbox_wallet/README.md shows what the sandbox says, and how a test has one."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from sandbox_wallet.__main__ import ready_line
from sandbox_wallet.transport import WorldTransport
from sandbox_wallet.world import World
from tests.docs import pages

PAGE = pages.ROOT / "sandbox_wallet" / "README.md"


def test_the_first_line_is_as_shown() -> None:
    shown = json.loads(pages.block(PAGE, "json"))

    with_a_process = World(base_url=shown["base"])
    said = json.loads(
        ready_line(with_a_process, Path(shown["clients"]["platform"]["privateKeyPath"]))
    )
    with_a_process.close()

    assert said["wallets"].items() >= shown["wallets"].items()
    assert {**said, "wallets": None} == {**shown, "wallets": None}


def test_a_wallet_answers_without_a_process() -> None:
    there: dict[str, Any] = {
        "World": World,
        "WorldTransport": WorldTransport,
        "httpx": httpx,
        "random": random,
        "clock": lambda: datetime(2026, 6, 1, 12, tzinfo=UTC),
    }

    exec(pages.block(PAGE, "python"), there)

    answer = there["http"].get(
        "http://sandbox.example/alice", headers={"Accept": "application/json"}
    )
    assert answer.json()["id"] == "http://sandbox.example/alice"
