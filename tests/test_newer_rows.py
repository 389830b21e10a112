"""Rows with statuses of a newer release: nobody touches them, and the API shows what it can."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from backend.accounts.models import User
from backend.clock import SYSTEM_CLOCK
from backend.events.outbox import emit
from backend.files.models import File
from backend.files.status import FileStatus
from backend.files.sweeping import sweep
from backend.funding.models import Allocation, Funding
from backend.ids import new_id
from backend.jobs.clock import pass_time
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.jobs.status import JobStatus, ReviewDecision
from backend.payments import claims
from backend.payments.models import Grant, HeldGrant, Payment
from backend.payments.status import GrantKind, GrantScope, PaymentStatus
from backend.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.files.people import a_file
from tests.jobs.people import (
    NOON,
    a_dispute,
    a_job_in,
    a_job_with_work,
    a_person,
    an_application,
    reviewed,
    submitted_work,
)
from tests.ledger.books import a_payment
from tests.schema.client import data_of, execute
from tests.schema.world import global_id

pytestmark = pytest.mark.django_db

NEWER = "NEWER_RELEASE"
LATER = NOON + timedelta(days=400)


def columns(row: Any) -> dict[str, Any]:
    """The row as the database has it."""
    return dict(type(row).objects.filter(pk=row.pk).values().get())


def a_newer_payment() -> Payment:
    payment = a_payment()
    Payment.objects.filter(id=payment.id).update(status=NEWER, due_at=NOON)
    payment.refresh_from_db()
    return payment


def a_newer_job() -> Job:
    job = a_job_in(JobStatus.REVIEWING)
    # What that release's migration would have done.
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE jobs_job DROP CONSTRAINT job_status_known")
    Job.objects.filter(id=job.id).update(status=NEWER, due_at=NOON)
    job.refresh_from_db()
    return job


@pytest.fixture(autouse=True)
def _constraints() -> Iterator[None]:
    yield
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def test_no_worker_claims_a_payment_in_a_status_it_does_not_know() -> None:
    payment = a_newer_payment()
    before = columns(payment)

    assert claims.claim_due(Payment, now=LATER, limit=10) == []
    assert claims.claim_due(Payment, now=LATER, limit=1, only=payment.id) == []
    assert not claims.claim_idle(payment, now=NOON - timedelta(days=1))
    assert columns(payment) == before


def test_it_does_not_keep_workers_from_the_payments_behind_it() -> None:
    a_newer_payment()
    known = a_payment(status=PaymentStatus.SENT)
    Payment.objects.filter(id=known.id).update(due_at=NOON + timedelta(hours=1))

    assert claims.claim_due(Payment, now=LATER, limit=1) == [known]


def test_no_worker_claims_a_held_grant_in_a_status_it_does_not_know() -> None:
    payment = a_payment()
    held_grant = HeldGrant.objects.create(
        status=NEWER,
        scope=GrantScope.POOLED,
        payer=payment.payer,
        sender=payment.sender,
        reference=new_id(),
        starts_at=NOON,
        deadline_at=NOON,
        due_at=NOON,
        created_at=NOON,
        updated_at=NOON,
    )
    before = columns(held_grant)

    assert claims.claim_due(HeldGrant, now=LATER, limit=10) == []
    assert columns(held_grant) == before


def test_time_does_not_move_a_job_in_a_status_it_does_not_know(
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = a_newer_job()
    before = columns(job)

    with caplog.at_level(logging.WARNING):
        assert pass_time(now=LATER) == 0

    assert columns(job) == before
    assert not caplog.records, "it was tried, and would be tried every minute"


def test_a_payment_is_shown_as_one_that_nobody_knows_the_end_of() -> None:
    payment = a_newer_payment()
    query = "query ($id: ID!) { payment(id: $id) { status deliveredAmount { value } } }"

    shown = execute(query, variables={"id": global_id("Payment", payment.id)}, user=payment.payer)

    assert data_of(shown)["payment"]["status"] == "UNKNOWN"


def test_a_job_is_shown_as_one_that_goes_on_and_with_which_nothing_can_be_done() -> None:
    job = a_newer_job()
    query = """
    query ($id: ID!) {
      job(id: $id) { status allowedActions fundingAssurance }
      jobs(first: 5) { edges { node { status } } }
    }"""

    shown = data_of(execute(query, variables={"id": global_id("Job", job.id)}, user=job.owner))

    assert shown["job"]["status"] == "REVIEWING"
    assert set(shown["job"]["allowedActions"]) <= {"DUPLICATE"}
    assert shown["job"]["fundingAssurance"] == "NONE"


def test_a_funding_is_shown_as_one_that_promises_nothing() -> None:
    job = a_job_in(JobStatus.SELECTING)
    funding = Funding.objects.create(
        job=job,
        payer=job.owner,
        mode="DIRECT",
        status=NEWER,
        total_value=100,
        asset_code="USD",
        asset_scale=2,
        created_at=NOON,
        updated_at=NOON,
    )
    query = """
    query ($id: ID!, $job: ID!) {
      funding(id: $id) { status allowedActions total { value } }
      job(id: $job) { status fundingAssurance allowedActions }
    }"""
    variables = {"id": global_id("Funding", funding.id), "job": global_id("Job", job.id)}

    shown = data_of(execute(query, variables=variables, user=job.owner))

    assert shown["funding"]["status"] == "AWAITING_APPROVAL"
    assert shown["funding"]["allowedActions"] == []
    assert shown["job"]["fundingAssurance"] == "NONE"
    assert not {"FUND", "PRE_FUND"} & set(shown["job"]["allowedActions"]), "nobody pays twice"


def test_an_event_of_a_kind_nobody_knows_is_shown_as_it_is() -> None:
    payment = a_payment()
    with transaction.atomic():
        emit(
            topic=f"user:{payment.payer_id}",
            type="payment.of_a_newer_release",
            subject_id=payment.id,
            payload={"status": NEWER},
            at=SYSTEM_CLOCK.now(),
        )
    query = "{ events(first: 5) { edges { node { type } } } }"

    shown = data_of(execute(query, user=payment.payer))["events"]["edges"]

    assert [edge["node"]["type"] for edge in shown] == ["payment.of_a_newer_release"]


def becomes_newer(row: Application | Submission | Dispute | File) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            table, kind = row._meta.db_table, row._meta.model_name
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {kind}_status_known")
            if kind == "submission":
                cursor.execute(
                    f"ALTER TABLE {table} DROP CONSTRAINT submission_accepted_value_fits_status"
                )
    type(row).objects.filter(id=row.id).update(status=NEWER)
    row.refresh_from_db()


def shown_to(viewer: User, row: Application | Submission | Dispute) -> dict[str, Any]:
    kind = type(row).__name__
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ status allowedActions }} }} }}"
    node = data_of(execute(query, variables={"id": global_id(kind, row.id)}, user=viewer))["node"]
    assert isinstance(node, dict)
    return node


def test_an_application_is_shown_as_not_decided_and_is_not_made_again() -> None:
    job = a_job_in(JobStatus.RECRUITING)
    application = an_application(job)
    becomes_newer(application)
    query = "query ($id: ID!) { job(id: $id) { allowedActions } }"
    variables = {"id": global_id("Job", job.id)}

    for viewer in (job.owner, application.applicant):
        assert shown_to(viewer, application) == {"status": "PENDING", "allowedActions": []}

    shown = data_of(execute(query, variables=variables, user=application.applicant))
    assert "APPLY" not in shown["job"]["allowedActions"]


def test_a_submission_is_shown_as_waiting_and_is_not_decided() -> None:
    job, (worker, *_) = a_job_with_work()
    submission = submitted_work(job, worker)
    becomes_newer(submission)
    mutation = """
    mutation ($input: ReviewSubmissionInput!) {
      reviewSubmission(input: $input) { errors { code } }
    }"""
    wish = {
        "submissionId": global_id("Submission", submission.id),
        "decision": "ACCEPT",
        "idempotencyKey": str(new_id()),
    }

    for viewer in (job.owner, worker):
        assert shown_to(viewer, submission) == {"status": "SUBMITTED", "allowedActions": []}

    refused = data_of(execute(mutation, variables={"input": wish}, user=job.owner))
    assert refused["reviewSubmission"]["errors"] == [{"code": "INVALID_TRANSITION"}]


def test_a_dispute_is_shown_as_one_that_no_silence_ends() -> None:
    job, (worker, *_) = a_job_with_work()
    submission = submitted_work(job, worker)
    reviewed(submission, ReviewDecision.REJECT)
    submission.refresh_from_db()
    dispute = a_dispute(submission)
    becomes_newer(dispute)

    for viewer in (job.owner, worker):
        assert shown_to(viewer, dispute) == {"status": "ESCALATED", "allowedActions": []}


def test_a_file_is_shown_as_one_that_cannot_be_used_yet_and_it_is_left_alone() -> None:
    job, owner = a_job_in(JobStatus.RECRUITING), a_person()
    file = a_file(owner, status=FileStatus.UPLOADING)
    becomes_newer(file)
    before = columns(file)
    file_id = global_id("File", file.id)
    query = "query ($id: ID!) { node(id: $id) { ... on File { status downloadUrl } } }"
    complete = """
    mutation ($input: FileIdInput!) { completeUpload(input: $input) { errors { code } } }"""
    attach = """
    mutation ($input: ApplyInput!) { applyToJob(input: $input) { errors { code } } }"""
    wish = {"jobId": global_id("Job", job.id), "note": "I can.", "attachmentFileIds": [file_id]}

    shown = data_of(execute(query, variables={"id": file_id}, user=owner))["node"]

    assert shown == {"status": "UPLOADING", "downloadUrl": None}
    assert codes_of(complete, {"fileId": file_id}, user=owner) == ["INVALID_TRANSITION"]
    assert codes_of(attach, wish, user=owner) == ["VALIDATION"]
    assert sweep(now=LATER) == 0
    assert columns(file) == before


def codes_of(mutation: str, wish: dict[str, Any], *, user: User) -> list[str]:
    (payload,) = data_of(execute(mutation, variables={"input": wish}, user=user)).values()
    return [error["code"] for error in payload["errors"]]


def test_a_consent_is_shown_as_not_given_and_nobody_is_sent_to_give_it() -> None:
    payment = a_payment()
    Grant.objects.create(
        payment=payment,
        kind=GrantKind.OUTGOING_PAYMENT,
        status=NEWER,
        auth_server="https://auth.wallet.example",
        created_at=NOON,
    )
    query = "query ($id: ID!) { payment(id: $id) { grant { status redirectUrl } } }"

    shown = execute(query, variables={"id": global_id("Payment", payment.id)}, user=payment.payer)

    assert data_of(shown)["payment"]["grant"] == {
        "status": "AWAITING_APPROVAL",
        "redirectUrl": None,
    }


REPLAY = """
mutation ($input: ReplayDeliveryInput!) { replayWebhookDelivery(input: $input) { errors { code } } }
"""


def test_a_delivery_is_shown_as_not_over_and_is_not_brought_again() -> None:
    owner = a_job_in(JobStatus.DRAFT).owner
    endpoint = WebhookEndpoint.objects.create(
        owner=owner, url="https://hooks.example", events=["*"], created_at=NOON, updated_at=NOON
    )
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint,
        event_id=new_id(),
        name="job.status",
        topic=f"user:{owner.id}",
        seq=1,
        event_at=NOON,
        status=NEWER,
        ended_at=NOON,
        created_at=NOON,
    )
    before = columns(delivery)
    query = """
    { webhookEndpoints(first: 1) { edges { node {
      deliveries(first: 1) { edges { node { status nextAttemptAt } } }
    } } } }"""

    (shown,) = data_of(execute(query, user=owner))["webhookEndpoints"]["edges"]

    (edge,) = shown["node"]["deliveries"]["edges"]
    assert edge["node"] == {"status": "PENDING", "nextAttemptAt": None}
    wish = {"deliveryId": global_id("WebhookDelivery", delivery.id)}
    assert codes_of(REPLAY, wish, user=owner) == []
    assert columns(delivery) == before


def test_a_promise_is_shown_as_one_of_which_nothing_is_paid() -> None:
    job = a_job_in(JobStatus.RECRUITING)
    funding = Funding.objects.create(
        job=job,
        payer=job.owner,
        mode="PREAPPROVED",
        status="SECURED",
        total_value=100,
        asset_code="USD",
        asset_scale=2,
        created_at=NOON,
        updated_at=NOON,
    )
    Allocation.objects.create(
        funding=funding,
        application=an_application(job),
        amount_value=100,
        status=NEWER,
        created_at=NOON,
    )
    query = "query ($id: ID!) { funding(id: $id) { allocations { status } } }"

    shown = execute(query, variables={"id": global_id("Funding", funding.id)}, user=job.owner)

    assert data_of(shown)["funding"]["allocations"] == [{"status": "RESERVED"}]
