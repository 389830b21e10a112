"""What a worker holds while it advances one payment."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, ClassVar

from django.db.models import F, Q, QuerySet

from backend.clock import Clock
from backend.events import emit
from backend.open_payments import Client, Limits, OpenPaymentsError
from backend.open_payments.grants import outgoing_payment_access
from backend.open_payments.types import Access, Amount
from backend.outbound import HostBusy
from backend.payments import errors
from backend.payments.errors import Failure, NoRoom
from backend.payments.models import Attempt, Grant, HeldGrant, Payment, PaymentTransition
from backend.payments.patience import IN_FLIGHT_FOR
from backend.payments.receiving import read_receiver
from backend.payments.run import Run
from backend.payments.signals import held_grant_nearly_spent, payment_ended, payment_moved
from backend.payments.status import (
    IN_FLIGHT,
    TERMINAL,
    TRANSITIONS,
    GrantStatus,
    HeldGrantStatus,
    PaymentStatus,
)

P = PaymentStatus
WHY_IT_CANNOT_PAY = {
    HeldGrantStatus.EXPIRED: errors.GRANT_OVER,
    HeldGrantStatus.LOST: errors.GRANT_LOST,
    HeldGrantStatus.REVOKED: errors.GRANT_REVOKED,
    HeldGrantStatus.ENDED: errors.GRANT_OVER,
}
PAYING = (HeldGrantStatus.HELD, HeldGrantStatus.CLOSING)
# Of a limit: whoever keeps the grant should see to another one in time.
NEARLY_SPENT = Fraction(80, 100)


class PaymentRun(Run[Payment]):
    """One claim on one payment. Not for sharing between threads."""

    TRANSITIONS: ClassVar[Mapping[Any, frozenset[Any]]] = TRANSITIONS
    CREATED, AWAITING_APPROVAL, CONSENTED = P.CREATED, P.AWAITING_APPROVAL, P.AUTHORIZED
    REJECTED, EXPIRED, FAILED = P.REJECTED, P.EXPIRED, P.FAILED
    NAMED = "payment"

    def __init__(
        self, payment: Payment, *, client: Client, clock: Clock, rng: random.Random
    ) -> None:
        super().__init__(payment, client=client, clock=clock, rng=rng)
        self.attempt: Attempt = payment.attempts.get(dead_at=None)
        self._nearly_spent: HeldGrant | None = None
        if payment.under is not None:
            self.grants += payment.under.grants.filter(
                status=GrantStatus.APPROVED, confirmed=True, interact_ref=""
            ).order_by("created_at", "id")

    @property
    def payment(self) -> Payment:
        payment: Payment = self.row
        return payment

    @property
    def status(self) -> PaymentStatus:
        return PaymentStatus(self.payment.status)

    @property
    def may_have_sent(self) -> bool:
        return self.status in IN_FLIGHT

    @property
    def attempt_number(self) -> int:  # type: ignore[override]
        return self.attempt.number

    @property
    def held(self) -> HeldGrant | None:
        """The held grant it is made under, as it was when this run began."""
        return self.payment.under

    @property
    def is_owed(self) -> bool:
        return self.payment.under_id is not None

    @property
    def receive_amount(self) -> Amount:
        """What is to arrive, which is known from the moment that there is a receiver."""
        amount = self.payment.receive_amount
        assert amount is not None
        return amount

    def access(self, limit: int) -> Access:
        """Consent to this payment and to no other: its receiver, at most `limit`."""
        return outgoing_payment_access(
            identifier=self.sender.url,
            limits=Limits(
                receiver=self.attempt.incoming_payment_url,
                debit_amount=self.payment.in_sender_asset(limit),
            ),
        )

    def on_intent(self, sent_at: datetime | None) -> None:
        if sent_at:
            self.update_attempt(sent_at=sent_at)

    def update_attempt(self, **fields: Any) -> None:
        """Change the live attempt; only inside `commit`."""
        Attempt.objects.filter(id=self.attempt.id).update(**fields)
        for name, value in fields.items():
            setattr(self.attempt, name, value)

    def new_attempt(self) -> None:
        """Start the next attempt after this one's death was saved; only inside `commit`."""
        self.attempt = Attempt.objects.create(
            payment=self.payment, number=self.attempt.number + 1, started_at=self.now
        )

    # --- endings ------------------------------------------------------------------------------

    def fail(self, failure: Failure, *, status: Any = None, **fields: Any) -> None:
        """End it, unless an order that was refused has paid its receiver after all.

        Something on the way may ask a wallet twice, and pass on the second answer. Where nothing
        has arrived so soon after the refusal, it does not end yet: the same step comes again.
        """
        if not self._may_have_been_taken():
            super().fail(failure, status=status, **fields)

    def _may_have_been_taken(self) -> bool:
        if self.status is not P.SENDING and not self.orders_refused():
            return False
        try:
            received = read_receiver(self)
        except (OpenPaymentsError, HostBusy):
            with self.commit(P.UNKNOWN, reason="an order was refused, and its receiver is silent"):
                self.update_attempt(sent_at=self.now)
            return True
        if received == 0:
            return self._may_be_under_way()
        with self.commit(P.SENT, reason="paid by an order that was refused"):
            self.update_attempt(sent_at=self.now)
        return True

    def _may_be_under_way(self) -> bool:
        # While SENDING the sender's list was read after the refusal, and says it sooner.
        if self.status is P.SENDING:
            return False
        arrives_by = self._refused.latest("at").at + IN_FLIGHT_FOR
        if self.now >= arrives_by:
            return False
        if self.status is P.QUOTED and self.held is None:
            # The same step would rotate the token again, by the one that the first answer ended.
            with self.commit(P.UNKNOWN, reason="an order was refused, and may be under way"):
                self.update_attempt(sent_at=self.now)
        else:
            with self.commit(wait_until=arrives_by):
                pass
        return True

    @property
    def _refused(self) -> QuerySet[PaymentTransition]:
        if self.status not in {P.AUTHORIZED, P.QUOTED, P.SENDING}:
            return self.payment.transitions.none()
        back = self.payment.transitions.filter(old=P.SENDING, new=P.AUTHORIZED)
        return back.filter(at__gte=self.attempt.started_at)

    def orders_refused(self) -> int:
        """How many orders of this attempt were refused; `tries` counts what else went wrong too."""
        return self._refused.count()

    # --- the room under a held grant ----------------------------------------------------------

    def reserve(self, debit: int) -> None:
        """Set aside `debit` of the held grant for this payment; only inside `commit`.

        One statement decides, so that payments at the same time never promise more together than
        the payer allowed. It replaces what this payment had set aside before.

        Raises:
            NoRoom: the grant cannot pay that (any more).
        """
        if self.held is None:
            return
        self._begin_period(self.held)
        more = debit - self._counted()
        paying = HeldGrant.objects.filter(id=self.held.id, status__in=PAYING)
        in_time = Q(ends_at=None) | Q(ends_at__gt=self.now)
        if not paying.filter(in_time, limit_value__gte=F("reserved_value") + more).update(
            reserved_value=F("reserved_value") + more
        ):
            raise NoRoom
        Payment.objects.filter(id=self.payment.id).update(reserved_value=debit)
        self.payment.reserved_value = debit
        held = HeldGrant.objects.select_related("sender").get(id=self.held.id)
        assert held.limit_value is not None
        alarm = held.limit_value * NEARLY_SPENT
        if held.reserved_value - more < alarm <= held.reserved_value:
            self._nearly_spent = held

    def count(self, debit: int) -> None:
        """Count what an order has taken that was given before; only inside `commit`.

        Beyond the limit the wallet would not have taken it: then our count is off, not the limit.
        """
        with suppress(NoRoom):
            self.reserve(debit)

    def why_the_held_grant_cannot_pay(self) -> Failure | None:
        """Look at the held grant as it is now; None when it can pay, or soon can again."""
        assert self.held is not None
        held = HeldGrant.objects.get(id=self.held.id)
        if held.ends_at is not None and held.ends_at <= self.now:
            return errors.GRANT_OVER
        return WHY_IT_CANNOT_PAY.get(HeldGrantStatus(held.status))

    def _begin_period(self, held: HeldGrant) -> None:
        # The wallet begins to count afresh by itself.
        if held.period_until is None or self.now < held.period_until:
            return
        HeldGrant.objects.filter(id=held.id, period_until=held.period_until).update(
            reserved_value=0, period_until=held.next_period(at=self.now)
        )

    def _counted(self) -> int:
        """What the held grant counts of this payment now: an earlier period is forgotten."""
        payment = self.payment
        assert self.held is not None
        held = HeldGrant.objects.get(id=self.held.id)
        if held.period_until is None or held.period_days is None:
            return payment.reserved_value
        began = held.period_until - timedelta(days=held.period_days)
        quoted = payment.transitions.filter(new=P.QUOTED, at__gte=began)
        return payment.reserved_value if quoted.exists() else 0

    def _give_back_unspent(self) -> None:
        # What a payment has taken stays counted, and so does what it may have taken.
        if self.payment.under_id is None or self.payment.delivered_value > 0:
            return
        if self.payment.failure_code == errors.NOT_DELIVERED.code:
            return
        counted = self._counted()
        HeldGrant.objects.filter(id=self.payment.under_id, reserved_value__gte=counted).update(
            reserved_value=F("reserved_value") - counted
        )
        Payment.objects.filter(id=self.payment.id).update(reserved_value=0)

    def distrust(self, grant: Grant) -> None:
        """Have this token replaced before it is used again; only inside `commit`."""
        if grant.held_grant_id is None:
            return super().distrust(grant)
        # Somebody may have renewed it since: then there is nothing to do.
        Grant.objects.filter(id=grant.id, secrets=grant.secrets).update(token_expires_at=self.now)
        self.ask_for_a_token()

    def ask_for_a_token(self) -> None:
        """Have the held grant's own run look at it, which alone may renew its token.

        Not where it has tried, and waits to try again: its wallet is in trouble.
        """
        assert self.held is not None
        waits = HeldGrant.objects.filter(id=self.held.id, tries=0, due_at__gt=self.now)
        waits.update(due_at=self.now)

    # --- the log ------------------------------------------------------------------------------

    def after_move(
        self, old: PaymentStatus, new: PaymentStatus, *, reason: str, at: datetime
    ) -> None:
        PaymentTransition.objects.create(
            payment=self.payment, old=old, new=new, reason=reason, fence=self._fence, at=at
        )
        if new in TERMINAL:
            self.end_grants()
            self._give_back_unspent()
            payment_ended.send(sender=Payment, payment=self.payment, at=at)
        else:
            payment_moved.send(sender=Payment, payment=self.payment, at=at)
        if self._nearly_spent is not None:
            held_grant_nearly_spent.send(sender=HeldGrant, held_grant=self._nearly_spent, at=at)
            self._nearly_spent = None
        announce(self.payment, previous=old, at=at)


def announce(payment: Payment, *, previous: PaymentStatus | None, at: datetime) -> None:
    """Tell the payment's topic its new status; the last statement of the transaction."""
    emit(
        topic=f"payment:{payment.id}",
        type="payment.status",
        payload={"status": str(payment.status), "previous": previous and str(previous)},
        at=at,
        subject_id=payment.id,
    )
