"""What the end of a payment means for the money behind a job."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from backend.funding.models import Funding
from backend.funding.status import FundingStatus
from backend.jobs.models import Job
from backend.jobs.recruiting import close_paid_recruiting
from backend.ledger.bookings import book_direct_payment
from backend.payments.models import Payment
from backend.payments.signals import payment_ended
from backend.payments.status import PaymentPurpose, PaymentStatus

OUTCOMES = {
    PaymentStatus.COMPLETED: FundingStatus.SETTLED,
    PaymentStatus.REJECTED: FundingStatus.REJECTED,
    PaymentStatus.EXPIRED: FundingStatus.EXPIRED,
    PaymentStatus.FAILED: FundingStatus.FAILED,
    PaymentStatus.CANCELED: FundingStatus.CANCELED,
}


@receiver(payment_ended, dispatch_uid="funding")
def on_payment_ended(payment: Payment, at: datetime, **_: Any) -> None:
    """Settle or end the funding, in the transaction that ends its payment."""
    if payment.purpose != PaymentPurpose.FUND:
        return
    funding = Funding.objects.select_for_update().select_related("job").get(id=payment.reference)
    outcome = OUTCOMES[PaymentStatus(payment.status)]
    Job.objects.filter(id=funding.job_id).update(money_moving=False)
    book_direct_payment(payment, at=at)
    if outcome is not FundingStatus.SETTLED:
        funding.move_to(outcome, at=at)
        return
    funding.move_to(outcome, at=at, released_value=funding.total_value)
    close_paid_recruiting(job=funding.job, at=at)
