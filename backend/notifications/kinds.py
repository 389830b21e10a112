"""Which events are worth a mail, to whom, and what it says.

An event of a person's feed that is in no entry here makes no mail, and neither does what somebody
has done themselves. Names in braces are the values that `subjects.py` finds for the event's type;
nothing else that people have written is repeated, so that nobody is mailed a stranger's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from backend.accounts.models import MailCategory
from backend.payments.status import PaymentPurpose

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Sentence

ANYTHING = object()
WORK, MONEY, REMINDERS = MailCategory.WORK, MailCategory.MONEY, MailCategory.REMINDERS


class Side(StrEnum):
    """Which of the people whom an event concerns."""

    OWNER = "OWNER"  # of the job
    WORKER = "WORKER"
    PAYER = "PAYER"
    PAYEE = "PAYEE"  # whose wallet received
    HOLDER = "HOLDER"  # of the account
    OPERATOR = "OPERATOR"  # who keeps the treasury, or can decide a dispute


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A mail: after which event, to which side of it, and its words.

    `status` is what the event says, None where it says none; `where` what else its payload has to
    say, ANYTHING that it says something there; `after_dispute` False: that a dispute led to it is
    told by the dispute's own mail. `while_stuck`: whatever the status, as long as something owed
    waits for a person. `category` None: it asks a stranger whether the address is theirs, and has
    no word of anybody's.
    """

    name: str
    type: str
    to: Side
    category: MailCategory | None
    subject: Sentence
    body: Sentence
    status: str | None = None
    where: Mapping[str, object]
    after_dispute: bool = True
    while_stuck: bool = False

    def is_about(self, type: str, payload: Mapping[str, Any]) -> bool:
        """Whether an event of this type, with this payload, is one of those."""
        status = payload.get("status")
        return (
            type == self.type
            and (self.status is None or status == self.status)
            # An event may also say that only amounts have changed.
            and (status is None or status != payload.get("previous"))
            and (self.after_dispute or payload.get("previous") != "DISPUTED")
            and all(
                key in payload and value in (payload[key], ANYTHING)
                for key, value in self.where.items()
            )
        )


def _kind(name: str, to: Side, category: MailCategory | None, **more: Any) -> Kind:
    return Kind(name=name, to=to, category=category, **{"where": {}, **more})


