"""What other domains and the API may ask of payments."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User, WalletAddress
from backend.accounts.suspending import refuse_suspended
from backend.errors import NotFound
from backend.ids import new_id
from backend.open_payments.types import Amount
from backend.payments import hints, standstill
from backend.payments.errors import NotConfirmable
from backend.payments.models import (
    Attempt,
    Grant,
    HeldGrant,
    HeldGrantLine,
    HeldGrantTransition,
    Payment,
    PaymentResolution,
    PaymentTransition,
)
from backend.payments.patience import PREPARE_FOR, SEND_WITHIN
from backend.payments.paying import announce
from backend.payments.signals import payment_ended
from backend.payments.status import (
    BEFORE_CONSENT,
    HELD_GRANT_TRANSITIONS,
    GrantKind,
    GrantScope,
    GrantStatus,
    HeldGrantStatus,
    PaymentPurpose,
    PaymentStatus,
)
from backend.telemetry import traces

log = logging.getLogger(__name__)

CLOCKS_APART = timedelta(minutes=5)


def create_payment(
    *,
    purpose: PaymentPurpose,
    reference: UUID,
    payer: User,
    sender: WalletAddress,
    receiver: WalletAddress,
    receive_amount: Amount | None = None,
    send_amount: Amount | None = None,
    under: HeldGrant | None = None,
    return_url: str = "",
    least_receive_value: int | None = None,
    owed_since: datetime | None = None,
    now: datetime,
) -> Payment:
    """Write down the intent to pay; the workflow starts when the caller's transaction commits.

    Exactly one side is fixed: what arrives, `receive_amount`, or what is sent, `send_amount`,
    fees included; then nothing is ordered that makes less than `least_receive_value` arrive.
    `under` a held grant nobody is asked, and the payment begins AUTHORIZED.

    Call it inside the transaction that decides to pay. `reference` is handed back by
    `signals.payment_ended`; while a payment for it is open, a second one is an IntegrityError.
    `owed_since` says for how long it could have been paid: a backup that was restored since may
    lack that it was, so wallets are asked first. None: not before now.
    No network call is made here.

    Raises:
        WalletHostSuspended: the payer would be asked, and a wallet's provider is suspended.
    """
    assert (receive_amount is None) != (send_amount is None), "exactly one side is fixed"
    assert under is None or under.sender_id == sender.id, "a grant pays from its own wallet"
    if under is None:
        refuse_suspended([sender, receiver])
    payment = Payment.objects.create(
        purpose=purpose,
        status=PaymentStatus.AUTHORIZED if under else PaymentStatus.CREATED,
        reference=reference,
        payer=payer,
        sender=sender,
        receiver=receiver,
        under=under,
        send_value=None if send_amount is None else send_amount.value,
        least_receive_value=least_receive_value,
        receive_value=None if receive_amount is None else receive_amount.value,
        receive_asset_code=receiver.asset_code,
        receive_asset_scale=receiver.asset_scale,
        return_url=return_url,
        look_up_since=standstill.look_up_since(_known_since(reference, owed_since)),
        due_at=now,
        deadline_at=now + (SEND_WITHIN if under else PREPARE_FOR),
        created_at=now,
        updated_at=now,
    )
    Attempt.objects.create(payment=payment, number=1, started_at=now)
    traces.link_to(payment.id, payment_id=payment.id)
    # The one line that names both the request and the payment it began.
    log.info("%s begins", payment, extra={"payment_id": payment.id, "reference": reference})
    announce(payment, previous=None, at=now)
    hints.advance(payment.id)
    return payment


def _known_since(reference: UUID, owed_since: datetime | None) -> datetime | None:
    """From when on wallets may know of it what we do not: two operators' word is as good as a look.

    Else what they have ended, because a wallet cannot be asked, would wait for them again.
    """
    said = PaymentResolution.objects.filter(payment__reference=reference).exclude(confirms=None)
    ended_at = said.order_by("at").values_list("at", flat=True).last()
    return max(filter(None, (owed_since, ended_at)), default=None) if owed_since else None


def cancel_payment(*, payment: Payment, now: datetime) -> bool:
    """Call a payment off while its payer still decides; False when it is too late for that.

    Not before the wallets were asked what a restored backup lacks: it may have been paid.
    Refreshes `payment`. Joins the caller's transaction. Whoever works on it loses their claim.
    """
    old = PaymentStatus(payment.status)
    undecided = Payment.objects.filter(
        id=payment.id, status__in=sorted(BEFORE_CONSENT), look_up_since=None
    )
    canceled = undecided.filter(status=old).update(
        status=PaymentStatus.CANCELED,
        fence=F("fence") + 1,
        due_at=None,
        lease_until=None,
        pending_call=None,
        updated_at=now,
    )
    payment.refresh_from_db()
    if not canceled:
        return False
    PaymentTransition.objects.create(
        payment=payment, old=old, new=payment.status, fence=payment.fence, at=now
    )
    payment.grants.exclude(secrets="").update(secrets="", interact_ref="", status=GrantStatus.ENDED)
    payment_ended.send(sender=Payment, payment=payment, at=now)
    announce(payment, previous=old, at=now)
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One payment that a held grant is asked for: one side is fixed, in that side's asset.

    `debit_value` is what it takes, where that is known; None: the sender's wallet is asked.
    """

    receiver: WalletAddress
    receive_value: int | None = None
    send_value: int | None = None
    debit_value: int | None = None


