"""What a payment was for, in the words of a receipt."""

from typing import Any

from backend.funding.models import Funding, Payable
from backend.payments.models import Payment
from backend.payments.status import PaymentPurpose


def subject_of(payment: Payment) -> dict[str, Any]:
    """The member `for` of the payment's receipt: what docs/receipts.md says of its purpose."""
    if payment.purpose == PaymentPurpose.FUND:
        return _of_funding(Funding.objects.select_related("job").get(id=payment.reference))
    payable = (
        Payable.objects.select_related("funding__job", "submission")
        .filter(id=payment.reference)
        .first()
    )
    if payable is None:
        return {"reference": str(payment.reference)}
    subject = _of_funding(payable.funding)
    if payable.submission is not None:
        subject["acceptance"] = {
            "submissionId": str(payable.submission.id),
            "acceptedAmount": payable.amount.to_json(),
            "acceptedAt": payable.created_at.isoformat(timespec="seconds"),
        }
    return subject


def _of_funding(funding: Funding) -> dict[str, Any]:
    return {
        "fundingId": str(funding.id),
        "job": {"id": str(funding.job_id), "title": funding.job.title},
    }
