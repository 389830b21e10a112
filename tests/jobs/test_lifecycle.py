"""The tables of the lifecycle, their one door, and the buttons that come from the same tables."""

from collections.abc import Mapping, Set
from datetime import timedelta
from enum import StrEnum
from itertools import product
from typing import Any

import pgtrigger
import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from backend.accounts.models import User
from backend.errors import FaenaError, InvalidTransition
from backend.events.models import Event
from backend.jobs.changes import changing
from backend.jobs.errors import LostRace
from backend.jobs.facts import facts_of_job
from backend.jobs.lifecycle import application, dispute, job, submission
from backend.jobs.lifecycle.job import RULES, TRANSITIONS, JobAction
from backend.jobs.lifecycle.rules import Rule, allowed, require
from backend.jobs.models import Job
from backend.jobs.status import ApplicationStatus, DisputeStatus, JobStatus, SubmissionStatus
from tests.jobs.people import NOON, a_draft, a_job, a_job_in, a_person, an_application

pytestmark = pytest.mark.django_db

MACHINES: tuple[tuple[Mapping[Any, Set[Any]], StrEnum, set[str]], ...] = (
    (TRANSITIONS, JobStatus.DRAFT, {"COMPLETE", "CANCELED", "EXPIRED"}),
    (application.TRANSITIONS, ApplicationStatus.PENDING, set()),
    (submission.TRANSITIONS, SubmissionStatus.DRAFT, set()),
    (dispute.TRANSITIONS, DisputeStatus.OPEN, {"RESOLVED", "WITHDRAWN"}),
)
ALL_RULES: tuple[tuple[type[StrEnum], Mapping[Any, Rule[Any]]], ...] = (
    (JobAction, job.RULES),
    (application.ApplicationAction, application.RULES),
    (submission.SubmissionAction, submission.RULES),
    (dispute.DisputeAction, dispute.RULES),
)


@pytest.mark.parametrize(("transitions", "first", "final"), MACHINES)
def test_every_status_can_be_reached_and_exactly_the_final_ones_cannot_be_left(
    transitions: Mapping[Any, Set[Any]], first: StrEnum, final: set[str]
) -> None:
    reached, waiting = {first}, [first]
    while waiting:
        following = transitions[waiting.pop()] - reached
        reached |= following
        waiting.extend(following)

    assert set(transitions) == set(type(first)) == reached
    assert {old for old, following in transitions.items() if not following} == final


@pytest.mark.parametrize(("actions", "rules"), ALL_RULES)
def test_every_action_has_its_rule_and_says_why_not(
    actions: type[StrEnum], rules: Mapping[Any, Rule[Any]]
) -> None:
    assert list(rules) == list(actions)
    assert all(str(rule.otherwise) and rule.statuses and rule.who for rule in rules.values())


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
    assert job.status_changes.filter(old=old, new=new).exists() is moved


def test_a_move_saves_the_fields_a_log_row_and_events_together() -> None:
    job = a_draft()
    version = job.version

    with changing(at=NOON, actor=job.owner) as change:
        change.move(
            job,
            JobStatus.RECRUITING,
            reason="it is time",
            recruit_until=NOON + timedelta(days=1),
            expires_at=NOON + timedelta(days=2),
        )

    row = Job.objects.get(id=job.id)
    event = Event.objects.get(topic=f"job:{job.id}")
    own = Event.objects.get(topic=f"user:{job.owner_id}")
    assert (row.status, row.version, row.updated_at) == ("RECRUITING", version + 1, NOON)
    assert row.recruit_until == job.recruit_until == NOON + timedelta(days=1)
    logged = [
        (each.kind, each.subject_id, each.old, each.new, each.actor, each.reason)
        for each in job.status_changes.all()
    ]
    assert logged == [("job", job.id, "DRAFT", "RECRUITING", job.owner, "it is time")]
    assert (event.type, own.type) == ("job.status", "job.status")
    assert event.payload == {"status": "RECRUITING", "previous": "DRAFT"}
    assert own.payload == {**event.payload, "job": str(job.id)}
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
    assert mine.status_changes.count() == 2