KINDS: tuple[Kind, ...] = (
    _kind(
        "confirm_address",
        Side.HOLDER,
        None,
        type="account.unconfirmed",
        subject=_("Please confirm your e-mail address"),
        body=_(
            "Somebody has signed up with this e-mail address. If it was you, please confirm it on "
            "the page below: before that you get no other mails. If it was not you, there is "
            "nothing you have to do."
        ),
    ),
    # --- what the owner of a job has to do ---
    _kind(
        "to_select",
        Side.OWNER,
        WORK,
        type="job.status",
        status="SELECTING",
        subject=_("Select who works: {job}"),
        body=_(
            "Your job “{job}” takes no more applications. Please select who works, and secure "
            "their pay, before {expires_at}: the job expires then."
        ),
    ),
    _kind(
        "selected_worker_withdrew",
        Side.OWNER,
        WORK,
        type="application.status",
        status="WITHDRAWN",
        where={"previous": "SELECTED"},
        subject=_("Somebody you selected has withdrawn: {job}"),
        body=_(
            "Somebody whom you selected for your job “{job}” does not take part any more. Their "
            "place is free: please select somebody else."
        ),
    ),
    _kind(
        "job_expired_for_owner",
        Side.OWNER,
        WORK,
        type="job.status",
        status="EXPIRED",
        subject=_("Your job has expired: {job}"),
        body=_(
            "The time of your job “{job}” is over, and no work was handed in. What was set aside "
            "for workers goes back."
        ),
    ),
    _kind(
        "job_canceled_for_owner",
        Side.OWNER,
        WORK,
        type="job.status",
        status="CANCELED",
        subject=_("Your job was canceled: {job}"),
        body=_(
            "An operator has canceled your job “{job}”. Work that was accepted is paid, and what "
            "else was set aside for workers goes back."
        ),
    ),
    _kind(
        "work_to_review",
        Side.OWNER,
        WORK,
        type="submission.status",
        status="SUBMITTED",
        subject=_("Work to review: {job}"),
        body=_(
            "Work was handed in for your job “{job}”. Please review it before {review_by}: if "
            "you say nothing until then, it counts as accepted and is paid."
        ),
    ),
    _kind(
        "review_reminder",
        Side.OWNER,
        REMINDERS,
        type="submission.review_reminder",
        subject=_("Still to review: {job}"),
        body=_(
            "Work for your job “{job}” is waiting for your review. If you say nothing before "
            "{review_by}, it counts as accepted and is paid."
        ),
    ),
    _kind(
        "expiry_reminder_selecting",
        Side.OWNER,
        REMINDERS,
        type="job.expiry_reminder",
        status="SELECTING",
        subject=_("Your job expires soon: {job}"),
        body=_(
            "Your job “{job}” expires at {expires_at}, and its work has not begun. Please select "
            "who works and secure their pay before, or give the job more time."
        ),
    ),
    _kind(
        "expiry_reminder_submitting",
        Side.OWNER,
        REMINDERS,
        type="job.expiry_reminder",
        status="SUBMITTING",
        subject=_("Your job expires soon: {job}"),
        body=_(
            "Nobody has handed in work for your job “{job}” so far, and it expires at "
            "{expires_at}. You can give it more time."
        ),
    ),
    _kind(
        "dispute_opened",
        Side.OWNER,
        WORK,
        type="dispute.status",
        status="OPEN",
        subject=_("A decision of yours is disputed: {job}"),
        body=_(
            "A worker disputes your decision about their work for “{job}”; it is about {disputed}. "
            "Please answer before {answer_by}: if you say nothing, the worker is paid."
        ),
    ),
    _kind(
        "dispute_escalated",
        Side.OWNER,
        WORK,
        type="dispute.status",
        status="ESCALATED",
        subject=_("An operator will decide: {job}"),
        body=_(
            "The worker has asked an operator to decide the dispute about “{job}”; it is about "
            "{disputed}. There is nothing you have to do now."
        ),
    ),
    _kind(
        "dispute_to_decide",
        Side.OPERATOR,
        WORK,
        type="dispute.status",
        status="ESCALATED",
        subject=_("A dispute to decide: {job}"),
        body=_(
            "A worker and the owner of the job “{job}” do not agree about {disputed}, and the "
            "worker asks an operator to decide. It waits until one does, with `resolveDispute`."
        ),
    ),
    _kind(
        "dispute_resolved_for_owner",
        Side.OWNER,
        WORK,
        type="dispute.status",
        status="RESOLVED",
        subject=_("The dispute is decided: {job}"),
        body=_("The dispute about “{job}” is over. The worker gets {awarded} of {disputed}."),
    ),
    _kind(
        "dispute_withdrawn_for_owner",
        Side.OWNER,
        WORK,
        type="dispute.status",
        status="WITHDRAWN",
        subject=_("The dispute is over: {job}"),
        body=_("The dispute about “{job}” is over: your decision stays as it was."),
    ),
    # --- what a worker waits for ---
    _kind(
        "selected",
        Side.WORKER,
        WORK,
        type="application.status",
        status="SELECTED",
        subject=_("You were selected: {job}"),
        body=_(
            "You were selected for the job “{job}”. Please wait with the work until its pay is "
            "secured: the app says when."
        ),
    ),
    _kind(
        "not_selected",
        Side.WORKER,
        WORK,
        type="application.status",
        status="REJECTED",
        subject=_("Not selected: {job}"),
        body=_("Somebody else was selected for the job “{job}”. Thank you for applying."),
    ),
    _kind(
        "work_begins",
        Side.WORKER,
        WORK,
        type="job.status",
        status="SUBMITTING",
        subject=_("The work can begin: {job}"),
        body=_(
            "The pay for the job “{job}” is secured, so you can begin. Please hand in your work "
            "before {submit_until}."
        ),
    ),
    _kind(
        "more_time",
        Side.WORKER,
        WORK,
        type="job.extended",
        where={"submit_until": ANYTHING},
        subject=_("More time for the work: {job}"),
        body=_(
            "The owner of the job “{job}” has given more time for its work: it can be handed in "
            "before {submit_until}."
        ),
    ),
    _kind(
        "work_reminder",
        Side.WORKER,
        REMINDERS,
        type="job.work_reminder",
        subject=_("Still to hand in: {job}"),
        body=_(
            "Your work for the job “{job}” is not handed in yet. Please do so before "
            "{submit_until}: after that it cannot be."
        ),
    ),
    _kind(
        "job_canceled",
        Side.WORKER,
        WORK,
        type="job.status",
        status="CANCELED",
        subject=_("The job was canceled: {job}"),
        body=_(
            "The job “{job}” was canceled: there is nothing more to do for it. What was accepted "
            "of your work is paid."
        ),
    ),
    _kind(
        "job_expired",
        Side.WORKER,
        WORK,
        type="job.status",
        status="EXPIRED",
        subject=_("The job has expired: {job}"),
        body=_("The time of the job “{job}” is over: there is nothing more to do for it."),
    ),
    _kind(
        "changes_requested",
        Side.WORKER,
        WORK,
        type="submission.status",
        status="CHANGES_REQUESTED",
        subject=_("Changes requested: {job}"),
        body=_(
            "The owner of “{job}” asks for changes to your work. Please hand it in again before "
            "{revise_until}; what to change is in the app."
        ),
    ),
    _kind(
        "revision_reminder",
        Side.WORKER,
        REMINDERS,
        type="submission.revision_reminder",
        subject=_("Still to change: {job}"),
        body=_(
            "The owner of “{job}” waits for the changes to your work that they asked for. Please "
            "hand it in again before {revise_until}: after that it counts as not accepted."
        ),
    ),
    _kind(
        "work_accepted",
        Side.WORKER,
        WORK,
        type="submission.status",
        status="ACCEPTED",
        after_dispute=False,
        subject=_("Your work was accepted: {job}"),
        body=_("Your work for “{job}” was accepted, with {accepted} for you. The pay follows."),
    ),
    _kind(
        "work_rejected",
        Side.WORKER,
        WORK,
        type="submission.status",
        status="REJECTED",
        after_dispute=False,
        subject=_("Your work was not accepted: {job}"),
        body=_(
            "Your work for “{job}” was not accepted; why is in the app. You can dispute that "
            "before {dispute_until}."
        ),
    ),
    _kind(
        "dispute_answered",
        Side.WORKER,
        WORK,
        type="dispute.status",
        status="RESPONDED",
        subject=_("Your dispute was answered: {job}"),
        body=_(
            "The owner of “{job}” has answered your dispute. If you do not agree, ask an operator "
            "to decide before {answer_by}; after that the decision stays as it was."
        ),
    ),
    _kind(
        "dispute_resolved",
        Side.WORKER,
        WORK,
        type="dispute.status",
        status="RESOLVED",
        subject=_("Your dispute is decided: {job}"),
        body=_("Your dispute about “{job}” is decided: you get {awarded} of {disputed}."),
    ),
    _kind(
        "dispute_withdrawn",
        Side.WORKER,
        WORK,
        type="dispute.status",
        status="WITHDRAWN",
        subject=_("Your dispute is over: {job}"),
        body=_("Your dispute about “{job}” is over: the decision stays as it was."),
    ),
    # --- money ---
    _kind(
        "paid",
        Side.PAYEE,
        MONEY,
        type="payment.status",
        status="COMPLETED",
        where={"purpose": PaymentPurpose.PAYOUT},
        subject=_("You were paid {amount}"),
        body=_("{amount} for “{job}” has arrived in your wallet."),
    ),
    _kind(
        "refunded",
        Side.PAYEE,
        MONEY,
        type="payment.status",
        status="COMPLETED",
        where={"purpose": PaymentPurpose.REFUND},
        subject=_("You got {amount} back"),
        body=_("{amount} that was not needed for “{job}” is back in your wallet."),
    ),
    _kind(
        "funding_payment_failed",
        Side.PAYER,
        MONEY,
        type="payment.status",
        status="FAILED",
        where={"purpose": PaymentPurpose.FUND},
        subject=_("The payment failed: {job}"),
        body=_(
            "Your payment for “{job}” has failed, so the job is not funded. The app says why, and "
            "lets you start it again."
        ),
    ),
    _kind(
        "funding_failed",
        Side.PAYER,
        MONEY,
        type="funding.status",
        status="FAILED",
        subject=_("The funding failed: {job}"),
        body=_("“{job}” could not be funded. The app lets you start it again."),
    ),
    _kind(
        "consent_reminder",
        Side.PAYER,
        REMINDERS,
        type="funding.consent_reminder",
        subject=_("Your consent ends soon: {job}"),
        body=_(
            "Your consent to pay for “{job}” ends at {ends_at}, and {remaining} of it is not paid "
            "yet. Workers cannot be paid after that until you consent again; the app lets you do "
            "so now."
        ),
    ),
    _kind(
        "funding_lapsed",
        Side.PAYER,
        MONEY,
        type="funding.status",
        status="LAPSED",
        subject=_("Please consent again: {job}"),
        body=_(
            "Your consent to pay for “{job}” is over or was taken back, and {remaining} of it is "
            "not paid yet. Workers cannot be paid until you consent again in the app."
        ),
    ),
    _kind(
        "payout_stuck",
        Side.PAYER,
        MONEY,
        type="funding.status",
        where={"failing": True},
        while_stuck=True,
        subject=_("A worker could not be paid: {job}"),
        body=_(
            "A payment that you owe for “{job}” has failed, and trying again by itself did not "
            "help. The app says why, and what can be done."
        ),
    ),
    _kind(
        "treasury_nearly_spent",
        Side.OPERATOR,
        MONEY,
        type="treasury.nearly_spent",
        subject=_("The treasury's consent is nearly spent"),
        body=_(
            "{spent} of {limit} were paid out under your consent for the treasury. Payments stop "
            "when it is used up; please consent to a new one with `authorizeTreasury`."
        ),
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}
TYPES = frozenset(kind.type for kind in KINDS)
