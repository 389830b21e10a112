"""Fifty callers, sixteen at a time: what can be decided once is, and the others are told so."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from backend.ids import new_id
from backend.jobs import clock, endings, posting, recruiting, review, work
from backend.jobs.models import Dispute, Job, Submission
from backend.jobs.signals import work_accepted, work_settled
from backend.jobs.status import (
    ApplicationStatus,
    DeliverableType,
    JobStatus,
    ReviewDecision,
    SubmissionStatus,
)
from tests.jobs.people import (
    NOON,
    a_dispute,
    a_draft,
    a_draft_of_work,
    a_job,
    a_job_with_work,
    a_person,
    an_application,
    reviewed,
    submitted_work,
)
from tests.jobs.test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)

CALLERS = 50


@pytest.fixture
def said() -> Iterator[Counter[str]]:
    """How often each thing was announced to the money."""
    heard: Counter[str] = Counter()

    def accepted(**_: Any) -> None:
        heard["accepted"] += 1

    def settled(**_: Any) -> None:
        heard["settled"] += 1

    work_accepted.connect(accepted)
    work_settled.connect(settled)
    yield heard
    work_accepted.disconnect(accepted)
    work_settled.disconnect(settled)


def test_fifty_apply_for_the_last_place() -> None:
    job = a_job(recruit_limit=3)
    an_application(job)
    an_application(job)
    workers = [a_person("worker") for _ in range(CALLERS)]

    ends = at_once(*(lambda worker=worker: an_application(job, worker) for worker in workers))

    assert ends == {"done": 1, "WrongStatus": CALLERS - 1}
    assert job.applications.count() == 3
    assert job.status_changes.filter(new=JobStatus.SELECTING).count() == 1


def test_fifty_selections_for_the_last_place() -> None:
    job = a_job(workers_needed=1, recruit_limit=CALLERS + 1)
    ids = [an_application(job).id for _ in range(CALLERS)]

    ends = at_once(
        *(
            lambda id_=id_: recruiting.decide_applications(
                user=job.owner, job_id=job.id, select=[id_], now=NOON
            )
            for id_ in ids
        )
    )

    assert ends == {"done": 1, "ValidationFailed": CALLERS - 1}
    assert job.applications.filter(status=ApplicationStatus.SELECTED).count() == 1


def test_work_accepted_with_fifty_keys_is_accepted_once(said: Counter[str]) -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)

    ends = at_once(*[lambda: reviewed(submission, ReviewDecision.ACCEPT)] * CALLERS)

    assert ends == {"done": 1, "WrongStatus": CALLERS - 1}
    assert said == {"accepted": 1, "settled": 1}
    assert Submission.objects.get(id=submission.id).accepted_value == submission.reward_value


def test_one_key_used_fifty_times_accepts_once_and_all_are_answered(said: Counter[str]) -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)
    key = new_id()

    ends = at_once(
        *[
            lambda: review.review_submission(
                user=job.owner,
                submission_id=submission.id,
                decision=ReviewDecision.ACCEPT,
                amount=job.amount(500),
                comment="A fifth.",
                idempotency_key=key,
                now=NOON,
            )
        ]
        * CALLERS
    )

    assert ends == {"done": CALLERS}
    assert said == {"accepted": 1}
    assert Submission.objects.get(id=submission.id).accepted_value == 500


def test_an_operator_cancels_while_the_owner_accepts(said: Counter[str]) -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)
    operator = a_person("operator", is_staff=True)

    ends = at_once(
        *[
            lambda: endings.cancel_job(
                user=operator, job_id=job.id, reason="Reported as fraud.", now=NOON
            ),
            lambda: reviewed(submission, ReviewDecision.ACCEPT),
        ]
        * (CALLERS // 2)
    )

    assert ends == {"done": 1, "WrongStatus": CALLERS - 1}
    ended = (
        Job.objects.get(id=job.id).status,
        Submission.objects.get(id=submission.id).status,
        said["accepted"],
    )
    assert ended in {
        (JobStatus.COMPLETE, SubmissionStatus.ACCEPTED, 1),
        (JobStatus.CANCELED, SubmissionStatus.REJECTED, 0),
    }
    assert said["settled"] == 1


def test_the_clock_and_the_owner_close_recruiting_at_its_deadline() -> None:
    job = a_job()
    an_application(job)
    deadline = job.recruit_until
    assert deadline is not None

    ends = at_once(
        *[
            lambda: clock.pass_time(now=deadline),
            lambda: recruiting.close_recruiting(user=job.owner, job_id=job.id, now=deadline),
        ]
        * (CALLERS // 2)
    )

    assert set(ends) <= {"done", "WrongStatus"}
    assert ends["WrongStatus"] >= CALLERS // 2 - 1
    assert job.status_changes.filter(new=JobStatus.SELECTING).count() == 1


def test_the_clock_and_the_owner_decide_at_the_end_of_the_review(said: Counter[str]) -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)
    due_at = Submission.objects.get(id=submission.id).due_at
    assert due_at is not None

    long_after = due_at + timedelta(days=30)  # past any reminder before it
    at_once(
        *[
            lambda: clock.pass_time(now=long_after),
            lambda: reviewed(submission, ReviewDecision.ACCEPT, now=long_after),
        ]
        * (CALLERS // 2)
    )

    assert said["accepted"] == said["settled"] == 1
    assert job.status_changes.filter(new=JobStatus.COMPLETE).count() == 1


def test_work_is_submitted_once(said: Counter[str]) -> None:
    job, [worker] = a_job_with_work()
    draft = a_draft_of_work(job, worker)

    ends = at_once(
        *[lambda: work.submit_work(user=worker, submission_id=draft.id, now=NOON)] * CALLERS
    )

    assert ends == {"done": 1, "WrongStatus": CALLERS - 1}
    assert job.status_changes.filter(new=JobStatus.REVIEWING).count() == 1
    assert not said


def test_work_is_handed_in_while_the_clock_ends_the_time_for_it() -> None:
    job, [early, late] = a_job_with_work(workers=2)
    submitted_work(job, early)
    draft = a_draft_of_work(job, late)
    deadline = Job.objects.get(id=job.id).submit_until
    assert deadline is not None
    just_in_time = deadline - timedelta(seconds=1)

    ends = at_once(
        *[
            lambda: clock.pass_time(now=deadline),
            lambda: work.submit_work(user=late, submission_id=draft.id, now=just_in_time),
        ]
        * (CALLERS // 2)
    )

    handed_in = Submission.objects.get(id=draft.id).status == SubmissionStatus.SUBMITTED
    assert ends == {
        "done": CALLERS // 2 + handed_in,
        "WrongStatus": CALLERS // 2 - handed_in,
    }
    assert Job.objects.get(id=job.id).status == JobStatus.REVIEWING
    assert job.status_changes.filter(new=JobStatus.REVIEWING).count() == 1


def test_a_revision_is_handed_in_while_the_clock_gives_up_waiting_for_it(
    said: Counter[str],
) -> None:
    job, [worker] = a_job_with_work()
    first = reviewed(submitted_work(job, worker), ReviewDecision.REQUEST_CHANGES)
    revision = a_draft_of_work(job, worker)
    deadline = Submission.objects.get(id=first.id).revise_until
    assert deadline is not None
    just_in_time = deadline - timedelta(seconds=1)

    ends = at_once(
        *[
            lambda: clock.pass_time(now=deadline),
            lambda: work.submit_work(user=worker, submission_id=revision.id, now=just_in_time),
        ]
        * (CALLERS // 2)
    )

    first.refresh_from_db()
    revision.refresh_from_db()
    handed_in = revision.status == SubmissionStatus.SUBMITTED
    assert ends == {
        "done": CALLERS // 2 + handed_in,
        "WrongStatus": CALLERS // 2 - handed_in,
    }
    assert (first.status, first.superseded_at is not None) == (
        (SubmissionStatus.CHANGES_REQUESTED, True)
        if handed_in
        else (SubmissionStatus.REJECTED, False)
    )
    assert not said, "nothing is decided for good yet"


def test_a_decision_is_disputed_once() -> None:
    job, [worker] = a_job_with_work()
    submission = reviewed(submitted_work(job, worker), ReviewDecision.REJECT)

    ends = at_once(*[lambda: a_dispute(submission)] * CALLERS)

    assert ends["done"] == 1, ends
    assert Dispute.objects.filter(submission=submission).count() == 1


def test_a_draft_is_published_by_one_of_fifty_calls() -> None:
    draft = a_draft(deliverables=(DeliverableType.TEXT,))

    ends = at_once(
        *[lambda: posting.publish_job(user=draft.owner, job_id=draft.id, now=NOON)] * CALLERS
    )

    assert ends == {"done": 1, "WrongStatus": CALLERS - 1}
    assert draft.status_changes.count() == 1
