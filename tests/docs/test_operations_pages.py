"""The pages for operators name what is there: settings, times and processes."""

import importlib
import json
import re
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from backend.events.retention import EVENT_RETENTION_DAYS
from backend.open_payments.keys import Ed25519Signer
from backend.receipts.keys import read_key_set
from tests.docs import pages
from tools.make_secrets import make_secrets

BACKUPS, PRIVACY, DEPLOYMENT, SIZING = (
    pages.DOCS / f"{name}.md" for name in ("backups", "privacy", "deployment", "sizing")
)
SETTING = re.compile(r"`([A-Z]+(?:_[A-Z]+)+)`")
# Statuses, kinds and codes are written like settings.
NO_SETTINGS = re.compile(
    r"DISCREPANCY|UNKNOWN_OUTGOING|LATE_CREDIT|PAST_DEADLINE|CANNOT_LOOK_UP|STOOD_STILL"
    r"|NOT_DELIVERED|PARTIALLY_DELIVERED|[A-Z]+_OPEN$|CONSENT_HELD"
)


@pytest.mark.parametrize("page", [BACKUPS, PRIVACY, DEPLOYMENT, SIZING], ids=lambda page: page.stem)
def test_every_setting_is_one_of_the_example_environment(page: Path) -> None:
    example = (pages.ROOT / ".env.example").read_text()
    named = [each for each in SETTING.findall(page.read_text()) if not NO_SETTINGS.match(each)]

    there = re.findall(r"^(?:#|#   )?([A-Z_]+)=", example, re.MULTILINE)
    assert [each for each in named if each.removesuffix("_FILE") not in there] == []


def test_what_is_kept_is_kept_for_as_long_as_it_says() -> None:
    rows = pages.table_with_heading(PRIVACY, "What")

    for _what, constant, kept in rows:
        module, _, name = constant.strip("`").rpartition(".")
        value = getattr(importlib.import_module(f"backend.{module}"), name)
        assert pages.in_words(value) == kept, constant
    assert f"kept for {EVENT_RETENTION_DAYS} days" in PRIVACY.read_text()
    assert f"after {EVENT_RETENTION_DAYS} days" in SIZING.read_text()


def test_the_public_half_of_a_key_is_what_the_commands_print(tmp_path: Path) -> None:
    make_secrets(tmp_path / "secrets")
    text = DEPLOYMENT.read_text().partition("## The client key")[2]
    (lines, jwk), *_ = re.findall(r"```sh\n(.+?)```.+?```json\n(.+?)```", text, re.DOTALL)

    pem, x = (
        subprocess.run(
            line, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        ).stdout.strip()
        for line in lines.splitlines()
    )

    signer = Ed25519Signer.from_pem((tmp_path / "secrets/op_client_private_key").read_text(), "k2")
    entry = jwk.replace("<key id>", "k2").replace("<x>", x)
    assert json.loads(entry) == signer.public_jwk().to_json()
    (public,) = read_key_set(f'{{"keys": [{entry}]}}').values()
    assert load_pem_public_key(pem.encode()) == public


def test_the_processes_are_those_of_the_procfile() -> None:
    lines = (pages.ROOT / "Procfile").read_text().splitlines()
    named = [words[0].strip("`") for words in pages.table_with_heading(DEPLOYMENT, "process")]

    assert sorted(named) == sorted(line.partition(":")[0] for line in lines)
