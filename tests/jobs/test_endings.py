"""Cancelling and completing: never over work that waits or is contested, nor over moving money."""

from datetime import timedelta

import pytest

from backend.accounts.models import User
from backend.errors import Forbidden, NotFound, ValidationFailed
from backend.jobs import clock, endings, review
from backend.jobs.errors import WrongStatus
from backend.jobs.facts import facts_of_job
from backend.jobs.lifecycle.job import RULES, JobAction
from backend.jobs.lifecycle.rules import allowed
from backend.jobs.models import Job, StatusChange, Submission
from backend.jobs.status import JobStatus, ReviewDecision
from tests.jobs.people import (
    NOON,
    a_dispute,
    a_draft,
    a_job,
    a_job_with_work,
    a_person,
    reviewed,
    submitted_work,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def cancel(job: Job, user: object = None, reason: str = "No longer needed.") -> Job:
    return endings.cancel_job(
        user=user or job.owner,  # type: ignore[arg-type]
        job_id=job.id,
        reason=reason,
        now=NOON,
    )


def complete(job: Job) -> Job:
    return endings.complete_job(user=job.owner, job_id=job.id, now=NOON)


def test_cancelling_keeps_the_reason_and_stops_the_clock() -> None:
    job = cancel(a_job())

    assert (job.status, job.due_at) == ("CANCELED", None)
    change = StatusChange.objects.get(job=job, new="CANCELED")
    assert (change.reason, change.actor) == ("No longer needed.", job.owner)
    with pytest.raises(WrongStatus):
        cancel(job)


def test_a_draft_and_a_job_without_submitted_work_can_be_cancelled() -> None:
    job, _workers = a_job_with_work()

    assert cancel(a_draft()).status == cancel(job).status == JobStatus.CANCELED


def test_cancelling_needs_a_reason_and_the_owner_or_an_operator() -> None:
    job = a_job()

    with pytest.raises(ValidationFailed):
        cancel(job, reason=" ")
    with pytest.raises(Forbidden):
        cancel(job, a_person())
    with pytest.raises(NotFound):
        cancel(a_draft(), a_person())
    assert cancel(job, a_person(is_staff=True)).status == JobStatus.CANCELED


def test_undecided_work_is_decided_first_unless_an_operator_ends_the_job() -> None:
    job, [first, second] = a_job_with_work(2)
    submitted_work(job, first)
    reviewed(submitted_work(job, second), ReviewDecision.REQUEST_CHANGES)

    with pytest.raises(WrongStatus):
        cancel(job)
    cancel(job, a_person(is_staff=True), reason="The owner has left.")

    for submission in Submission.objects.all():
        assert (submission.status, submission.comment) == ("REJECTED", "The owner has left.")
        assert (submission.dispute_until, submission.due_at) == (None, None)


def test_an_operator_decides_about_work_for_a_job_of_their_own_like_any_owner() -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)
    User.objects.filter(id=job.owner_id).update(is_staff=True)
    owner = User.objects.get(id=job.owner_id)

    with pytest.raises(WrongStatus, match="work waits for a decision"):
        cancel(job, owner)

    submission.refresh_from_db()
    assert submission.status == "SUBMITTED"


def test_no_operator_takes_back_what_silence_has_accepted() -> None:
    job, [worker] = a_job_with_work(review_days=14)
    submission = submitted_work(job, worker)
    operator = a_person(is_staff=True)
    # The clock, which would say so, has not come by yet.
    late = NOON + 14 * DAY

    with pytest.raises(WrongStatus, match="silence has accepted"):
        endings.cancel_job(user=operator, job_id=job.id, reason="The owner has left.", now=late)

    assert JobAction.CANCEL not in allowed(RULES, facts_of_job(user=operator, job=job, now=late))
    clock.pass_time(now=late)
    submission.refresh_from_db()
    assert (submission.status, submission.accepted_value) == ("ACCEPTED", 2500)


def test_contested_work_blocks_every_end() -> None:
    job, [worker] = a_job_with_work()
    rejected = reviewed(submitted_work(job, worker), ReviewDecision.REJECT)

    for end in (cancel, complete):
        with pytest.raises(WrongStatus):
            end(job)
    a_dispute(rejected)
    with pytest.raises(WrongStatus):
        cancel(job, a_person(is_staff=True))


def test_accepted_work_stays_accepted_when_the_job_is_cancelled() -> None:
    job, [first, _second] = a_job_with_work(2)
    accepted = reviewed(submitted_work(job, first), ReviewDecision.ACCEPT)

    cancel(job)

    accepted.refresh_from_db()
    assert (accepted.status, accepted.accepted_value) == ("ACCEPTED", 2500)


def test_an_owner_completes_what_is_decided_but_not_accepted_in_full() -> None:
    job, [worker] = a_job_with_work()
    rejected = reviewed(submitted_work(job, worker), ReviewDecision.REJECT)
    review.acknowledge_decision(user=worker, submission_id=rejected.id, now=NOON)

    completed = complete(job)

    assert (completed.status, completed.due_at) == ("COMPLETE", None)
    with pytest.raises(WrongStatus):
        complete(job)


def test_a_job_is_not_completed_while_work_is_undecided_or_before_the_review() -> None:
    job, [worker] = a_job_with_work()

    with pytest.raises(WrongStatus):
        complete(job)
    submitted_work(job, worker)
    with pytest.raises(WrongStatus):
        complete(job)


@pytest.mark.parametrize("end", [cancel, complete])
def test_no_job_is_ended_while_a_payment_for_it_is_on_its_way(end: object) -> None:
    job = a_job()
    Job.objects.filter(id=job.id).update(money_moving=True)

    with pytest.raises(WrongStatus):
        end(job)  # type: ignore[operator]
