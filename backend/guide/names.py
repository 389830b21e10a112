"""What a marketplace calls its offers, in the webhooks that it gets in the guide's format."""

from uuid import UUID

from backend.guide.offers import offer_ids
from backend.payments.models import Payment
from backend.webhooks.bodies import GuideNames


def name_for_webhooks(payment: Payment, job_id: UUID) -> GuideNames:
    """The offer id that the marketplace sent, and the `pendingId` that it was answered."""
    return GuideNames(offer_id=offer_ids([job_id])[job_id], pending_id=str(payment.id))
