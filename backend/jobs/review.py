"""Judging the work: the owner's decisions, and a worker who takes one as final."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from backend.accounts.idempotency import claim
from backend.accounts.models import User
from backend.errors import AssetMismatch, ValidationFailed
from backend.jobs import validation
from backend.jobs.changes import Change, changing
from backend.jobs.decisions import accept, reject, settle
from backend.jobs.disputes import concede
from backend.jobs.endings import complete_if_done
from backend.jobs.lifecycle.rules import require
from backend.jobs.lifecycle.submission import RULES, SubmissionAction
from backend.jobs.models import Submission
from backend.jobs.models.deadlines import next_step
from backend.jobs.status import ReviewDecision, SubmissionStatus
from backend.jobs.work import facts_of_work, lock_work
from backend.open_payments.types import Amount
from backend.texts import tidy_text

ACTIONS = {
    ReviewDecision.ACCEPT: SubmissionAction.ACCEPT,
    ReviewDecision.REQUEST_CHANGES: SubmissionAction.REQUEST_CHANGES,
    ReviewDecision.REJECT: SubmissionAction.REJECT,
}


def review_submission(
    *,
    user: User,
    submission_id: UUID,
    decision: ReviewDecision,
    amount: Amount | None,
    comment: str | None,
    idempotency_key: UUID,
    now: datetime,
) -> Submission:
    """Say what becomes of submitted work.

    ACCEPT takes `amount` of what is not accepted yet, `None` all of it; the rest can be accepted
    later, in at most MOST_PARTS parts. Once the time for the review is over it takes all of it
    only. REQUEST_CHANGES gives the worker the job's submit days for a new revision, or until its
    submit deadline where that is later. REJECT accepts nothing. The last two say why in `comment`.

    Safe to repeat with the same `idempotency_key`: nothing happens again. Refused input does not
    use up the key.

    Raises:
        NotFound: there is no such submission for `user`.
        Forbidden, WrongStatus: see `lifecycle.submission`.
        ValidationFailed: the amount is not within what is left, or a comment is missing.
        AssetMismatch: the amount is not in the job's asset.
        IdempotencyConflict: the key was used with other input.
    """
    comment = tidy_text(
        comment,
        most=validation.LONGEST_COMMENT,
        path="comment",
        required=decision is not ReviewDecision.ACCEPT,
    )
    if amount is not None and decision is not ReviewDecision.ACCEPT:
        raise ValidationFailed(_("Only ACCEPT takes an amount."), path=("amount",))
    with changing(at=now, actor=user) as change:
        submission = lock_work(user=user, submission_id=submission_id)
        done_before = claim(
            caller=user,
            operation="reviewSubmission",
            key=idempotency_key,
            inputs={
                "submission": submission_id,
                "decision": decision,
                "amount": amount and amount.to_json(),
                "comment": comment,
            },
            result_id=submission_id,
            now=now,
        )
        if done_before is not None:
            return submission
        facts = facts_of_work(user=user, submission=submission, now=now)
        require(RULES, ACTIONS[decision], facts)
        if decision is ReviewDecision.ACCEPT:
            _accept(change, submission, amount, comment)
        elif decision is ReviewDecision.REJECT:
            reject(change, submission, comment=comment)
        else:
            _request_changes(change, submission, comment)
        complete_if_done(change, submission.job)
    return submission


def acknowledge_decision(*, user: User, submission_id: UUID, now: datetime) -> Submission:
    """Take the owner's decision as final before the time for a dispute is over.

    A repeat is refused as WrongStatus.

    Raises:
        NotFound: there is no such submission for `user`.
        Forbidden, WrongStatus: see `lifecycle.submission`.
    """
    with changing(at=now, actor=user) as change:
        submission = lock_work(user=user, submission_id=submission_id)
        facts = facts_of_work(user=user, submission=submission, now=now)
        require(RULES, SubmissionAction.ACKNOWLEDGE, facts)
        settle(change, submission)
        complete_if_done(change, submission.job)
    return submission


def _accept(change: Change, submission: Submission, amount: Amount | None, comment: str) -> None:
    value = submission.rest if amount is None else _accepted_value(submission, amount)
    if submission.status != SubmissionStatus.DISPUTED:
        if value != submission.rest and _silence_has_accepted(submission, at=change.at):
            raise ValidationFailed(
                _("The time for the review is over: silence has accepted all of this work."),
                path=("amount",),
            )
        accept(change, submission, value=value, comment=comment)
        return
    if value != submission.rest:
        raise ValidationFailed(
            _("While the worker disputes it, the whole rest can be accepted, or nothing."),
            path=("amount",),
        )
    concede(change, submission, comment=comment)


def _silence_has_accepted(submission: Submission, *, at: datetime) -> bool:
    """Whether the owner's time is over, whether or not the clock has come by."""
    waits = submission.status == SubmissionStatus.SUBMITTED
    return waits and submission.review_by is not None and submission.review_by <= at


def _accepted_value(submission: Submission, amount: Amount) -> int:
    rest = submission.job.amount(submission.rest)
    if (amount.asset_code, amount.asset_scale) != (rest.asset_code, rest.asset_scale):
        raise AssetMismatch(
            _("The job pays {asset} with scale {scale}."),
            path=("amount",),
            asset=rest.asset_code,
            scale=rest.asset_scale,
        )
    # Each part is a payment, and each payment costs somebody its own fee.
    least = min(rest.value, -(-submission.reward_value // validation.MOST_PARTS))
    if not least <= amount.value <= rest.value:
        raise ValidationFailed(
            _("Between {least} and {most} of the reward can be accepted."),
            path=("amount", "value"),
            least=least,
            most=rest.value,
        )
    return amount.value


def _request_changes(change: Change, submission: Submission, comment: str) -> None:
    job = submission.job
    revise_until = change.at + timedelta(days=job.submit_days)
    if job.submit_until is not None:
        revise_until = max(revise_until, job.submit_until)
    change.move(
        submission,
        SubmissionStatus.CHANGES_REQUESTED,
        comment=comment,
        decided_at=change.at,
        decided_by=change.actor,
        revise_until=revise_until,
        due_at=next_step([revise_until], reminded=True, now=change.at),
    )
