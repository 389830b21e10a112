"""`manage.py verify_receipt`, run by somebody with only the receipt and the published keys."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from backend.receipts.models import Receipt
from backend.receipts.verifying import SENTENCES, Flaw
from tests.docs import pages
from tests.receipts.conftest import ISSUER
from tests.receipts.forging import as_pem, public_jwk, signed
from tests.simulation.simulator import Simulation

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(receipt: Receipt, client: Client, tmp_path: Path) -> Path:
    """A receipt and the published keys, saved."""
    (tmp_path / "receipt.txt").write_text(f"{receipt.jws}\n")
    jwks = client.get("/.well-known/receipts/jwks.json").content
    (tmp_path / "jwks.json").write_bytes(jwks)
    return tmp_path


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command("verify_receipt", *arguments, stdout=out)
    return out.getvalue()


def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        said(*arguments)
    return str(refused.value)


def test_a_process_with_neither_database_nor_settings_checks_it_with_the_published_keys(
    completed: Simulation, folder: Path
) -> None:
    process = subprocess.run(
        [
            *(sys.executable, "manage.py", "verify_receipt", str(folder / "receipt.txt")),
            *("--keys", str(folder / "jwks.json"), "--issuer", ISSUER),
        ],
        cwd=pages.ROOT,
        env={
            "PATH": os.environ["PATH"],
            "VAR_DIR": str(folder / "var"),
            "SECRET_KEY": "any",
            "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (process.returncode, process.stderr) == (0, "")
    assert " is genuine: http://127.0.0.1:8000 signed it." in process.stdout
    assert not list((folder / "var").glob("*.pem")), "and it makes no key"


def test_it_says_what_was_paid_by_whom_to_whom(completed: Simulation, folder: Path) -> None:
    payment = completed.payment

    told = said(str(folder / "receipt.txt"))

    for fact in (
        f"25.00 USD at {payment.receiver.url}",
        f"{payment.debit_amount} from {payment.sender.url}",
        str(payment.id),
        "Translate",
        payment.attempts.get().outgoing_payment_url,
    ):
        assert fact in told


def test_it_reads_stdin(receipt: Receipt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(receipt.jws))

    assert receipt.number in said("-")


def test_a_receipt_whose_outgoing_payment_was_never_found_is_told_too(
    completed: Simulation, settings: Settings, tmp_path: Path
) -> None:
    from backend.receipts.issuing import claims_of

    completed.payment.attempts.update(outgoing_payment_url="")
    key = Ed25519PrivateKey.generate()
    settings.RECEIPT_PRIVATE_KEY, settings.RECEIPT_KEY_ID = as_pem(key), "2026"
    claims = claims_of(completed.payment, number="R-2026-0", at=completed.clock.now())
    (tmp_path / "receipt.txt").write_text(signed(key, claims=claims))

    assert "the wallet's answer was lost" in said(str(tmp_path / "receipt.txt"))


def test_a_tampered_receipt_is_refused_in_a_sentence(folder: Path) -> None:
    path = folder / "receipt.txt"
    head, body, signature = path.read_text().split(".")
    path.write_text(f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}")

    assert refusal(str(path)) == SENTENCES[Flaw.BAD_SIGNATURE]


def test_one_of_another_marketplace_is_refused_in_a_sentence(folder: Path) -> None:
    path, keys = str(folder / "receipt.txt"), folder / "jwks.json"
    keys.write_text(json.dumps({"keys": [public_jwk(Ed25519PrivateKey.generate())]}))

    assert refusal(path, "--keys", str(keys)) == SENTENCES[Flaw.UNKNOWN_KEY]
    assert refusal(path, "--issuer", "https://evil.example") == SENTENCES[Flaw.WRONG_ISSUER]


def test_what_cannot_be_read_is_named(folder: Path) -> None:
    receipt = str(folder / "receipt.txt")
    (folder / "binary").write_bytes(b"\xff\xfe")

    assert "missing.txt cannot be read" in refusal(str(folder / "missing.txt"))
    assert "binary cannot be read" in refusal(str(folder / "binary"))
    assert "is not a JWK set" in refusal(receipt, "--keys", receipt)


def test_a_refusal_is_the_exit_code_1(folder: Path) -> None:
    (folder / "receipt.txt").write_text("no receipt")
    process = subprocess.run(
        [sys.executable, "manage.py", "verify_receipt", str(folder / "receipt.txt")],
        cwd=pages.ROOT,
        env={**os.environ, "VAR_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert process.returncode == 1
    assert re.search(r"CommandError: This is not the text of a receipt", process.stderr)
