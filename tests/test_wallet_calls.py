"""What is measured of an answer never costs the answer."""

import httpx
import pytest

from backend.open_payments import Ed25519Signer, operations
from backend.wallet_calls import ObservedClient

ALICE = "https://wallet.example/alice"
WALLET = {
    "id": ALICE,
    "assetCode": "USD",
    "assetScale": 2,
    "authServer": "https://auth.wallet.example",
    "resourceServer": "https://wallet.example",
}


@pytest.mark.parametrize(
    "date",
    [
        "Thu, 01 Jan 2026 00:00:00 +99999999999999999999",
        "Thu, 01 Jan 2026 00:00:00 +9999",
        "Thu, 01 Jan 99999 00:00:00 GMT",
        "Thu, 01 Jan 2026 00:00:00 -0000",
        "yesterday",
        "",
    ],
)
def test_an_answer_with_an_impossible_date_is_an_answer(date: str) -> None:
    http = httpx.MockTransport(lambda _: httpx.Response(200, json=WALLET, headers={"Date": date}))
    client = ObservedClient(httpx.Client(transport=http), Ed25519Signer.generate("k"))

    wallet = client.send(operations.get_wallet_address(url=ALICE))

    assert wallet.id == ALICE
