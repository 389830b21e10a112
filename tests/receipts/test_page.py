"""docs/receipts.md says what the code does: its tables are compared, its Python is run."""

from typing import Any

import jwt
import pytest
from django.test import Client

from backend.receipts.models import Receipt
from backend.receipts.verifying import Flaw
from tests.docs import pages
from tests.receipts.conftest import ISSUER

pytestmark = pytest.mark.django_db

PAGE = pages.DOCS / "receipts.md"


def named(rows: list[list[str]]) -> list[str]:
    return [row[0].strip("`") for row in rows]


def members(claims: dict[str, Any]) -> list[str]:
    """The names in a receipt as the page writes them: dotted within payment, payer and payee."""
    found = []
    for name, value in claims.items():
        inside = value if name in {"payment", "payer", "payee"} else None
        found += [f"{name}.{member}" for member in inside] if inside else [name]
    return found


def test_the_table_of_members_is_what_a_receipt_has(receipt: Receipt) -> None:
    claims = jwt.decode(receipt.jws, options={"verify_signature": False})

    assert named(pages.table_with_heading(PAGE, "member")) == members(claims)


def test_the_table_of_reasons_has_every_flaw() -> None:
    assert named(pages.table_with_heading(PAGE, "reason")) == [str(flaw) for flaw in Flaw]


def test_the_page_checks_a_receipt_as_it_says(receipt: Receipt, client: Client) -> None:
    (code,) = [text for kind, text in pages.FENCED.findall(PAGE.read_text()) if kind == "python"]
    there: dict[str, Any] = {}
    exec(code, there)
    jwks = client.get("/.well-known/receipts/jwks.json").content.decode()

    assert there["check"](receipt.jws, jwks, ISSUER)["number"] == receipt.number

    head, body, signature = receipt.jws.split(".")
    other = "A" if signature[0] != "A" else "B"
    with pytest.raises(jwt.InvalidSignatureError):
        there["check"](f"{head}.{body}.{other}{signature[1:]}", jwks, ISSUER)
    with pytest.raises(jwt.InvalidIssuerError):
        there["check"](receipt.jws, jwks, "https://evil.example")
