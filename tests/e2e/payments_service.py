"""What a Django marketplace has that was written against the guide: its calls, and their URL.

Written from the guide's contract, with the names and shapes of its snippets. Only the key is new.
"""

from dataclasses import dataclass
from typing import Any

import httpx

HEALTH_SECONDS = 5.0
STATUS_SECONDS = 10.0


@dataclass(frozen=True)
class PaymentsService:
    """`url` is PAYMENTS_SERVICE_URL."""

    url: str
    api_key: str | None

    def health(self) -> dict[str, Any]:
        """What the service says of itself."""
        answer = httpx.get(f"{self.url}/health", timeout=HEALTH_SECONDS)
        answer.raise_for_status()
        return dict(answer.json())

    def start_quote(
        self, offer_id: str, seller_id: str, buyer_wallet_address_url: str, amount: str
    ) -> dict[str, Any]:
        """Where the buyer has to go, and the id to follow it by; or an error to show."""
        answer = self._post(
            f"offers/{offer_id}/quotes/start",
            {
                "sellerId": seller_id,
                "buyerWalletAddressUrl": buyer_wallet_address_url,
                "amount": amount,
            },
        )
        data = answer.json()
        if answer.status_code != 200:
            return {"success": False, "error": data["error"]}
        return {"success": True, "data": data, "redirect_url": data["redirectUrl"]}

    def payment_status(self, pending_id: str) -> dict[str, Any] | None:
        """Where a payment stands; None for whatever goes wrong."""
        try:
            answer = self._get(f"payments/{pending_id}/status")
            answer.raise_for_status()
        except httpx.HTTPError:
            return None
        return dict(answer.json())

    def payments_of(self, offer_id: str) -> list[dict[str, Any]]:
        """The payments of a job; none for whatever goes wrong."""
        try:
            answer = self._get(f"offers/{offer_id}/payments")
            answer.raise_for_status()
        except httpx.HTTPError:
            return []
        return list(answer.json().get("payments", []))

    def create_incoming_payment(
        self, amount: str, description: str, seller_id: str | None = None
    ) -> dict[str, Any]:
        """Money set aside for work, or an error to show."""
        body = {"amount": amount, "description": description}
        if seller_id is not None:
            body["sellerId"] = seller_id
        data = self._post("api/payments/incoming", body).json()
        if not data.get("success"):
            return {"success": False, "error": data["error"]}
        return {"success": True, "payment_id": data["payment_id"]}

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}/{path}", headers=self._headers(), timeout=STATUS_SECONDS)

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return httpx.post(
            f"{self.url}/{path}", json=body, headers=self._headers(), timeout=STATUS_SECONDS
        )
