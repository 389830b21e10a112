"""What anybody can ask the marketplace about receipts."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from backend.receipts.keys import published_keys, read_key_set, write_key_set
from backend.receipts.models import Receipt
from backend.receipts.verifying import verify
from backend.receipts.views import verify_url
from tests.receipts.conftest import ISSUER
from tests.receipts.forging import as_pem

pytestmark = pytest.mark.django_db

JWKS = "/.well-known/receipts/jwks.json"


def asked(client: Client, body: str | bytes, **more: Any) -> dict[str, Any]:
    answer = client.post(verify_url().removeprefix(ISSUER), body, content_type="text/plain", **more)
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "no-store" in answer["Cache-Control"]
    body_of: dict[str, Any] = answer.json()
    return body_of


def test_the_published_keys_alone_verify_a_receipt(client: Client, receipt: Receipt) -> None:
    answer = client.get(JWKS)

    claims = verify(receipt.jws, keys=read_key_set(answer.content.decode()), issuer=ISSUER)
    assert claims["number"] == receipt.number


def test_the_published_keys_may_be_kept_for_an_hour_and_read_by_every_page(client: Client) -> None:
    answer = client.get(JWKS, headers={"origin": "https://anywhere.example"})

    assert answer["Content-Type"] == "application/jwk-set+json"
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert not answer.cookies


def test_a_receipt_signed_before_the_key_was_changed_verifies_after_it(
    client: Client, receipt: Receipt, settings: Settings
) -> None:
    settings.RECEIPT_RETIRED_KEYS = client.get(JWKS).content.decode()
    settings.RECEIPT_PRIVATE_KEY = as_pem(Ed25519PrivateKey.generate())

    assert len(client.get(JWKS).json()["keys"]) == 2
    assert asked(client, receipt.jws)["valid"]

    settings.RECEIPT_RETIRED_KEYS = ""
    assert asked(client, receipt.jws)["reason"] == "UNKNOWN_KEY"


def test_a_receipt_is_told_to_be_genuine_and_what_it_says(client: Client, receipt: Receipt) -> None:
    answer = asked(client, f"\n{receipt.jws}\n")

    assert answer["valid"] is True
    assert answer["receipt"] == verify(receipt.jws, keys=published_keys(), issuer=ISSUER)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "NOT_A_RECEIPT"),
        (b"\xff", "NOT_A_RECEIPT"),
        ("é" * 50_000, "NOT_A_RECEIPT"),
        (json.dumps({"jws": "a.b.c"}), "NOT_A_RECEIPT"),
        ("e30.e30.e30", "WRONG_ALGORITHM"),
    ],
)
def test_anything_else_is_told_to_be_none(client: Client, body: str | bytes, reason: str) -> None:
    answer = asked(client, body)

    assert (answer["valid"], answer["reason"]) == (False, reason)
    assert answer.keys() == {"valid", "reason", "message"}


def test_why_not_is_said_in_the_readers_language(client: Client) -> None:
    answer = asked(client, "nada", headers={"accept-language": "es"})

    assert answer["message"] == "Este no es el texto de un recibo, o no está completo."


def test_a_number_alone_gets_no_answer(client: Client, receipt: Receipt) -> None:
    with CaptureQueriesContext(connection) as statements:
        existing = asked(client, receipt.number)
        unknown = asked(client, "R-2026-0000000000000")

    assert existing == unknown
    assert existing["reason"] == "NOT_A_RECEIPT"
    assert len(statements) == 0, "it does not even look"


def test_pages_of_every_origin_may_post_without_being_forgeries(receipt: Receipt) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert asked(strict, receipt.jws, headers={"origin": "https://anywhere.example"})["valid"]


def test_each_address_has_its_methods(client: Client) -> None:
    assert client.get("/receipts/verify").status_code == 405
    assert client.post(JWKS).status_code == 405


def test_what_is_published_has_no_secret(client: Client) -> None:
    assert client.get(JWKS).json() == write_key_set(published_keys())
    assert all("d" not in key for key in client.get(JWKS).json()["keys"])
