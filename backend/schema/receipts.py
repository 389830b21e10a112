"""The signed receipt of a completed payment."""

from datetime import datetime
from typing import Self

import strawberry

from backend.receipts import models
from backend.receipts.views import verify_url
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scalars import URL


@rule(WITH_PARENT)
@strawberry.type(
    description=(
        "Proves to anybody, without this server, that a payment was completed: see "
        "docs/receipts.md. It names both wallets, so whoever passes it on tells who paid whom."
    )
)
class Receipt:
    number: str = strawberry.field(
        description="To quote in letters, such as R-2026-2G5ZK0QJ8M4XW. Unique, neither gapless "
        "nor in order."
    )
    issued_at: datetime = strawberry.field(description="When the payment was completed.")
    jws: str = strawberry.field(
        description=(
            "The receipt itself: a JWS in compact form, signed with EdDSA by a key of "
            "/.well-known/receipts/jwks.json. Keep this one to keep the proof."
        )
    )
    verify_url: URL = strawberry.field(
        description="POST `jws` there as the body, and hear whether it is genuine. Needs no token."
    )

    @classmethod
    def of_maybe(cls, row: models.Receipt | None) -> Self | None:
        if row is None:
            return None
        return cls(
            number=row.number, issued_at=row.issued_at, jws=row.jws, verify_url=URL(verify_url())
        )