def hold_grant(
    *,
    id: UUID | None = None,
    scope: GrantScope,
    reference: UUID,
    payer: User,
    sender: WalletAddress,
    lines: Sequence[Line] = (),
    limit: int | None = None,
    days: int | None = None,
    period_days: int | None = None,
    all_or_nothing: bool = False,
    return_url: str,
    now: datetime,
) -> HeldGrant:
    """Write down the wish to hold a payer's consent; the workflow asks them after the commit.

    What is asked for is `limit`, in the sender's asset, or else what `lines` turn out to cost. It
    is valid for `days` from now on, once; or, with `period_days`, so much in every such period.
    A renewal goes on without lines whose wallets cannot be asked, unless it is `all_or_nothing`.
    `signals.held_grant_moved` hands `reference` back with every change. No network call is made.

    Raises:
        WalletHostSuspended: the provider of the sender's wallet is suspended, or of a receiver's
            where this is the first consent to `reference`.
    """
    assert (limit is None) == bool(lines), "either a limit or lines to work one out from"
    assert (days is None) != (period_days is None), "either one window or periods"
    assert days is None or days > 0, "a window ends after it begins"
    # A consent that is renewed is for what others were promised: one receiver does not stop that.
    promised = HeldGrant.objects.filter(reference=reference).exists()
    refuse_suspended([sender, *(line.receiver for line in lines if not promised)])
    # A wallet whose clock is behind ours must not find that the window has yet to begin.
    starts_at = now - CLOCKS_APART
    held_grant = HeldGrant.objects.create(
        id=id or new_id(),
        scope=scope,
        reference=reference,
        payer=payer,
        sender=sender,
        limit_value=limit,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(days=days) if days else None,
        period_days=period_days,
        period_until=starts_at + timedelta(days=period_days) if period_days else None,
        all_or_nothing=all_or_nothing,
        return_url=return_url,
        due_at=now,
        deadline_at=now + PREPARE_FOR,
        created_at=now,
        updated_at=now,
    )
    HeldGrantLine.objects.bulk_create(
        HeldGrantLine(
            held_grant=held_grant,
            receiver=line.receiver,
            receive_value=line.receive_value,
            send_value=line.send_value,
            debit_value=line.debit_value,
        )
        for line in lines
    )
    traces.link_to(held_grant.id, held_grant_id=held_grant.id)
    hints.advance_held_grant(held_grant.id)
    return held_grant


def close_held_grant(*, held_grant: HeldGrant, now: datetime) -> None:
    """Let no new payment begin under it, and have it revoked once the last one is over.

    Refreshes `held_grant`. Joins the caller's transaction; repeating is harmless.
    """
    old = HeldGrantStatus(held_grant.status)
    if HeldGrantStatus.CLOSING not in HELD_GRANT_TRANSITIONS[old]:
        return
    # `pending_call` stays: whoever goes on has to know what was asked.
    closing = HeldGrant.objects.filter(id=held_grant.id, status=old).update(
        status=HeldGrantStatus.CLOSING,
        fence=F("fence") + 1,
        due_at=now,
        lease_until=None,
        tries=0,
        updated_at=now,
    )
    held_grant.refresh_from_db()
    if not closing:
        return close_held_grant(held_grant=held_grant, now=now)
    HeldGrantTransition.objects.create(
        held_grant=held_grant, old=old, new=held_grant.status, fence=held_grant.fence, at=now
    )
    hints.advance_held_grant(held_grant.id)


def confirm_grant(*, user: User, grant_id: UUID, now: datetime) -> Grant:
    """Let an approval count that came back to another browser than the one that started it.

    Only the payer can; repeating is harmless.

    Raises:
        NotFound: no such grant, or it is another payer's.
        NotConfirmable: no approval has come back, or the time to decide is over.
    """
    with transaction.atomic():
        grant = (
            Grant.objects.select_for_update(of=("self",))
            .select_related("payment", "held_grant")
            .filter(Q(payment__payer=user) | Q(held_grant__payer=user))
            .filter(id=grant_id, kind=GrantKind.OUTGOING_PAYMENT)
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
        newly_confirmed = not grant.confirmed
        if newly_confirmed:
            Grant.objects.filter(id=grant.id).update(confirmed=True)
            grant.confirmed = True
    if newly_confirmed:
        _wake(grant, now)
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
        _wake(grant, now)


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
    _wake(grant, now)


def _awaiting(grant_id: UUID) -> Grant | None:
    # The row lock lets one of fifty simultaneous redirects through; the others then see its status.
    return (
        Grant.objects.select_for_update(of=("self",))
        .select_related("payment", "held_grant")
        .filter(id=grant_id, status=GrantStatus.AWAITING_APPROVAL)
        .first()
    )


def _wake(grant: Grant, now: datetime) -> None:
    # After the commit: whoever moves a payment locks it before its grants. A crash in between costs
    # time only, because the grant is looked at again when the time to decide is over.
    # RFC 9635 section 5: not before `wait` is over.
    due_at = max(now, grant.continue_after or now)
    if grant.payment_id is not None:
        Payment.objects.filter(id=grant.payment_id, status=PaymentStatus.AWAITING_APPROVAL).update(
            due_at=due_at
        )
        hints.advance(grant.payment_id)
    elif grant.held_grant_id is not None:
        HeldGrant.objects.filter(
            id=grant.held_grant_id, status=HeldGrantStatus.AWAITING_APPROVAL
        ).update(due_at=due_at)
        hints.advance_held_grant(grant.held_grant_id)
