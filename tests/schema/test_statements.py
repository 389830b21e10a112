"""What the two pages that every client shows cost: statements, and bytes."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import User
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.status import FundingMode, FundingStatus
from backend.ids import new_id
from backend.jobs.models import Application, Job, Submission
from backend.jobs.recruiting import decide_applications
from backend.jobs.status import DeliverableType, ReviewDecision
from backend.jobs.work import begin_work
from backend.payments.models import Grant, HeldGrant, Payment
from backend.payments.services import create_payment
from backend.payments.status import (
    GrantKind,
    GrantScope,
    HeldGrantStatus,
    PaymentPurpose,
    PaymentStatus,
)
from tests.files.people import a_file
from tests.jobs.people import (
    NOON,
    a_draft_of_work,
    a_job,
    a_person,
    a_wallet,
    an_application,
    reviewed,
    submitted_work,
)
from tests.schema.client import bearer_of, data_of, execute
from tests.schema.world import a_funding, global_id

pytestmark = pytest.mark.django_db

LIST = """{ jobs(first: 20) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node {
  id title reward { value assetCode assetScale } status fundingAssurance languageTag
  recruitUntil expiresAt workersNeeded applicationCount allowedActions
  owner { id displayName } } } } }"""
PAGE = """query ($id: ID!) { job(id: $id) {
  id version title description status languageTag dialect deliverables workersNeeded recruitLimit
  recruitUntil submitDays submitUntil reviewDays expiresAt fundingAssurance allowedActions
  reward { value assetCode assetScale } totalBudget { value assetCode assetScale }
  acceptedCount owner { id displayName } references { id name mediaType }
  applications(first: 50) { totalCount edges { node { id status note allowedActions createdAt
    applicant { id displayName } } } }
  submissions(first: 50, filter: {superseded: false}) { edges { node { id revision status text
    accepted { value } reviewBy allowedActions worker { id displayName }
    files { id name size } } } } } }"""


def counted(query: str, user: User | None, **variables: Any) -> tuple[dict[str, Any], int]:
    """The data of a query, and its SQL statements with those that find out who asks."""
    bearer = None if user is None else bearer_of(user)
    with CaptureQueriesContext(connection) as captured:
        result = execute(query, variables=variables, bearer=bearer)
    assert len(captured) > 0, "the counter counts"
    return data_of(result), len(captured)


def test_the_list_of_twenty_jobs_takes_six_statements_and_less_than_25_kb() -> None:
    owner = a_person("somebody")
    for number in range(22):
        title = f"Record ten sentences of everyday life in Otomi, part {number:02}"
        job = a_job(owner, title=title, language_tag="oto-MX")
        an_application(job)

    for viewer in (a_person(), owner, a_person(is_auditor=True), None):
        data, statements = counted(LIST, viewer)

        assert len(data["jobs"]["edges"]) == 20
        assert all(edge["node"]["applicationCount"] == 1 for edge in data["jobs"]["edges"])
        assert statements <= 6
        assert len(json.dumps({"data": data}).encode()) < 25_000


def a_job_with_fifty_workers() -> tuple[Job, list[Application]]:
    job = a_job(
        workers_needed=50,
        recruit_limit=60,
        deliverables=(DeliverableType.TEXT,),
        reference_file_ids=(),
    )
    job.references.set([a_file(job.owner)])
    applications = [an_application(job, note="I speak it at home.") for _ in range(50)]
    decide_applications(
        user=job.owner, job_id=job.id, select=[each.id for each in applications], now=NOON
    )
    begin_work(job=job, at=NOON)
    for number, application in enumerate(applications):
        worker = application.applicant
        work = submitted_work(job, worker, file_ids=[a_file(worker).id])
        if number % 3:
            decision = ReviewDecision.ACCEPT if number % 3 == 1 else ReviewDecision.REJECT
            reviewed(work, decision, now=NOON + timedelta(hours=1))
    return job, applications


def test_the_page_of_a_job_with_fifty_applications_and_their_work_takes_twelve() -> None:
    job, applications = a_job_with_fifty_workers()
    assert Application.objects.count() == Submission.objects.count() == 50

    revising = applications[0].applicant
    reviewed(Submission.objects.get(worker=revising), ReviewDecision.REQUEST_CHANGES)
    a_draft_of_work(job, revising, file_ids=[a_file(revising).id])

    viewers = (
        (job.owner, 50, 50),
        (a_person(is_staff=True), 50, 50),
        (a_person(is_auditor=True), 50, 50),
        (applications[1].applicant, 1, 1),
        (revising, 1, 2),
    )
    for viewer, applied, handed_in in viewers:
        data, statements = counted(PAGE, viewer, id=global_id("Job", job.id))

        page = data["job"]
        assert len(page["applications"]["edges"]) == applied
        assert len(page["submissions"]["edges"]) == handed_in
        assert all(edge["node"]["files"] for edge in page["submissions"]["edges"])
        assert statements <= 12


MONEY = """query ($id: ID!) { job(id: $id) {
  applications(first: 50) { edges { node { allocation { status amount { value } }
    allocations { released { value } } } } }
  submissions(first: 50) { edges { node { payouts { status deliveredAmount { value } } } } } } }"""


def test_what_is_promised_and_paid_to_fifty_takes_one_statement_each() -> None:
    job, _ = a_job_with_fifty_workers()
    without = MONEY.replace("allocation { status amount { value } }", "id").replace(
        "allocations { released { value } }", ""
    )
    without = without.replace("payouts { status deliveredAmount { value } }", "id")
    _, before = counted(without, job.owner, id=global_id("Job", job.id))
    _promise_and_pay(job)

    data, after = counted(MONEY, job.owner, id=global_id("Job", job.id))

    applications = [edge["node"] for edge in data["job"]["applications"]["edges"]]
    assert [each["allocation"]["amount"]["value"] for each in applications] == ["2500"] * 50
    assert [len(each["allocations"]) for each in applications] == [1] * 50
    submissions = [edge["node"]["payouts"] for edge in data["job"]["submissions"]["edges"]]
    assert [len(payouts) for payouts in submissions] == [2] * 50
    assert after == before + 2


def test_what_was_tried_again_and_again_is_shown_as_the_newest_of_it() -> None:
    job = a_job(workers_needed=1, deliverables=(DeliverableType.TEXT,))
    application = an_application(job)
    decide_applications(user=job.owner, job_id=job.id, select=[application.id], now=NOON)
    begin_work(job=job, at=NOON)
    submitted_work(job, application.applicant)
    _promise_and_pay(job)
    payments = [Payment.objects.order_by("id").last()]
    for _ in range(120):
        again = Payment.objects.get(id=payments[0].id)  # type: ignore[union-attr]
        again.id, again._state.adding = new_id(), True
        again.save()
        payments.append(again)
    held = HeldGrant.objects.create(
        reference=Funding.objects.get().id,
        payer=job.owner,
        sender=a_wallet(job.owner, is_default=False),
        scope=GrantScope.POOLED,
        status=HeldGrantStatus.REVOKED,
        limit_value=2500,
        starts_at=NOON,
        created_at=NOON,
        updated_at=NOON,
        deadline_at=NOON,
    )
    for _ in range(25):
        Grant.objects.create(held_grant=held, kind=GrantKind.OUTGOING_PAYMENT, created_at=NOON)
    query = """query ($id: ID!) { job(id: $id) {
      submissions(first: 5) { edges { node { payouts { id } } } }
      fundings(first: 5) { edges { node {
        payments { id } grants { id } allocations { id } } } } } }"""

    found = data_of(execute(query, variables={"id": global_id("Job", job.id)}, user=job.owner))

    newest = [global_id("Payment", each.id) for each in payments if each]
    (work,) = [each["node"] for each in found["job"]["submissions"]["edges"]]
    (funding,) = [each["node"] for each in found["job"]["fundings"]["edges"]]
    assert [each["id"] for each in work["payouts"]] == newest[-20:]
    assert [each["id"] for each in funding["payments"]] == newest[:-101:-1]
    assert len(funding["grants"]) == 20
    assert len(funding["allocations"]) == 1


def _promise_and_pay(job: Job) -> None:
    """Behind every application a promise, and for all work a payout that failed and another."""
    wallet = a_wallet(job.owner, is_default=False)
    funding = a_funding(job, FundingStatus.SECURED, FundingMode.PREAPPROVED, payer_wallet=wallet)
    for work in Submission.objects.filter(job=job).select_related("application__payout_wallet"):
        promise = Allocation.objects.create(
            funding=funding, application=work.application, amount_value=2500, created_at=NOON
        )
        owed = Payable.objects.create(
            funding=funding,
            purpose=PaymentPurpose.PAYOUT,
            allocation=promise,
            submission=work,
            receiver=work.application.payout_wallet,
            value=2500,
            created_at=NOON,
            updated_at=NOON,
        )
        for _ in range(2):
            payment = create_payment(
                purpose=PaymentPurpose.PAYOUT,
                reference=owed.id,
                payer=job.owner,
                sender=wallet,
                receiver=owed.receiver,
                receive_amount=owed.amount,
                now=NOON,
            )
            Payment.objects.filter(id=payment.id).update(status=PaymentStatus.FAILED, due_at=None)
