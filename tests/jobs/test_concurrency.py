"""Many people at once: limits hold and each refusal is one the caller can understand."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from backend.errors import FaenaError
from backend.jobs import posting, recruiting
from backend.jobs.models import Job
from backend.jobs.status import ApplicationStatus, JobStatus
from tests.jobs.people import NOON, a_draft, a_job, a_person, an_application

pytestmark = pytest.mark.django_db(transaction=True)

# Each thread has a connection of its own, tests have no pool, and PostgreSQL takes 100 clients.
MOST_THREADS = 16


def at_once(*calls: Callable[[], object]) -> Counter[str]:
    """Run all calls, up to 16 at a time in threads started together; count how they ended."""
    threads = min(len(calls), MOST_THREADS)
    barrier = Barrier(threads, timeout=10)

    def run(call: Callable[[], object]) -> str:
        try:
            call()
        except FaenaError as error:
            return type(error).__name__
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(threads, initializer=barrier.wait) as pool:
        return Counter(pool.map(run, calls, timeout=60))


def test_the_recruit_limit_holds_for_eight_who_apply_at_once() -> None:
    job = a_job(recruit_limit=3)
    workers = [a_person("worker") for _ in range(8)]

    ends = at_once(*(lambda worker=worker: an_application(job, worker) for worker in workers))

    assert ends == {"done": 3, "WrongStatus": 5}
    assert job.applications.count() == 3
    assert job.status_changes.filter(new=JobStatus.SELECTING).count() == 1


def test_one_person_who_applies_twice_at_once_applies_once() -> None:
    job = a_job()
    worker = a_person("worker")

    ends = at_once(*[lambda: an_application(job, worker)] * 4)

    assert ends == {"done": 1, "ValidationFailed": 3}


def test_two_tabs_do_not_select_more_than_the_job_needs() -> None:
    job = a_job(workers_needed=1)
    ids = [an_application(job).id for _ in range(4)]

    ends = at_once(
        *(
            lambda id_=id_: recruiting.decide_applications(
                user=job.owner, job_id=job.id, select=[id_], now=NOON
            )
            for id_ in ids
        )
    )

    assert ends == {"done": 1, "ValidationFailed": 3}
    assert job.applications.filter(status=ApplicationStatus.SELECTED).count() == 1


def test_a_draft_is_published_once() -> None:
    draft = a_draft()

    ends = at_once(*[lambda: posting.publish_job(user=draft.owner, job_id=draft.id, now=NOON)] * 4)

    assert ends == {"done": 1, "WrongStatus": 3}
    assert draft.status_changes.count() == 1


def test_money_and_the_last_applicant_close_recruiting_once_between_them() -> None:
    job = a_job(recruit_limit=2)
    an_application(job)
    worker = a_person("worker")

    ends = at_once(
        lambda: an_application(job, worker),
        lambda: recruiting.close_paid_recruiting(job=Job.objects.get(id=job.id), at=NOON),
    )

    assert ends["done"] + ends["WrongStatus"] == 2
    assert Job.objects.get(id=job.id).status == JobStatus.SELECTING
    assert job.status_changes.filter(new=JobStatus.SELECTING).count() == 1
