"""How a payment ends of which no wallet says what became of it: two operators say so.

One proposes an outcome, with evidence; another one who says the same, with evidence of
their own, carries it out. Between the two the workflow looks at the wallets once more, and as long
as it looks or is about to, nobody is listened to: what wallets show always comes first.
See docs/decisions/0021-two-operators.md.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import ValidationError as InvalidInDjango
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from backend import rate_limits
from backend.accounts import idempotency
from backend.accounts.models import User
from backend.errors import Forbidden, NotFound, ValidationFailed
from backend.open_payments import Client
from backend.open_payments.types import Amount
from backend.payments import claims, errors, hints, proofs
from backend.payments.errors import BeingLookedAt, NotResolvable
from backend.payments.lookup import CANNOT_LOOK_UP
from backend.payments.models import Attempt, Discrepancy, Payment, PaymentResolution
from backend.payments.models.resolutions import OUTCOMES
from backend.payments.paying import PaymentRun
from backend.payments.queries import payments_visible_to
from backend.payments.said import Sums, sums, whole
from backend.payments.signals import row_moving
from backend.payments.status import IN_FLIGHT, TERMINAL, PaymentStatus
from backend.texts import tidy_text

P = PaymentStatus

BY_OPERATORS = "confirmed by two operators"
LONGEST_NOTE, LONGEST_URL = 2_000, 2_048
IS_WEB_ADDRESS = URLValidator(schemes=["https", "http"])


def resolve_unknown_payment(
    *,
    user: User,
    payment_id: UUID,
    outcome: PaymentStatus,
    evidence_url: str,
    note: str,
    idempotency_key: UUID,
    now: datetime,
    arrived: Amount | None = None,
    debited: Amount | None = None,
) -> Payment:
    """Say how a payment ended of which no wallet says it, or confirm what another operator said.

    COMPLETED says that all of it arrived; FAILED that nothing did, or no more than `arrived`.
    `debited` is what left the sender's wallet, where our rows cannot say it. A proposal by another
    operator with the same outcome and sums is carried out, any other one is replaced. Safe to
    repeat with the same `idempotency_key`.

    Raises:
        NotFound, Forbidden: no such payment for `user`; they are no operator, or take part in it,
            or would confirm what they proposed themselves, or what somebody proposed whom they
            made an operator, or who made them one; or they were made one after it began.
        ValidationFailed: another outcome, no evidence, no note, or the proposal's own evidence;
            sums that cannot be, or that have to be said.
        AssetMismatch: a sum is in another asset than its wallet.
        NotResolvable: it is over, or not (any more) in need of a person.
        BeingLookedAt: to be repeated in a moment.
        IdempotencyConflict: the key was used with other input.
    """
    payment = payments_visible_to(user).filter(id=payment_id).first()
    if payment is None:
        raise NotFound(_("There is no such payment."), path=("paymentId",))
    require_an_impartial_operator(user, payment)
    _require_an_operator_of_before(user, payment)
    word = _Word(
        operator=user,
        outcome=_an_outcome(outcome),
        evidence_url=_web_address(evidence_url),
        note=tidy_text(note, most=LONGEST_NOTE, path="note", required=True),
        arrived=arrived,
        debited=debited,
        at=now,
    )
    with transaction.atomic():
        done = idempotency.claim(
            caller=user,
            operation="resolveUnknownPayment",
            key=idempotency_key,
            inputs={
                "payment": payment_id,
                "outcome": str(word.outcome),
                "evidence": word.evidence_url,
                "note": word.note,
                "arrived": arrived and arrived.to_json(),
                "debited": debited and debited.to_json(),
            },
            result_id=payment_id,
            now=now,
        )
        if done is None:
            rate_limits.hit("money", str(user.id))
            _hear(word, _locked(payment))
    return payments_visible_to(user).get(id=payment_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What one operator says."""

    operator: User
    outcome: PaymentStatus
    evidence_url: str
    note: str
    arrived: Amount | None
    debited: Amount | None
    at: datetime

    def about(self, payment: Payment, attempt: Attempt) -> PaymentResolution:
        """The row for it, where the payment stands now; not saved."""
        said = sums(payment, self.outcome, arrived=self.arrived, debited=self.debited)
        return PaymentResolution(
            payment=payment,
            operator=self.operator,
            outcome=self.outcome,
            arrived_value=said.arrived_value,
            debited_value=said.debited_value,
            evidence_url=self.evidence_url,
            note=self.note,
            status=payment.status,
            attempt_number=attempt.number,
            at=self.at,
        )


