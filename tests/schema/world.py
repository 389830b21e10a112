"""People, wallets and payments for the GraphQL tests."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from backend.accounts import tokens
from backend.accounts.models import User, WalletAddress
from backend.clock import SYSTEM_CLOCK
from backend.funding.models import Funding
from backend.funding.status import FundingMode, FundingStatus
from backend.ids import new_id
from backend.jobs.models import Job
from backend.open_payments.types import Amount
from backend.payments.models import Payment
from backend.payments.paying import announce
from backend.payments.services import create_payment
from backend.payments.status import PaymentPurpose, PaymentStatus

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def a_person(name: str = "somebody") -> User:
    return User.objects.create(
        email=f"{name}-{new_id().hex}@example.com", display_name=name, created_at=NOON
    )


def a_wallet(owner: User | None, *, asset_code: str = "USD") -> WalletAddress:
    return WalletAddress.objects.create(
        owner=owner,
        url=f"https://wallet.example/{new_id().hex}",
        asset_code=asset_code,
        asset_scale=2,
        auth_server="https://auth.wallet.example",
        resource_server="https://wallet.example",
        checked_at=NOON,
    )


def a_funding(
    job: Job,
    status: FundingStatus,
    mode: FundingMode = FundingMode.DIRECT,
    *,
    payer_wallet: WalletAddress | None = None,
) -> Funding:
    """All of a job's budget, without what stands behind it."""
    total = job.total_budget
    return Funding.objects.create(
        job=job,
        payer=job.owner,
        payer_wallet=payer_wallet,
        mode=mode,
        status=status,
        total_value=total.value,
        released_value=total.value if status is FundingStatus.SETTLED else 0,
        asset_code=total.asset_code,
        asset_scale=total.asset_scale,
        created_at=NOON,
        updated_at=NOON,
    )


def bearer(user: User) -> str:
    """A working Authorization value, by the machine's own clock."""
    return f"Bearer {tokens.issue(user=user, label='test', now=SYSTEM_CLOCK.now())}"


def global_id(type_name: str, key: UUID) -> str:
    return base64.b64encode(f"{type_name}:{key}".encode()).decode()


@dataclass(frozen=True)
class PaymentWorld:
    """A payment from one person to another, driven by hand."""

    payer: User
    payee: User
    payment: Payment

    @property
    def id(self) -> str:
        return global_id("Payment", self.payment.id)

    def move(self, *path: PaymentStatus) -> None:
        """Walk the payment along `path`, announcing every step as the workflow does."""
        for status in path:
            with transaction.atomic():
                row = Payment.objects.get(id=self.payment.id)
                previous = PaymentStatus(row.status)
                row.status = status
                row.due_at = None
                if status is PaymentStatus.COMPLETED:
                    row.delivered_value = row.receive_value or 0
                row.save()
                announce(row, previous=previous, at=NOON)


def a_payment(reference: UUID | None = None) -> PaymentWorld:
    payer, payee = a_person("payer"), a_person("payee")
    with transaction.atomic():
        payment = create_payment(
            purpose=PaymentPurpose.FUND,
            reference=reference or new_id(),
            payer=payer,
            sender=a_wallet(payer),
            receiver=a_wallet(payee),
            receive_amount=Amount(value=2500, asset_code="USD", asset_scale=2),
            return_url="http://127.0.0.1:8000/done",
            now=NOON,
        )
    return PaymentWorld(payer=payer, payee=payee, payment=payment)
