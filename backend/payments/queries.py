"""What may be read of payments, and by whom."""

from uuid import UUID

from django.db.models import Q, QuerySet

from backend.accounts.models import User
from backend.payments.models import Grant, Payment, PaymentResolution
from backend.payments.status import GrantKind


def payments_visible_to(user: User | None) -> QuerySet[Payment]:
    """The payments of which `user` is the payer or owns one of the wallets.

    Operators and auditors see all.
    """
    payments = Payment.objects.select_related("sender", "receiver")
    if user is None or not user.is_authenticated:
        return payments.none()
    if user.sees_everything:
        return payments
    return payments.filter(Q(payer=user) | Q(sender__owner=user) | Q(receiver__owner=user))


def payments_listed_for(user: User | None) -> QuerySet[Payment]:
    """The same payments for a list: each reason to see one is looked up in its own index.

    As one condition over the joined wallets they would be sought among all there are.
    """
    if user is None or not user.is_authenticated or user.sees_everything:
        return payments_visible_to(user)
    paid = Payment.objects.filter(payer=user).values("id")
    sent = Payment.objects.filter(sender__owner=user).values("id")
    received = Payment.objects.filter(receiver__owner=user).values("id")
    return Payment.objects.select_related("sender", "receiver").filter(
        id__in=paid.union(sent, received)
    )


def current_grants(payment_ids: list[UUID]) -> dict[UUID, Grant]:
    """The newest grant that each payment asked its payer for, if it has come to that."""
    grants = (
        Grant.objects.filter(payment_id__in=payment_ids, kind=GrantKind.OUTGOING_PAYMENT)
        .select_related("payment__sender", "held_grant")
        .order_by("created_at", "id")
    )
    return {grant.payment_id: grant for grant in grants if grant.payment_id}


def ended_by_operators(payment: Payment) -> bool:
    """Whether two operators said how it ended, because no wallet did."""
    return payment.resolutions.exclude(confirms=None).exists()


def resolutions_of(payment_ids: list[UUID]) -> dict[UUID, list[PaymentResolution]]:
    """What operators said about the end of each payment, oldest first. For those who see all."""
    found: dict[UUID, list[PaymentResolution]] = {}
    rows = PaymentResolution.objects.filter(payment_id__in=payment_ids)
    for row in rows.order_by("at", "id"):
        found.setdefault(row.payment_id, []).append(row)
    return found
