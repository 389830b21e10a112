"""What may be read of receipts, and by whom."""

from uuid import UUID

from backend.accounts.models import User
from backend.payments.models import Payment
from backend.receipts.models import Receipt


def may_see_receipt(user: User | None, payment: Payment) -> bool:
    """Whether `user` is the payer or owns one of the two wallets.

    Nobody else, operators and auditors included: a receipt has the addresses of both wallets and
    all URLs of the payment in one text that is made to be passed on.
    """
    parties = {payment.payer_id, payment.sender.owner_id, payment.receiver.owner_id}
    return user is not None and user.pk in parties


def receipts_of(payment_ids: list[UUID]) -> dict[UUID, Receipt]:
    """The receipt of each payment that has one, in one query."""
    return {row.payment_id: row for row in Receipt.objects.filter(payment_id__in=payment_ids)}
