"""The owner's decisions about work, in whole and part, and when each becomes final."""

from datetime import timedelta
from typing import Any

import pytest

from backend.accounts.idempotency import IdempotencyConflict
from backend.accounts.models import IdempotencyKey
from backend.errors import AssetMismatch, Forbidden, NotFound, ValidationFailed
from backend.ids import new_id
from backend.jobs import review
from backend.jobs.errors import WrongStatus
from backend.jobs.models import Job, Submission
from backend.jobs.signals import work_accepted, work_settled
from backend.jobs.status import JobStatus, ReviewDecision, SubmissionStatus
from backend.open_payments.types import Amount
from tests.jobs.people import (
    NOON,
    a_draft_of_work,
    a_job_with_work,
    a_person,
    reviewed,
    submitted_work,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
ACCEPT, REJECT = ReviewDecision.ACCEPT, ReviewDecision.REJECT
CHANGES = ReviewDecision.REQUEST_CHANGES


@pytest.fixture
def said() -> Any:
    """What the domain announces to the money behind it, in order."""
    heard: list[tuple[str, int | None]] = []

    def accepted(value: int, **_: Any) -> None:
        heard.append(("accepted", value))

    def settled(**_: Any) -> None:
        heard.append(("settled", None))

    work_accepted.connect(accepted)
    work_settled.connect(settled)
    yield heard
    work_accepted.disconnect(accepted)
    work_settled.disconnect(settled)


def test_accepting_the_last_work_in_full_completes_the_job(said: list[Any]) -> None:
    job, [first, second] = a_job_with_work(2)
    works = [submitted_work(job, first), submitted_work(job, second)]

    accepted = reviewed(works[0], ACCEPT)
    assert Job.objects.get(id=job.id).status == JobStatus.REVIEWING
    reviewed(works[1], ACCEPT)

    assert accepted.status == SubmissionStatus.ACCEPTED
    assert (accepted.accepted_value, accepted.rest) == (2500, 0)
    assert (accepted.decided_at, accepted.decided_by_id) == (NOON, job.owner_id)
    assert (accepted.dispute_until, accepted.due_at) == (None, None)
    assert Job.objects.get(id=job.id).status == JobStatus.COMPLETE
    assert said == [("accepted", 2500), ("settled", None)] * 2


def test_work_can_be_judged_while_others_still_work() -> None:
    job, [first, second] = a_job_with_work(2)

    reviewed(submitted_work(job, first), ACCEPT)
    assert Job.objects.get(id=job.id).status == JobStatus.SUBMITTING
    reviewed(submitted_work(job, second), ACCEPT)

    assert Job.objects.get(id=job.id).status == JobStatus.COMPLETE


def test_a_part_can_be_accepted_and_the_rest_later(said: list[Any]) -> None:
    job, [worker] = a_job_with_work()

    part = reviewed(submitted_work(job, worker), ACCEPT, value=1500)

    assert (part.status, part.accepted_value, part.rest) == ("ACCEPTED", 1500, 1000)
    assert part.dispute_until == part.due_at == NOON + 5 * DAY
    assert Job.objects.get(id=job.id).status == JobStatus.REVIEWING

    whole = reviewed(part, ACCEPT, value=1000, now=NOON + DAY)

    assert (whole.accepted_value, whole.dispute_until) == (2500, None)
    assert Job.objects.get(id=job.id).status == JobStatus.COMPLETE
    assert said == [("accepted", 1500), ("accepted", 1000), ("settled", None)]


@pytest.mark.parametrize("value", [1, 124])
def test_a_part_is_worth_its_own_payment(value: int) -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)

    with pytest.raises(ValidationFailed, match="Between 125 and 2500"):
        reviewed(submission, ACCEPT, value=value)

    submission.refresh_from_db()
    assert (submission.status, submission.accepted_value) == ("SUBMITTED", 0)
    assert reviewed(submission, ACCEPT, value=125).accepted_value == 125


def test_what_is_left_can_be_accepted_however_little_it_is() -> None:
    job, [worker] = a_job_with_work()
    nearly = reviewed(submitted_work(job, worker), ACCEPT, value=2499)

    assert reviewed(nearly, ACCEPT, value=1).rest == 0


@pytest.mark.parametrize("value", [0, -1, 2501, 2**63])
def test_no_more_than_the_reward_is_accepted_and_not_nothing(value: int) -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)

    with pytest.raises((ValidationFailed, ValueError)):
        reviewed(submission, ACCEPT, value=value)

    submission.refresh_from_db()
    assert (submission.status, submission.accepted_value) == ("SUBMITTED", 0)


@pytest.mark.parametrize(("code", "scale"), [("EUR", 2), ("USD", 3)])
def test_an_amount_in_another_asset_is_refused(code: str, scale: int) -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)

    with pytest.raises(AssetMismatch):
        review.review_submission(
            user=job.owner,
            submission_id=submission.id,
            decision=ACCEPT,
            amount=Amount(value=100, asset_code=code, asset_scale=scale),
            comment=None,
            idempotency_key=new_id(),
            now=NOON,
        )


