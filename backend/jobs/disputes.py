"""When a worker does not agree: their claim, the owner's answer, and who decides in the end.

Silence decides for the side that waits: an owner who does not answer in 5 days has agreed, a
worker who does not reply to the answer in 5 days has given in. Whoever insists asks an operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from backend.accounts.idempotency import claim
from backend.accounts.models import User
from backend.errors import AssetMismatch, NotFound, ValidationFailed
from backend.files.attaching import attach
from backend.jobs import validation
from backend.jobs.changes import Change, changing, lock_job
from backend.jobs.decisions import DISPUTE_LASTS, accept, reject
from backend.jobs.endings import complete_if_done
from backend.jobs.facts import dispute_facts
from backend.jobs.lifecycle import submission as submission_rules
from backend.jobs.lifecycle.dispute import RULES, DisputeAction
from backend.jobs.lifecycle.rules import require
from backend.jobs.lifecycle.submission import SubmissionAction
from backend.jobs.models import Dispute, Submission
from backend.jobs.queries import disputes_visible_to
from backend.jobs.status import DisputeStatus, SubmissionStatus
from backend.jobs.work import facts_of_work, lock_work
from backend.open_payments.types import Amount
from backend.texts import tidy_text

MOST_EVIDENCE = 10


def open_dispute(
    *,
    user: User,
    submission_id: UUID,
    reason: str,
    evidence_ids: Sequence[UUID] = (),
    now: datetime,
) -> Dispute:
    """Claim what was not accepted of one's reward. There is one dispute about a submission.

    Raises:
        NotFound: no such submission, or a file is not the worker's.
        Forbidden, WrongStatus: see `lifecycle.submission`.
        ValidationFailed: no reason is given, or it is unusable.
    """
    reason = _words(reason, path="reason")
    with changing(at=now, actor=user) as change:
        submission = lock_work(user=user, submission_id=submission_id)
        facts = facts_of_work(user=user, submission=submission, now=now)
        require(submission_rules.RULES, SubmissionAction.DISPUTE, facts)
        files = attach(
            user=user, file_ids=evidence_ids, path="evidenceFileIds", most=MOST_EVIDENCE, now=now
        )
        change.move(submission, SubmissionStatus.DISPUTED, dispute_until=None, due_at=None)
        dispute = Dispute.objects.create(
            submission=submission,
            reason=reason,
            amount_value=submission.rest,
            answer_by=now + DISPUTE_LASTS,
            due_at=now + DISPUTE_LASTS,
            created_at=now,
            updated_at=now,
        )
        dispute.evidence.set(files)
        payload = {"status": dispute.status, "previous": None, "job": str(submission.job_id)}
        change.tell_people(dispute, "dispute.status", payload)
    return dispute


def respond_to_dispute(
    *,
    user: User,
    dispute_id: UUID,
    response: str,
    evidence_ids: Sequence[UUID] = (),
    now: datetime,
) -> Dispute:
    """Answer a worker's claim; they have 5 days to reply. A repeat is refused as WrongStatus.

    Raises:
        NotFound: no such dispute, or a file is not the owner's.
        Forbidden, WrongStatus: see `lifecycle.dispute`.
        ValidationFailed: nothing is said, or it is unusable.
    """
    response = _words(response, path="response")
    with changing(at=now, actor=user) as change:
        dispute = _locked(user, dispute_id)
        require(RULES, DisputeAction.RESPOND, dispute_facts(user=user, dispute=dispute, now=now))
        files = attach(
            user=user, file_ids=evidence_ids, path="evidenceFileIds", most=MOST_EVIDENCE, now=now
        )
        answer_by = now + DISPUTE_LASTS
        change.move(
            dispute,
            DisputeStatus.RESPONDED,
            response=response,
            answer_by=answer_by,
            due_at=answer_by,
        )
        dispute.response_evidence.set(files)
    return dispute


def escalate_dispute(*, user: User, dispute_id: UUID, now: datetime) -> Dispute:
    """Ask an operator to decide, after the owner's answer. A repeat is refused as WrongStatus.

    Raises:
        NotFound, Forbidden, WrongStatus: see `lifecycle.dispute`.
    """
    with changing(at=now, actor=user) as change:
        dispute = _locked(user, dispute_id)
        require(RULES, DisputeAction.ESCALATE, dispute_facts(user=user, dispute=dispute, now=now))
        change.move(dispute, DisputeStatus.ESCALATED, answer_by=None, due_at=None)
        _tell_operators(change, dispute)
    return dispute


def withdraw_dispute(*, user: User, dispute_id: UUID, now: datetime) -> Dispute:
    """Give up one's claim: the decision is final as it was. A repeat is refused as WrongStatus.

    Raises:
        NotFound, Forbidden, WrongStatus: see `lifecycle.dispute`.
    """
    with changing(at=now, actor=user) as change:
        dispute = _locked(user, dispute_id)
        require(RULES, DisputeAction.WITHDRAW, dispute_facts(user=user, dispute=dispute, now=now))
        end_without_pay(change, dispute)
    return dispute


def resolve_dispute(
    *,
    user: User,
    dispute_id: UUID,
    worker_share: Amount,
    payer_share: Amount,
    note: str,
    idempotency_key: UUID,
    now: datetime,
) -> Dispute:
    """Decide as an operator who is no party to it; both shares together are what is disputed.

    Safe to repeat with the same `idempotency_key`: nothing happens again. Refused input does not
    use up the key.

    Raises:
        NotFound, Forbidden, WrongStatus: see `lifecycle.dispute`.
        ValidationFailed: the shares are not the disputed sum, or the note is missing.
        AssetMismatch: a share is not in the job's asset.
        IdempotencyConflict: the key was used with other input.
    """
    note = _words(note, path="note")
    with changing(at=now, actor=user) as change:
        dispute = _locked(user, dispute_id)
        done_before = claim(
            caller=user,
            operation="resolveDispute",
            key=idempotency_key,
            inputs={
                "dispute": dispute_id,
                "worker": worker_share.to_json(),
                "payer": payer_share.to_json(),
                "note": note,
            },
            result_id=dispute_id,
            now=now,
        )
        if done_before is not None:
            return dispute
        require(RULES, DisputeAction.RESOLVE, dispute_facts(user=user, dispute=dispute, now=now))
        _check_shares(dispute, worker_share, payer_share)
        resolve(change, dispute, worker_value=worker_share.value, note=note)
    return dispute


def concede(change: Change, submission: Submission, *, comment: str) -> None:
    """End the dispute about a submission with everything for its worker."""
    dispute = submission.dispute
    dispute.submission = submission
    resolve(change, dispute, worker_value=dispute.amount_value, note=comment)


def resolve(change: Change, dispute: Dispute, *, worker_value: int, note: str = "") -> None:
    """End a dispute with `worker_value` of the disputed sum for the worker."""
    change.move(
        dispute,
        DisputeStatus.RESOLVED,
        worker_value=worker_value,
        resolution=note,
        resolved_at=change.at,
        resolved_by=change.actor,
        answer_by=None,
        due_at=None,
    )
    _finish(change, dispute.submission, worker_value)


def end_without_pay(change: Change, dispute: Dispute) -> None:
    """End a dispute by leaving the decision as it was."""
    change.move(
        dispute, DisputeStatus.WITHDRAWN, resolved_at=change.at, answer_by=None, due_at=None
    )
    _finish(change, dispute.submission, 0)


def _finish(change: Change, submission: Submission, value: int) -> None:
    if submission.accepted_value + value > 0:
        accept(change, submission, value=value, final=True)
    else:
        reject(change, submission, comment="", final=True)
    complete_if_done(change, submission.job)


def _tell_operators(change: Change, dispute: Dispute) -> None:
    """Tell those who can decide: it waits for one of them, and time does nothing about it."""
    submission = dispute.submission
    parties = (submission.worker_id, submission.job.owner_id)
    operators = User.objects.filter(is_staff=True, is_active=True).exclude(id__in=parties)
    payload = {
        "status": DisputeStatus.ESCALATED.value,
        "previous": DisputeStatus.RESPONDED.value,
        "job": str(submission.job_id),
    }
    for operator_id in operators.values_list("id", flat=True):
        change.tell(f"user:{operator_id}", "dispute.status", dispute, payload)


def _locked(user: User, dispute_id: UUID) -> Dispute:
    dispute = disputes_visible_to(user).filter(id=dispute_id).first()
    if dispute is None:
        raise NotFound(_("There is no such dispute."), path=("disputeId",))
    job = lock_job(user=user, job_id=dispute.submission.job_id, path=("disputeId",))
    dispute.refresh_from_db(from_queryset=Dispute.objects.select_related("submission"))
    dispute.submission.job = job
    return dispute


def _check_shares(dispute: Dispute, worker_share: Amount, payer_share: Amount) -> None:
    disputed = dispute.submission.job.amount(dispute.amount_value)
    for share, path in ((worker_share, "workerShare"), (payer_share, "payerShare")):
        if (share.asset_code, share.asset_scale) != (disputed.asset_code, disputed.asset_scale):
            raise AssetMismatch(
                _("The job pays {asset} with scale {scale}."),
                path=(path,),
                asset=disputed.asset_code,
                scale=disputed.asset_scale,
            )
    if worker_share.value + payer_share.value != disputed.value:
        raise ValidationFailed(
            _("Both shares together have to be {sum}."), path=("payerShare",), sum=disputed.value
        )


def _words(value: str, *, path: str) -> str:
    return tidy_text(value, most=validation.LONGEST_REASON, path=path, required=True)