def _hear(word: _Word, payment: Payment) -> None:
    """Carry the standing proposal out if this is the same by another operator; else propose."""
    _require_resolvable(payment, now=word.at)
    attempt = payment.attempts.get(dead_at=None)
    proposal = open_proposal(payment.resolutions.order_by("at", "id"), payment, attempt)
    resolution = word.about(payment, attempt)
    if proposal is None or not _say_the_same(proposal, resolution):
        resolution.save(force_insert=True)
        # The wallets are asked once more before anybody can confirm it.
        Payment.objects.filter(id=payment.id).update(due_at=word.at)
        hints.advance(payment.id)
        return
    if proposal.operator_id == word.operator.pk:
        raise Forbidden(
            _("You proposed this yourself: another operator has to confirm it."),
            path=("paymentId",),
        )
    if _are_as_one(proposal.operator, word.operator):
        raise Forbidden(
            _("Of you two, one made the other an operator: a third operator has to confirm this."),
            path=("paymentId",),
        )
    if proposal.evidence_url == word.evidence_url:
        raise ValidationFailed(
            _("This is the proposal's own evidence: give what you have seen yourself."),
            path=("evidenceUrl",),
        )
    if not claims.claim_idle(payment, now=word.at):
        raise _being_looked_at()
    resolution.confirms = proposal
    _carry_out(resolution, payment)


def _say_the_same(one: PaymentResolution, other: PaymentResolution) -> bool:
    same = ("outcome", "arrived_value", "debited_value")
    return all(getattr(one, name) == getattr(other, name) for name in same)


def open_proposal(
    resolutions: Iterable[PaymentResolution], payment: Payment, attempt: Attempt | None
) -> PaymentResolution | None:
    """The proposal that can be confirmed now: the newest, if the payment is where it was then.

    `resolutions` are all of the payment's, oldest first; `attempt` is its living one.
    """
    newest = next(reversed(list(resolutions)), None)
    if newest is None or attempt is None or newest.confirms_id is not None:
        return None
    is_there = (newest.status, newest.attempt_number) == (payment.status, attempt.number)
    return newest if is_there else None


# --- carrying it out ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _At:
    at: datetime

    def now(self) -> datetime:
        return self.at


def _carry_out(resolution: PaymentResolution, payment: Payment) -> None:
    # A claim like a worker's, that asks no wallet anything.
    run = PaymentRun(
        payment,
        client=cast("Client", None),
        clock=_At(resolution.at),
        rng=random.Random(),  # noqa: S311
    )
    completed, part = resolution.outcome == P.COMPLETED, resolution.arrived_value
    fields: dict[str, Any] = {"look_up_since": None}
    if completed or part:
        said = Sums(arrived_value=part, debited_value=resolution.debited_value)
        receive_value, debit = whole(payment, said)
        fields |= {"receive_value": receive_value, "debit_value": debit}
        if run.status not in IN_FLIGHT:
            # An order that a restored backup lacks, as when a wallet shows it (lookup.py).
            with run.commit(P.SENT, reason=BY_OPERATORS, **fields):
                run.update_attempt(sent_at=resolution.at)
                run.count(debit)
        fields["delivered_value"] = receive_value if completed else part
    if completed:
        ending = run.commit(P.COMPLETED, reason=BY_OPERATORS, **fields)
    else:
        failure = errors.PARTIALLY_DELIVERED if part else errors.FOUND_NOT_DELIVERED
        ending = run.commit(P.FAILED, **fields, **failure.fields())
    with ending:
        resolution.save(force_insert=True)
        Discrepancy.settle(payment=payment, kind=CANNOT_LOOK_UP, at=resolution.at)
        if not completed:
            run.update_attempt(dead_at=resolution.at, proof=BY_OPERATORS)
        if part and not completed:
            proofs.note_a_part(run, part)


