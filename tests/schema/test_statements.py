"""What the two pages that every client shows cost: statements, and bytes."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import User
from backend.jobs.models import Application, Submission
from backend.jobs.recruiting import decide_applications
from backend.jobs.status import DeliverableType, ReviewDecision
from backend.jobs.work import begin_work
from tests.files.people import a_file
from tests.jobs.people import (
    NOON,
    a_draft_of_work,
    a_job,
    a_person,
    an_application,
    reviewed,
    submitted_work,
)
from tests.schema.client import bearer_of, data_of, execute
from tests.schema.world import global_id

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


def test_the_page_of_a_job_with_fifty_applications_and_their_work_takes_twelve() -> None:
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
