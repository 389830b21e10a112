"""The sandbox world: everything is in it, once."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Model
from pytest_django import Settings

from backend.accounts.models import User
from backend.events.models import Event
from backend.jobs import clock
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.jobs.status import ApplicationStatus, DisputeStatus, JobStatus, SubmissionStatus
from backend.sandbox.people import WORKERS
from backend.sandbox.seed import TITLES, Cast, seed
from tests.conftest import NOON
from tests.jobs.people import a_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return Cast(
        owner=a_person("owner"),
        operator=a_person("operator", is_staff=True),
        workers=[a_person(each.address) for each in WORKERS],
    )


def statuses(model: type[Model]) -> set[str]:
    return set(model._default_manager.values_list("status", flat=True))


def test_everything_is_there_in_every_status(cast: Cast) -> None:
    assert seed(cast=cast, now=NOON)

    assert statuses(Job) == set(JobStatus)
    assert statuses(Application) == set(ApplicationStatus)
    assert statuses(Submission) == set(SubmissionStatus)
    assert statuses(Dispute) == set(DisputeStatus)
    tags = Job.objects.values_list("language_tag", flat=True)
    assert {tag.partition("-")[0] for tag in tags} == {"en", "es", "oto", "nah", "maz", "que"}
    assert set(Job.objects.values_list("title", flat=True)) == set(TITLES)


def test_filling_it_again_changes_nothing(cast: Cast) -> None:
    seed(cast=cast, now=NOON)
    before = (Job.objects.count(), Submission.objects.count(), Event.objects.count())

    assert not seed(cast=cast, now=NOON + timedelta(days=1))

    assert (Job.objects.count(), Submission.objects.count(), Event.objects.count()) == before


def test_nothing_in_it_is_overdue(cast: Cast) -> None:
    seed(cast=cast, now=NOON)
    before = list(Job.objects.order_by("id").values_list("status", flat=True))

    clock.pass_time(now=NOON)

    assert list(Job.objects.order_by("id").values_list("status", flat=True)) == before
    assert statuses(Dispute) == set(DisputeStatus)


def test_it_is_not_for_production(settings: Settings) -> None:
    settings.DEBUG = False

    with pytest.raises(CommandError, match="DEBUG=1"):
        call_command(
            "sandbox_seed", owner_wallet="https://a.example", worker_wallet="https://b.example"
        )

    assert not User.objects.exists()
