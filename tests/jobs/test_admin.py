"""Operators look at jobs; they cannot change them behind the lifecycle's back."""

import pytest
from django.test import Client
from django.urls import reverse

from backend.accounts.models import User
from backend.jobs.models import Job
from backend.jobs.status import ReviewDecision
from tests.jobs.people import (
    a_dispute,
    a_job,
    a_job_with_work,
    an_application,
    reviewed,
    submitted_work,
)


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator@example.com", "a long password"))
    return client


@pytest.mark.django_db
def test_the_admin_shows_a_job_with_its_log_and_its_applications(operator: Client) -> None:
    job = a_job()
    application = an_application(job)

    listed = operator.get(reverse("admin:jobs_job_changelist"), {"q": "sentences"})
    shown = operator.get(reverse("admin:jobs_job_change", args=[job.id]))

    assert job.title in listed.content.decode()
    assert application.payout_url in shown.content.decode()
    assert "RECRUITING" in shown.content.decode()


@pytest.mark.django_db
def test_the_admin_lists_the_disputes_that_wait_for_an_operator(operator: Client) -> None:
    job, [worker] = a_job_with_work()
    dispute = a_dispute(reviewed(submitted_work(job, worker), ReviewDecision.REJECT))

    disputes = reverse("admin:jobs_dispute_changelist")
    opened = operator.get(disputes, {"status": "OPEN"}).content.decode()
    escalated = operator.get(disputes, {"status": "ESCALATED"}).content.decode()

    assert str(dispute.id) in opened and job.title in opened
    assert str(dispute.id) not in escalated


@pytest.mark.django_db
def test_the_admin_changes_nothing(operator: Client) -> None:
    job = a_job()

    answers = [
        operator.post(reverse("admin:jobs_job_change", args=[job.id]), {"status": "COMPLETE"}),
        operator.post(reverse("admin:jobs_job_delete", args=[job.id]), {"post": "yes"}),
        operator.get(reverse("admin:jobs_job_add")),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert Job.objects.get(id=job.id).status == "RECRUITING"
