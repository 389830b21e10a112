"""Disputes: a claim, an answer, silence that decides, and an operator's split."""

from datetime import timedelta

import pytest

from backend.accounts.models import User
from backend.errors import AssetMismatch, Forbidden, NotFound, ValidationFailed
from backend.events.models import Event
from backend.ids import new_id
from backend.jobs import disputes
from backend.jobs.errors import WrongStatus
from backend.jobs.models import Dispute, Job, Submission
from backend.jobs.queries import disputes_visible_to
from backend.jobs.status import DisputeStatus, JobStatus, ReviewDecision
from backend.open_payments.types import Amount
from tests.files.people import a_file
from tests.jobs.people import (
    NOON,
    a_dispute,
    a_job_with_work,
    a_person,
    reviewed,
    submitted_work,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def rejected_work() -> Submission:
    job, [worker] = a_job_with_work()
    return reviewed(submitted_work(job, worker), ReviewDecision.REJECT)


def answered(dispute: Dispute) -> Dispute:
    return disputes.respond_to_dispute(
        user=dispute.submission.job.owner, dispute_id=dispute.id, response="No.", now=NOON
    )


def split(dispute: Dispute, worker: int, payer: int, **changes: object) -> Dispute:
    job = dispute.submission.job
    given = {
        "user": a_person("operator", is_staff=True),
        "dispute_id": dispute.id,
        "worker_share": job.amount(worker),
        "payer_share": job.amount(payer),
        "note": "Both have a point.",
        "idempotency_key": new_id(),
        "now": NOON,
        **changes,
    }
    return disputes.resolve_dispute(**given)  # type: ignore[arg-type]


def test_a_rejection_is_disputed_with_evidence_and_waits_for_the_owner() -> None:
    submission = rejected_work()
    evidence = a_file(submission.worker)

    dispute = disputes.open_dispute(
        user=submission.worker,
        submission_id=submission.id,
        reason="All ten are there.",
        evidence_ids=[evidence.id],
        now=NOON,
    )

    submission.refresh_from_db()
    assert (submission.status, submission.dispute_until) == ("DISPUTED", None)
    assert (dispute.status, dispute.amount_value) == ("OPEN", submission.reward_value)
    assert dispute.answer_by == dispute.due_at == NOON + 5 * DAY
    assert list(dispute.evidence.all()) == [evidence]


def test_the_rest_of_a_partial_acceptance_can_be_disputed() -> None:
    job, [worker] = a_job_with_work()
    part = reviewed(submitted_work(job, worker), ReviewDecision.ACCEPT, value=1500)

    dispute = a_dispute(part)

    assert dispute.amount_value == 1000


def test_a_decision_is_disputed_in_time_by_its_worker_and_once() -> None:
    submission = rejected_work()
    owner = submission.job.owner

    with pytest.raises(WrongStatus):
        a_dispute(submission, now=NOON + 5 * DAY)
    with pytest.raises(Forbidden):
        disputes.open_dispute(user=owner, submission_id=submission.id, reason="x", now=NOON)
    with pytest.raises(NotFound):
        disputes.open_dispute(user=a_person(), submission_id=submission.id, reason="x", now=NOON)
    with pytest.raises(ValidationFailed):
        disputes.open_dispute(
            user=submission.worker, submission_id=submission.id, reason=" ", now=NOON
        )
    a_dispute(submission, now=NOON + 5 * DAY - timedelta(seconds=1))
    with pytest.raises(WrongStatus):
        a_dispute(submission)


def test_an_operator_splits_what_is_disputed_to_the_unit() -> None:
    dispute = answered(a_dispute(rejected_work()))

    for worker, payer in ((1750, 751), (1750, 749), (2501, 0), (0, 0)):
        with pytest.raises(ValidationFailed):
            split(dispute, worker, payer)
    resolved = split(dispute, 1750, 750)

    assert (resolved.status, resolved.worker_value) == ("RESOLVED", 1750)
    submission = Submission.objects.get(id=dispute.submission_id)
    assert (submission.status, submission.accepted_value) == ("ACCEPTED", 1750)
    assert submission.dispute_until is None, "an operator's decision is final"
    job = Job.objects.get(id=submission.job_id)
    assert (job.status, job.due_at) == ("REVIEWING", NOON + job.review_days * DAY)


def test_a_resolution_for_the_payer_leaves_what_was_accepted_before() -> None:
    job, [worker] = a_job_with_work()
    part = reviewed(submitted_work(job, worker), ReviewDecision.ACCEPT, value=1500)

    split(answered(a_dispute(part)), 0, 1000)

    part.refresh_from_db()
    assert (part.status, part.accepted_value) == ("ACCEPTED", 1500)


def test_a_resolution_without_any_pay_leaves_the_work_rejected() -> None:
    dispute = answered(a_dispute(rejected_work()))

    split(dispute, 0, 2500)

    assert Submission.objects.get(id=dispute.submission_id).status == "REJECTED"


def test_a_resolution_that_pays_everything_completes_the_job() -> None:
    dispute = answered(a_dispute(rejected_work()))

    split(dispute, 2500, 0)

    assert Job.objects.get(id=dispute.submission.job_id).status == JobStatus.COMPLETE


def test_shares_in_another_asset_are_refused() -> None:
    dispute = answered(a_dispute(rejected_work()))

    with pytest.raises(AssetMismatch):
        split(dispute, 2500, 0, payer_share=Amount(value=0, asset_code="EUR", asset_scale=2))


def test_only_an_operator_who_is_no_party_resolves_and_only_what_was_answered() -> None:
    dispute = a_dispute(rejected_work())
    owner, worker = dispute.submission.job.owner, dispute.submission.worker

    with pytest.raises(WrongStatus):
        split(dispute, 2500, 0)
    answered(dispute)
    for party in (owner, worker):
        type(party).objects.filter(id=party.id).update(is_staff=True)
        party.refresh_from_db()
        with pytest.raises(Forbidden):
            split(dispute, 2500, 0, user=party)
    with pytest.raises(NotFound):
        split(dispute, 2500, 0, user=a_person())


def test_the_same_key_resolves_once() -> None:
    dispute = answered(a_dispute(rejected_work()))
    operator, key = a_person(is_staff=True), new_id()

    first = split(dispute, 1750, 750, user=operator, idempotency_key=key)
    again = split(dispute, 1750, 750, user=operator, idempotency_key=key)

    assert first.worker_value == again.worker_value == 1750
    assert Submission.objects.get(id=dispute.submission_id).accepted_value == 1750


def test_operators_hear_of_a_dispute_that_waits_for_them() -> None:
    operator, closed = a_person("op", is_staff=True), a_person("gone", is_staff=True)
    User.objects.filter(id=closed.id).update(is_active=False)
    dispute = answered(a_dispute(rejected_work()))
    job = dispute.submission.job
    User.objects.filter(id=job.owner_id).update(is_staff=True)  # a party, who cannot decide

    disputes.escalate_dispute(user=dispute.submission.worker, dispute_id=dispute.id, now=NOON)

    heard = Event.objects.filter(subject_id=dispute.id, payload__status="ESCALATED")
    assert sorted(heard.values_list("topic", flat=True)) == sorted(
        f"user:{each}" for each in (operator.id, job.owner_id, dispute.submission.worker_id)
    )


def test_a_worker_escalates_an_answer_and_then_only_an_operator_decides() -> None:
    dispute = answered(a_dispute(rejected_work()))
    worker = dispute.submission.worker

    with pytest.raises(WrongStatus):
        disputes.escalate_dispute(user=worker, dispute_id=dispute.id, now=NOON + 5 * DAY)
    escalated = disputes.escalate_dispute(user=worker, dispute_id=dispute.id, now=NOON)

    assert escalated.status == DisputeStatus.ESCALATED
    assert (escalated.answer_by, escalated.due_at) == (None, None)
    assert split(escalated, 2500, 0).status == DisputeStatus.RESOLVED


def test_a_worker_withdraws_and_the_decision_is_final() -> None:
    dispute = a_dispute(rejected_work())

    withdrawn = disputes.withdraw_dispute(
        user=dispute.submission.worker, dispute_id=dispute.id, now=NOON
    )

    assert withdrawn.status == DisputeStatus.WITHDRAWN
    submission = Submission.objects.get(id=dispute.submission_id)
    assert (submission.status, submission.dispute_until) == ("REJECTED", None)


def test_an_owner_who_accepts_disputed_work_ends_the_dispute_for_the_worker() -> None:
    dispute = a_dispute(rejected_work())
    submission = dispute.submission

    with pytest.raises(ValidationFailed):
        reviewed(submission, ReviewDecision.ACCEPT, value=100)
    reviewed(submission, ReviewDecision.ACCEPT)

    dispute.refresh_from_db()
    assert (dispute.status, dispute.worker_value) == ("RESOLVED", 2500)
    assert Job.objects.get(id=submission.job_id).status == JobStatus.COMPLETE


def test_a_dispute_is_seen_by_its_sides_operators_and_auditors() -> None:
    dispute = a_dispute(rejected_work())
    owner, worker = dispute.submission.job.owner, dispute.submission.worker

    for user in (owner, worker, a_person(is_staff=True), a_person(is_auditor=True)):
        assert list(disputes_visible_to(user)) == [dispute]
    for stranger in (a_person(), None):
        assert not disputes_visible_to(stranger).exists()
