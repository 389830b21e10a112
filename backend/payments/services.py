"""What other domains and the API may ask of payments."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User, WalletAddress
from backend.errors import NotFound
from backend.open_payments.types import Amount
from backend.payments import hints
from backend.payments.errors import NotConfirmable
from backend.payments.models import Attempt, Grant, Payment
from backend.payments.patience import PREPARE_FOR
from backend.payments.run import announce
from backend.payments.status import GrantKind, GrantStatus, PaymentPurpose, PaymentStatus


def create_payment(
    *,
    purpose: PaymentPurpose,
    reference: UUID,
    payer: User,
    sender: WalletAddress,
    receiver: WalletAddress,
    receive_amount: Amount,
    return_url: str,
    now: datetime,
) -> Payment:
    """Write down the intent to pay; the workflow starts when the caller's transaction commits.

    Call it inside the transaction that decides to pay. `reference` is handed back by
    `signals.payment_ended`; while a payment for it is open, a second one is an IntegrityError.
    No network call is made here.
    """
    payment = Payment.objects.create(
        purpose=purpose,
        reference=reference,
        payer=payer,
        sender=sender,
        receiver=receiver,
        receive_value=receive_amount.value,
        receive_asset_code=receive_amount.asset_code,
        receive_asset_scale=receive_amount.asset_scale,
        return_url=return_url,
        due_at=now,
        deadline_at=now + PREPARE_FOR,
        created_at=now,
        updated_at=now,
    )
    Attempt.objects.create(payment=payment, number=1, started_at=now)
    announce(payment, previous=None, at=now)
    hints.advance(payment.id)
    return payment


def confirm_grant(*, user: User, grant_id: UUID, now: datetime) -> Grant:
    """Let an approval count that came back to another browser than the one that started it.

    Only the payer can; repeating is harmless.

    Raises:
        NotFound: no such grant, or it is another payer's.
        NotConfirmable: no approval has come back, or the time to decide is over.
    """
    with transaction.atomic():
        grant = (
            Grant.objects.select_for_update()
            .select_related("payment")
            .filter(id=grant_id, kind=GrantKind.OUTGOING_PAYMENT, payment__payer=user)
            .first()
        )
        if grant is None:
            raise NotFound(_("There is no such grant."), path=("grantId",))
        if grant.status != GrantStatus.APPROVED:
            raise NotConfirmable(
                _("There is no approval to confirm: the grant is {status}."),
                path=("grantId",),
                status=grant.status,
            )
        if not grant.confirmed:
            Grant.objects.filter(id=grant.id).update(confirmed=True)
            grant.confirmed = True
            _wake_payment(grant, now)
    return grant


def record_approval(
    *, grant_id: UUID, interact_ref: str, same_browser: bool, now: datetime
) -> None:
    """Store what the finish redirect brought, once; the workflow continues the grant.

    The caller has verified the hash. Repeating, and anything that comes after another decision
    or after the end, changes nothing.
    """
    with transaction.atomic():
        grant = _awaiting(grant_id)
        if grant is None:
            return
        Grant.objects.filter(id=grant.id).update(
            status=GrantStatus.APPROVED,
            interact_ref=grant.seal_interact_ref(interact_ref),
            confirmed=same_browser,
        )
        if same_browser:
            _wake_payment(grant, now)


def record_rejection(*, grant_id: UUID, now: datetime) -> None:
    """Store that the payer declined. Call it only for the browser that started the approval.

    A rejection is not authenticated by a hash; it moves no money, and the workflow never
    continues a rejected grant.
    """
    with transaction.atomic():
        grant = _awaiting(grant_id)
        if grant is None:
            return
        Grant.objects.filter(id=grant.id).update(status=GrantStatus.REJECTED)
        _wake_payment(grant, now)


def _awaiting(grant_id: UUID) -> Grant | None:
    # The row lock lets one of fifty simultaneous redirects through; the others then see its status.
    return (
        Grant.objects.select_for_update(of=("self",))
        .select_related("payment")
        .filter(id=grant_id, status=GrantStatus.AWAITING_APPROVAL)
        .first()
    )


def _wake_payment(grant: Grant, now: datetime) -> None:
    # RFC 9635 section 5: not before `wait` is over.
    due_at = max(now, grant.continue_after or now + timedelta(0))
    Payment.objects.filter(id=grant.payment_id, status=PaymentStatus.AWAITING_APPROVAL).update(
        due_at=due_at
    )
    hints.advance(grant.payment_id)
