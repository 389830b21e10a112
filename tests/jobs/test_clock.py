"""What time does to jobs; a clock that is late, early, or comes twice changes nothing twice."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.events.models import Event
from backend.jobs import clock
from backend.jobs.models import Dispute, Job, StatusChange, Submission
from backend.jobs.posting import extend_job
from backend.jobs.signals import job_moved
from backend.jobs.status import JobStatus, ReviewDecision
from tests.jobs.people import (
    NOON,
    a_dispute,
    a_draft,
    a_job,
    a_job_with_work,
    an_application,
    reviewed,
    submitted_work,
)
from tests.jobs.test_disputes import answered

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def status_at(job: Job, at: datetime) -> str:
    clock.pass_time(now=at)
    return Job.objects.get(id=job.id).status


def test_nothing_happens_before_it_is_due() -> None:
    job = a_job()
    a_draft()
    an_application(job)
    assert job.recruit_until is not None

    assert clock.pass_time(now=job.recruit_until - SECOND) == 0


def test_the_deadline_ends_recruiting_with_applications_and_the_job_without() -> None:
    wanted, unwanted = a_job(), a_job()
    an_application(wanted)
    assert wanted.recruit_until is not None

    assert clock.pass_time(now=wanted.recruit_until) == 2

    assert Job.objects.get(id=wanted.id).status == JobStatus.SELECTING
    assert Job.objects.get(id=unwanted.id).status == JobStatus.EXPIRED
    assert clock.pass_time(now=wanted.recruit_until) == 0


def test_withdrawn_applications_do_not_count() -> None:
    job = a_job()
    application = an_application(job)
    job.applications.filter(id=application.id).update(status="WITHDRAWN")
    assert job.recruit_until is not None

    assert status_at(job, job.recruit_until) == JobStatus.EXPIRED


def test_a_job_expires_while_it_selects() -> None:
    job = a_job()
    an_application(job)
    assert job.recruit_until is not None
    assert job.expires_at is not None

    assert status_at(job, job.recruit_until) == JobStatus.SELECTING
    assert status_at(job, job.expires_at - SECOND) == JobStatus.SELECTING
    assert status_at(job, job.expires_at) == JobStatus.EXPIRED


def test_a_late_clock_goes_straight_to_the_end() -> None:
    job = a_job()
    an_application(job)

    assert status_at(job, NOON + 400 * DAY) == JobStatus.EXPIRED


def test_no_job_ends_while_a_payment_for_it_is_on_its_way() -> None:
    job = a_job()
    Job.objects.filter(id=job.id).update(money_moving=True)
    assert job.recruit_until is not None

    assert status_at(job, job.recruit_until) == JobStatus.RECRUITING
    Job.objects.filter(id=job.id).update(money_moving=False)
    assert status_at(job, job.recruit_until + SECOND) == JobStatus.RECRUITING
    assert status_at(job, job.recruit_until + timedelta(minutes=1)) == JobStatus.EXPIRED


def test_the_time_for_work_ends_in_a_review_of_what_there_is() -> None:
    job, [diligent, _absent] = a_job_with_work(2)
    submitted_work(job, diligent)
    assert job.submit_until is not None

    assert status_at(job, job.submit_until - SECOND) == JobStatus.SUBMITTING
    assert status_at(job, job.submit_until) == JobStatus.REVIEWING


def test_work_is_reviewed_where_the_job_ends_before_the_time_for_it() -> None:
    job, [worker, _] = a_job_with_work(workers=2)
    submitted_work(job, worker)
    Job.objects.filter(id=job.id).update(
        recruit_until=NOON, expires_at=NOON + DAY, due_at=NOON + DAY
    )

    assert status_at(job, NOON + DAY) == JobStatus.REVIEWING


def test_without_any_work_the_job_waits_for_its_end() -> None:
    job, _workers = a_job_with_work()
    assert job.submit_until is not None
    assert job.expires_at is not None

    assert status_at(job, job.submit_until) == JobStatus.SUBMITTING
    assert status_at(job, job.expires_at) == JobStatus.EXPIRED


def test_silence_is_reminded_twice_and_then_accepts() -> None:
    job, [worker] = a_job_with_work(review_days=14)
    submission = submitted_work(job, worker)

    def reminders() -> int:
        return Event.objects.filter(
            topic=f"user:{job.owner_id}", type="submission.review_reminder"
        ).count()

    for day, expected in ((6, 0), (7, 1), (8, 1), (12, 2), (13, 2)):
        clock.pass_time(now=NOON + day * DAY)
        assert reminders() == expected, f"on day {day}"
    assert Submission.objects.get(id=submission.id).status == "SUBMITTED"

    clock.pass_time(now=NOON + 14 * DAY)

    submission.refresh_from_db()
    assert (submission.status, submission.accepted_value) == ("ACCEPTED", 2500)
    assert submission.auto_accepted
    assert submission.decided_by_id is None
    assert Job.objects.get(id=job.id).status == JobStatus.COMPLETE
    assert reminders() == 2


def test_a_late_clock_reminds_once() -> None:
    job, [worker] = a_job_with_work(review_days=14)
    submitted_work(job, worker)

    clock.pass_time(now=NOON + 13 * DAY)
    clock.pass_time(now=NOON + 13 * DAY)

    assert Event.objects.filter(type="submission.review_reminder").count() == 1


def told(type: str) -> list[str]:
    return [event.topic for event in Event.objects.filter(type=type).order_by("topic")]


def test_workers_are_told_three_days_and_one_day_before_their_time_is_over() -> None:
    job, [early, late] = a_job_with_work(workers=2)
    assert job.submit_until is not None
    submitted_work(job, early)

    for before, expected in ((73, 0), (72, 1), (25, 1), (24, 2), (1, 2)):
        clock.pass_time(now=job.submit_until - timedelta(hours=before))
        assert told("job.work_reminder") == [f"user:{late.id}"] * expected, f"{before} hours before"
    assert Job.objects.get(id=job.id).status == JobStatus.SUBMITTING

    assert status_at(job, job.submit_until) == JobStatus.REVIEWING
    assert len(told("job.work_reminder")) == 2


def test_an_owner_is_told_three_days_and_one_day_before_their_job_expires() -> None:
    job = a_job()
    an_application(job)
    assert job.recruit_until is not None
    assert job.expires_at is not None
    assert status_at(job, job.recruit_until) == JobStatus.SELECTING

    for before, expected in ((73, 0), (72, 1), (25, 1), (24, 2), (1, 2)):
        clock.pass_time(now=job.expires_at - timedelta(hours=before))
        assert told("job.expiry_reminder") == [f"user:{job.owner_id}"] * expected

    assert status_at(job, job.expires_at) == JobStatus.EXPIRED


def test_nobody_is_told_of_the_end_of_a_job_with_work() -> None:
    job, [worker] = a_job_with_work()
    submitted_work(job, worker)
    assert job.expires_at is not None

    clock.pass_time(now=job.expires_at - timedelta(hours=24))

    assert told("job.expiry_reminder") == told("job.work_reminder") == []


def test_a_job_that_was_given_more_time_reminds_of_that() -> None:
    job, [worker] = a_job_with_work()
    assert job.submit_until is not None
    longer = job.submit_until + DAY
    clock.pass_time(now=job.submit_until - 3 * DAY)
    extend_job(
        user=job.owner,
        job_id=job.id,
        recruit_until=None,
        submit_until=longer,
        expires_at=None,
        now=job.submit_until - 3 * DAY,
    )

    for at in (longer - 3 * DAY, longer - 2 * DAY, longer - DAY):
        clock.pass_time(now=at)

    assert told("job.work_reminder") == [f"user:{worker.id}"] * 3


def test_a_worker_is_told_before_the_time_for_changes_is_over() -> None:
    job, [worker] = a_job_with_work()
    waiting = reviewed(submitted_work(job, worker), ReviewDecision.REQUEST_CHANGES)
    assert waiting.revise_until is not None

    for before, expected in ((73, 0), (72, 1), (25, 1), (24, 2), (1, 2)):
        clock.pass_time(now=waiting.revise_until - timedelta(hours=before))
        assert told("submission.revision_reminder") == [f"user:{worker.id}"] * expected
    assert Submission.objects.get(id=waiting.id).status == "CHANGES_REQUESTED"


def test_a_clock_that_is_too_late_reminds_nobody() -> None:
    job, _workers = a_job_with_work()
    assert job.submit_until is not None

    clock.pass_time(now=job.submit_until)

    assert told("job.work_reminder") == []


def test_a_clock_that_is_late_reminds_once_and_of_nothing_that_is_over() -> None:
    job, _workers = a_job_with_work()
    assert job.submit_until is not None

    clock.pass_time(now=job.submit_until - SECOND)
    assert len(told("job.work_reminder")) == 1
    clock.pass_time(now=job.submit_until)

    assert len(told("job.work_reminder")) == 1


def test_a_revision_that_does_not_come_leaves_the_work_rejected_and_disputable() -> None:
    job, [worker] = a_job_with_work()
    waiting = reviewed(submitted_work(job, worker), ReviewDecision.REQUEST_CHANGES)
    assert waiting.revise_until is not None

    clock.pass_time(now=waiting.revise_until)

    waiting.refresh_from_db()
    assert waiting.status == "REJECTED"
    assert waiting.dispute_until == (waiting.decided_at or NOON) + 5 * DAY


def test_the_time_for_disputes_ends_and_then_the_job() -> None:
    job, [worker] = a_job_with_work(review_days=14)
    rejected = reviewed(submitted_work(job, worker), ReviewDecision.REJECT)

    clock.pass_time(now=NOON + 5 * DAY)

    rejected.refresh_from_db()
    assert (rejected.status, rejected.dispute_until) == ("REJECTED", None)
    assert status_at(job, NOON + 18 * DAY) == JobStatus.REVIEWING
    assert status_at(job, NOON + 19 * DAY) == JobStatus.COMPLETE


def test_an_owner_who_does_not_answer_a_dispute_has_agreed() -> None:
    job, [worker] = a_job_with_work()
    dispute = a_dispute(reviewed(submitted_work(job, worker), ReviewDecision.REJECT))

    clock.pass_time(now=NOON + 5 * DAY)

    dispute.refresh_from_db()
    assert (dispute.status, dispute.worker_value) == ("RESOLVED", 2500)
    assert Submission.objects.get().accepted_value == 2500
    assert Job.objects.get(id=job.id).status == JobStatus.COMPLETE


def test_a_worker_who_does_not_reply_to_the_answer_has_given_in() -> None:
    job, [worker] = a_job_with_work()
    answered(a_dispute(reviewed(submitted_work(job, worker), ReviewDecision.REJECT)))

    clock.pass_time(now=NOON + 5 * DAY)

    assert Dispute.objects.get().status == "WITHDRAWN"
    assert Submission.objects.get().status == "REJECTED"


def test_every_move_of_the_clock_is_nobodys() -> None:
    job = a_job()
    assert job.recruit_until is not None

    clock.pass_time(now=job.recruit_until)

    assert StatusChange.objects.get(job=job, new="EXPIRED").actor is None


def test_a_row_that_fails_is_logged_and_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, fine = a_job(), a_job()
    assert broken.recruit_until is not None

    def fail(job: Job, **_: Any) -> None:
        assert job.id != broken.id, "somebody who listens cannot bear this job"

    job_moved.connect(fail)
    try:
        moved = clock.pass_time(now=broken.recruit_until)
    finally:
        job_moved.disconnect(fail)

    assert moved == 1
    assert str(broken.id) in caplog.text
    assert Job.objects.get(id=fine.id).status == JobStatus.EXPIRED
    assert Job.objects.get(id=broken.id).status == JobStatus.RECRUITING
    assert status_at(broken, broken.recruit_until) == JobStatus.EXPIRED, "it is due again"
