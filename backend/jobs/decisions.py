"""What becomes of submitted work: accepted in whole or part, rejected, settled.

Every way to a decision ends here: the owner's review, their silence, and the end of a dispute.
The caller holds the lock of the job, and afterwards asks `endings.complete_if_done`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from backend.jobs.changes import Change
from backend.jobs.models import Submission
from backend.jobs.signals import work_accepted, work_settled
from backend.jobs.status import SubmissionStatus

# How long a worker can dispute a decision, and each side of a dispute has to answer.
DISPUTE_LASTS = timedelta(days=5)


def accept(
    change: Change,
    submission: Submission,
    *,
    value: int,
    comment: str = "",
    by_silence: bool = False,
    final: bool = False,
) -> None:
    """Accept `value` more of the reward, in the asset's smallest unit; it is owed from now on.

    What remains can be accepted later, and disputed by the worker, for 5 days; `final` says that
    nothing more will come.
    """
    accepted_value = submission.accepted_value + value
    stays_open = not final and accepted_value < submission.reward_value
    dispute_until = change.at + DISPUTE_LASTS if stays_open else None
    fields: dict[str, Any] = {
        "accepted_value": accepted_value,
        "comment": comment or submission.comment,
        "decided_at": change.at,
        "decided_by": change.actor,
        "auto_accepted": by_silence,
        "revise_until": None,
        "dispute_until": dispute_until,
        "due_at": dispute_until,
    }
    if submission.status == SubmissionStatus.ACCEPTED:
        submission.change(at=change.at, **fields)
        _tell(change, submission)
    else:
        change.move(submission, SubmissionStatus.ACCEPTED, **fields)
    if value:
        work_accepted.send(sender=Submission, submission=submission, value=value, at=change.at)
    if not stays_open:
        work_settled.send(sender=Submission, submission=submission, at=change.at)


def reject(change: Change, submission: Submission, *, comment: str, final: bool = False) -> None:
    """Reject the work. The worker can dispute that for 5 days, unless it is `final`."""
    dispute_until = None if final else change.at + DISPUTE_LASTS
    change.move(
        submission,
        SubmissionStatus.REJECTED,
        comment=comment or submission.comment,
        decided_at=change.at,
        decided_by=change.actor,
        revise_until=None,
        dispute_until=dispute_until,
        due_at=dispute_until,
    )
    if final:
        work_settled.send(sender=Submission, submission=submission, at=change.at)


def settle(change: Change, submission: Submission) -> None:
    """Close the time for disputes: nothing more of the reward will be accepted."""
    submission.change(at=change.at, dispute_until=None, due_at=None)
    _tell(change, submission)
    work_settled.send(sender=Submission, submission=submission, at=change.at)


def _tell(change: Change, submission: Submission) -> None:
    status = submission.status
    payload = {"status": status, "previous": status, "job": str(submission.job_id)}
    change.tell_people(submission, "submission.status", payload)