@pytest.mark.parametrize("decision", [REJECT, CHANGES])
def test_what_is_not_accepted_needs_a_reason_and_takes_no_amount(decision: ReviewDecision) -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)

    for given in ({"comment": " "}, {"comment": None}, {"value": 5}):
        with pytest.raises(ValidationFailed):
            reviewed(submission, decision, **given)

    assert not IdempotencyKey.objects.exists(), "refused input does not use up the key"


def test_a_rejection_can_be_disputed_for_five_days_and_taken_back(said: list[Any]) -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)

    rejected = reviewed(submission, REJECT, comment="This is empty.")

    assert (rejected.status, rejected.comment) == ("REJECTED", "This is empty.")
    assert rejected.dispute_until == rejected.due_at == NOON + 5 * DAY
    assert said == []
    with pytest.raises(WrongStatus):
        reviewed(rejected, ACCEPT, now=NOON + 5 * DAY)

    accepted = reviewed(rejected, ACCEPT, now=NOON + 4 * DAY)
    assert accepted.status == SubmissionStatus.ACCEPTED
    assert Job.objects.get(id=job.id).status == JobStatus.COMPLETE


def test_a_worker_can_take_a_decision_as_final(said: list[Any]) -> None:
    job, [worker] = a_job_with_work()
    rejected = reviewed(submitted_work(job, worker), REJECT)

    settled = review.acknowledge_decision(user=worker, submission_id=rejected.id, now=NOON)

    assert (settled.dispute_until, settled.due_at) == (None, None)
    assert said == [("settled", None)]
    after = Job.objects.get(id=job.id)
    assert after.status == JobStatus.REVIEWING, "its owner may still complete it"
    assert after.due_at == NOON + job.review_days * DAY, "or time does"
    with pytest.raises(WrongStatus):
        review.acknowledge_decision(user=worker, submission_id=rejected.id, now=NOON)


def test_changes_can_be_requested_and_work_accepted_all_the_same() -> None:
    job, [worker] = a_job_with_work(submit_days=7)
    submission = submitted_work(job, worker)

    waiting = reviewed(submission, CHANGES, comment="Slower, please.", now=NOON + 3 * DAY)

    assert (waiting.status, waiting.comment) == ("CHANGES_REQUESTED", "Slower, please.")
    assert waiting.revise_until == NOON + 10 * DAY
    assert waiting.due_at == NOON + 7 * DAY, "then the worker is reminded"
    assert Job.objects.get(id=job.id).status == JobStatus.REVIEWING
    a_draft_of_work(job, worker, now=NOON + 4 * DAY)
    accepted = reviewed(waiting, ACCEPT, now=NOON + 4 * DAY)
    assert (accepted.status, accepted.revise_until) == ("ACCEPTED", None)
    assert Job.objects.get(id=job.id).status == JobStatus.COMPLETE


def test_a_superseded_revision_is_not_judged_any_more() -> None:
    job, [worker] = a_job_with_work()
    first = reviewed(submitted_work(job, worker), CHANGES)
    submitted_work(job, worker, text="Slowly.")

    with pytest.raises(WrongStatus, match="newer revision"):
        reviewed(first, ACCEPT)


@pytest.mark.parametrize("decision", [REJECT, CHANGES])
def test_after_the_time_for_the_review_only_accepting_is_left(decision: ReviewDecision) -> None:
    job, [worker] = a_job_with_work(review_days=14)
    submission = submitted_work(job, worker)
    late = NOON + 14 * DAY

    with pytest.raises(WrongStatus, match="silence has accepted"):
        reviewed(submission, decision, now=late)

    assert reviewed(submission, ACCEPT, now=late).status == SubmissionStatus.ACCEPTED


def test_a_part_is_too_little_once_silence_has_accepted_all_of_it(said: list[Any]) -> None:
    job, [worker] = a_job_with_work(review_days=14)
    submission = submitted_work(job, worker)
    late = NOON + 14 * DAY

    with pytest.raises(ValidationFailed, match="silence has accepted") as refused:
        reviewed(submission, ACCEPT, value=2499, now=late)
    assert refused.value.path == ("amount",)

    assert said == []
    assert reviewed(submission, ACCEPT, value=2500, now=late).accepted_value == 2500


def test_only_the_owner_decides() -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)

    def decide(user: Any) -> None:
        review.review_submission(
            user=user,
            submission_id=submission.id,
            decision=ACCEPT,
            amount=None,
            comment=None,
            idempotency_key=new_id(),
            now=NOON,
        )

    with pytest.raises(Forbidden):
        decide(worker)
    with pytest.raises(Forbidden):
        decide(a_person(is_staff=True))
    with pytest.raises(NotFound):
        decide(a_person())


def test_the_same_key_decides_once_and_another_decision_needs_another_key(said: list[Any]) -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)
    key = new_id()

    def accept(value: int) -> Submission:
        return review.review_submission(
            user=job.owner,
            submission_id=submission.id,
            decision=ACCEPT,
            amount=job.amount(value),
            comment=None,
            idempotency_key=key,
            now=NOON,
        )

    first, again = accept(1000), accept(1000)
    with pytest.raises(IdempotencyConflict):
        accept(1500)

    assert first.accepted_value == again.accepted_value == 1000
    assert said == [("accepted", 1000)]