# --- what has to be so ----------------------------------------------------------------------------


def require_an_impartial_operator(user: User, payment: Payment) -> None:
    """Refuse whoever is no operator, or is one of the two whom the payment is between.

    Raises:
        Forbidden: as it says.
    """
    if not user.is_staff:
        raise Forbidden(_("Only operators can do this."), path=("paymentId",))
    if not is_impartial(user, payment):
        raise Forbidden(
            _("This payment is from you or to you: other operators have to decide."),
            path=("paymentId",),
        )


def is_impartial(user: User, payment: Payment) -> bool:
    """Whether the payment is neither from nor to `user`."""
    parties = {payment.payer_id, payment.sender.owner_id, payment.receiver.owner_id}
    return user.pk not in parties


def _require_an_operator_of_before(user: User, payment: Payment) -> None:
    # Made for it, perhaps, by somebody who lacks a second word.
    if user.operator_since is not None and user.operator_since > payment.created_at:
        raise Forbidden(
            _(
                "You became an operator after this payment began: operators who were it before "
                "have to decide."
            ),
            path=("paymentId",),
        )


def _are_as_one(one: User, other: User) -> bool:
    """Whether one of them made the other an operator: it may be a second account of theirs."""
    return one.made_operator_by_id == other.pk or other.made_operator_by_id == one.pk


def _an_outcome(outcome: PaymentStatus) -> PaymentStatus:
    if outcome not in OUTCOMES:
        raise ValidationFailed(
            _("A payment can be found to be COMPLETED or FAILED, nothing else."),
            path=("outcome",),
        )
    return outcome


def _web_address(value: str) -> str:
    tidy = tidy_text(value, most=LONGEST_URL, path="evidenceUrl", required=True)
    try:
        IS_WEB_ADDRESS(tidy)
    except InvalidInDjango:
        raise ValidationFailed(
            _("Write a link as a whole web address, with https:// in front."),
            path=("evidenceUrl",),
        ) from None
    return tidy


def _locked(payment: Payment) -> Payment:
    """The payment as it is, locked, and what stands behind it before it: see `row_moving`.

    A worker that has it in hand with a request out is not waited for.
    """
    row_moving.send(sender=Payment, row=payment)
    locked = (
        Payment.objects.select_related(*Payment.QUEUE_JOINS)
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
        .filter(id=payment.id)
        .first()
    )
    if locked is None:
        raise _being_looked_at()
    return locked


def is_for_operators(payment: Payment, *, now: datetime) -> bool:
    """Whether a person may say what became of it: it hangs, and no wallet says so."""
    noted = Discrepancy.objects.filter(payment=payment, resolved_at=None)
    match P(payment.status):
        case P.UNKNOWN:
            return now > payment.deadline_at
        case P.SENT:
            # Its order was taken: only where something is known to be wrong has anybody to look.
            return now > payment.deadline_at and noted.exists()
        case status if status in TERMINAL | IN_FLIGHT:
            return False
    # Nothing is ordered before the wallets were asked, and they do not answer.
    return payment.look_up_since is not None and noted.filter(kind=CANNOT_LOOK_UP).exists()


def _require_resolvable(payment: Payment, *, now: datetime) -> None:
    status = P(payment.status)
    if status in TERMINAL:
        raise NotResolvable(
            _("This payment is over by itself: it is {status}."), path=("paymentId",), status=status
        )
    if not is_for_operators(payment, now=now):
        raise NotResolvable(
            _(
                "This payment is still on its way: a person decides only when it is UNKNOWN, or "
                "SENT with a discrepancy, and past its deadline; or when it CANNOT_LOOK_UP."
            ),
            path=("paymentId",),
        )


def _being_looked_at() -> BeingLookedAt:
    return BeingLookedAt(
        _(
            "The wallets are being asked about this payment, and what they say comes first. Try "
            "again in a minute."
        ),
        path=("paymentId",),
    )