def test_an_edit_loses_the_race_to_another_edit() -> None:
    mine = a_draft()
    theirs = Job.objects.get(id=mine.id)
    theirs.change(at=NOON, title="Theirs")

    with pytest.raises(LostRace):
        mine.change(at=NOON, title="Mine")

    assert Job.objects.get(id=mine.id).title == "Theirs"


def test_events_are_written_in_the_order_of_their_topics() -> None:
    job = a_job(workers_needed=2)
    Event.objects.filter(subject_id=job.id)

    with changing(at=NOON) as change:
        change.tell("user:b", "test", job, {})
        change.tell("job:a", "test", job, {})
        change.tell("user:a", "test", job, {"first": True})
        change.tell("user:a", "test", job, {"first": False})

    told = Event.objects.filter(type="test").order_by("id")
    assert [(each.topic, each.payload) for each in told] == [
        ("job:a", {}),
        ("user:a", {"first": True}),
        ("user:a", {"first": False}),
        ("user:b", {}),
    ]


def test_the_log_of_a_job_cannot_be_rewritten() -> None:
    if connection.vendor != "postgresql":
        assert pgtrigger.registered(), "the trigger is declared, and lives in PostgreSQL only"
        return
    job = a_job()

    with pytest.raises(DatabaseError), transaction.atomic():
        job.status_changes.update(new="COMPLETE")
    with pytest.raises(DatabaseError), transaction.atomic():
        job.status_changes.all().delete()

    assert [each.new for each in job.status_changes.all()] == ["RECRUITING"]


def actions_of(user: User, job: Job, **when: Any) -> list[JobAction]:
    return allowed(RULES, facts_of_job(user=user, job=job, now=when.get("now", NOON)))


@pytest.mark.parametrize("status", list(JobStatus))
@pytest.mark.parametrize("whose", ["owner", "somebody else", "applicant", "operator"])
def test_the_buttons_are_exactly_what_the_guards_let_through(status: JobStatus, whose: str) -> None:
    job = a_job()
    applicant = an_application(job).applicant
    Job.objects.filter(id=job.id).update(status=status)
    job.refresh_from_db()
    user = {"owner": job.owner, "applicant": applicant}.get(whose) or a_person()
    user.is_staff = whose == "operator"
    facts = facts_of_job(user=user, job=job, now=NOON)

    shown = allowed(RULES, facts)

    for action in JobAction:
        try:
            require(RULES, action, facts)
        except FaenaError:
            assert action not in shown
        else:
            assert action in shown


def test_what_is_possible_with_a_job_that_recruits_depends_on_who_one_is() -> None:
    job = a_job()
    operator = a_person()
    operator.is_staff = True

    A = JobAction
    assert actions_of(a_person(), job) == [A.APPLY]
    assert actions_of(operator, job) == [A.APPLY, A.CANCEL]
    assert actions_of(job.owner, job) == [
        A.EDIT,
        A.DUPLICATE,
        A.EXTEND,
        A.SELECT,
        A.FUND,
        A.CANCEL,
    ]
    an_application(job)
    assert A.CLOSE_RECRUITING in actions_of(job.owner, job)


def test_the_button_to_apply_goes_at_the_second_of_the_deadline() -> None:
    job = a_job()
    worker = a_person()
    assert job.recruit_until is not None

    before = actions_of(worker, job, now=job.recruit_until - timedelta(seconds=1))
    after = actions_of(worker, job, now=job.recruit_until)

    assert (before, after) == ([JobAction.APPLY], [])


def test_nothing_but_copying_can_be_done_with_a_job_that_has_ended() -> None:
    for status in job.FINAL:
        ended = a_job_in(status)

        assert actions_of(ended.owner, ended) == [JobAction.DUPLICATE]
        assert actions_of(a_person(), ended) == []
