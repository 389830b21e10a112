"""The lifecycle table, its one door, and the buttons that come from the same tables."""

from datetime import timedelta
from itertools import product

import pgtrigger
import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from backend.errors import FaenaError, InvalidTransition
from backend.events.models import Event
from backend.jobs.errors import LostRace
from backend.jobs.models import Job
from backend.jobs.status import (
    NEEDED_STATUS,
    TRANSITIONS,
    JobAction,
    JobStatus,
    allowed_actions,
    require,
)
from tests.jobs.people import NOON, a_draft, a_job, a_job_in, a_person

pytestmark = pytest.mark.django_db


def test_every_status_but_the_first_can_be_reached_and_the_last_three_are_final() -> None:
    reachable = {new for targets in TRANSITIONS.values() for new in targets}

    assert set(TRANSITIONS) == set(JobStatus)
    assert reachable == set(JobStatus) - {JobStatus.DRAFT}
    assert {old for old, targets in TRANSITIONS.items() if not targets} == {
        JobStatus.COMPLETE,
        JobStatus.CANCELED,
        JobStatus.EXPIRED,
    }


@pytest.mark.parametrize(("old", "new"), list(product(JobStatus, JobStatus)))
def test_the_door_lets_exactly_the_moves_of_the_table_through(
    old: JobStatus, new: JobStatus
) -> None:
    job = a_job_in(old)

    if new in TRANSITIONS[old]:
        job.move_to(new, at=NOON)
    else:
        with pytest.raises(InvalidTransition) as refusal:
            job.move_to(new, at=NOON)
        assert refusal.value.allowed == tuple(sorted(TRANSITIONS[old]))

    moved = new in TRANSITIONS[old]
    assert Job.objects.get(id=job.id).status == (new if moved else old)
    assert job.transitions.filter(old=old, new=new).exists() is moved


def test_a_move_saves_the_fields_a_log_row_and_an_event_together() -> None:
    job = a_draft()
    version = job.version

    job.move_to(
        JobStatus.RECRUITING,
        at=NOON,
        actor=job.owner,
        recruit_until=NOON + timedelta(days=1),
        expires_at=NOON + timedelta(days=2),
    )

    row = Job.objects.get(id=job.id)
    event = Event.objects.get(topic=f"job:{job.id}")
    assert (row.status, row.version, row.updated_at) == ("RECRUITING", version + 1, NOON)
    assert row.recruit_until == job.recruit_until == NOON + timedelta(days=1)
    assert [(each.old, each.new, each.actor) for each in job.transitions.all()] == [
        ("DRAFT", "RECRUITING", job.owner)
    ]
    assert event.type == "job.status"
    assert event.payload == {"status": "RECRUITING", "previous": "DRAFT"}
    assert (event.subject_id, event.actor_id, event.at) == (job.id, job.owner_id, NOON)


def test_move_to_loses_the_race_to_somebody_who_moved_first() -> None:
    mine = a_job()
    theirs = Job.objects.get(id=mine.id)
    theirs.move_to(JobStatus.SELECTING, at=NOON)

    with pytest.raises(LostRace) as refusal:
        mine.move_to(JobStatus.CANCELED, at=NOON)

    assert refusal.value.retryable
    assert mine.status == JobStatus.RECRUITING
    assert Job.objects.get(id=mine.id).status == JobStatus.SELECTING
    assert Event.objects.filter(topic=f"job:{mine.id}").count() == 2


def test_the_log_of_a_job_cannot_be_rewritten() -> None:
    if connection.vendor != "postgresql":
        assert pgtrigger.registered(), "the trigger is declared, and lives in PostgreSQL only"
        return
    job = a_job()

    with pytest.raises(DatabaseError), transaction.atomic():
        job.transitions.update(new="COMPLETE")
    with pytest.raises(DatabaseError), transaction.atomic():
        job.transitions.all().delete()

    assert [each.new for each in job.transitions.all()] == ["RECRUITING"]


@pytest.mark.parametrize("status", list(JobStatus))
@pytest.mark.parametrize("whose", ["owner", "somebody else"])
def test_the_buttons_are_exactly_what_the_guards_let_through(status: JobStatus, whose: str) -> None:
    job = a_job_in(status)
    user = job.owner if whose == "owner" else a_person()

    shown = allowed_actions(job=job, user=user, now=NOON)

    for action in JobAction:
        try:
            require(action, job=job, user=user, now=NOON)
        except FaenaError:
            assert action not in shown
        else:
            assert action in shown


def test_the_owner_of_a_recruiting_job_selects_and_funds_and_others_apply() -> None:
    job = a_job()

    owner = allowed_actions(job=job, user=job.owner, now=NOON)
    other = allowed_actions(job=job, user=a_person(), now=NOON)
    visitor = allowed_actions(job=job, user=None, now=NOON)

    assert owner == [JobAction.SELECT, JobAction.FUND]
    assert other == [JobAction.APPLY]
    assert visitor == []


def test_the_button_to_apply_goes_at_the_second_of_the_deadline() -> None:
    job = a_job()
    worker = a_person()
    assert job.recruit_until is not None

    before = allowed_actions(job=job, user=worker, now=job.recruit_until - timedelta(seconds=1))
    after = allowed_actions(job=job, user=worker, now=job.recruit_until)

    assert (before, after) == ([JobAction.APPLY], [])


def test_every_action_names_the_statuses_it_needs() -> None:
    assert set(NEEDED_STATUS) == set(JobAction)
