"""What a job may contain, by table and by generated text; the database as the second judge."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import FaenaError, ValidationFailed
from backend.ids import new_id
from backend.jobs import disputes
from backend.jobs.errors import AmountOutOfRange
from backend.jobs.lifecycle.job import FINAL
from backend.jobs.models import LARGEST_VALUE, Application, Dispute, Job
from backend.jobs.status import JobStatus, ReviewDecision
from backend.jobs.validation import job_columns
from backend.open_payments.types import Amount
from backend.texts import tidy_text
from tests.jobs.people import (
    GOOD_JOB,
    NOON,
    USD_25,
    a_dispute,
    a_draft,
    a_job,
    a_job_in,
    a_job_with_work,
    a_person,
    an_application,
    reviewed,
    submitted_work,
)

WITH_TRIGGERS = pytest.mark.skipif(
    connection.vendor != "postgresql",
    reason="these rules are triggers of PostgreSQL; on SQLite one writer at a time keeps them",
)


def usd(value: int, *, code: str = "USD", scale: int = 2) -> Amount:
    return Amount(value=value, asset_code=code, asset_scale=scale)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"title": ""}, ("title",)),
        ({"title": " \n "}, ("title",)),
        ({"title": "x" * 201}, ("title",)),
        ({"title": "a\x00b"}, ("title",)),
        ({"title": "a\ud800b"}, ("title",)),
        ({"description": "x" * 20_001}, ("description",)),
        ({"description": "\x1b[31mred"}, ("description",)),
        ({"dialect": "x" * 101}, ("dialect",)),
        ({"language_tag": "español"}, ("languageTag",)),
        ({"language_tag": "e"}, ("languageTag",)),
        ({"language_tag": "es_MX"}, ("languageTag",)),
        ({"language_tag": "es-"}, ("languageTag",)),
        ({"language_tag": "es-MX-" + "-".join(["abcde"] * 6)}, ("languageTag",)),
        ({"workers_needed": 0}, ("workersNeeded",)),
        ({"workers_needed": -1}, ("workersNeeded",)),
        ({"workers_needed": 1001}, ("workersNeeded",)),
        ({"recruit_limit": 0}, ("recruitLimit",)),
        ({"recruit_limit": 10_001}, ("recruitLimit",)),
        ({"recruit_limit": 1}, ("recruitLimit",)),
        ({"submit_days": 0}, ("submitDays",)),
        ({"submit_days": 366}, ("submitDays",)),
        ({"review_days": 0}, ("reviewDays",)),
        ({"review_days": 2**31}, ("reviewDays",)),
        ({"recruit_until": NOON}, ("recruitUntil",)),
        ({"recruit_until": NOON - timedelta(seconds=1)}, ("recruitUntil",)),
        ({"recruit_until": NOON + timedelta(days=731)}, ("recruitUntil",)),
        ({"recruit_until": (NOON + timedelta(days=1)).replace(tzinfo=None)}, ("recruitUntil",)),
        ({"expires_at": NOON}, ("expiresAt",)),
        (
            {
                "recruit_until": NOON + timedelta(days=2),
                "expires_at": NOON + timedelta(days=2),
            },
            ("expiresAt",),
        ),
        ({"reward": usd(0)}, ("reward", "value")),
        ({"reward": usd(1, scale=10)}, ("reward", "assetScale")),
        ({"reward": usd(1, code="US D")}, ("reward", "assetCode")),
        ({"reward": usd(1, code="X" * 17)}, ("reward", "assetCode")),
        ({"reward": usd(1, code="ＵＳＤ")}, ("reward", "assetCode")),
    ],
)
def test_an_unusable_value_is_refused_and_named(change: Any, path: tuple[str, ...]) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        job_columns(replace(GOOD_JOB, **change), now=NOON)

    assert refusal.value.path == path
    assert refusal.value.message.endswith(".")


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x" * 200},
        {"title": "Ñuu Savi: ¿qué dices?"},
        {"description": "first line\n\tsecond line"},
        {"workers_needed": 1000, "recruit_limit": 1000},
        {"reward": usd(1, scale=0, code="JPY")},
        {"reward": usd(1, scale=9, code="XRP")},
        {"expires_at": NOON + timedelta(days=730)},
    ],
)
def test_values_at_their_limits_are_taken(change: Any) -> None:
    job_columns(replace(GOOD_JOB, **change), now=NOON)


@pytest.mark.parametrize(
    ("reward", "workers", "fits"),
    [
        (LARGEST_VALUE, 1, True),
        (LARGEST_VALUE + 1, 1, False),
        (LARGEST_VALUE // 1000, 1000, True),
        (LARGEST_VALUE // 1000 + 1, 1000, False),
        (2**64 - 1, 1000, False),
    ],
)
def test_a_budget_that_no_column_could_carry_is_refused(
    reward: int, workers: int, fits: bool
) -> None:
    data = replace(GOOD_JOB, reward=usd(reward), workers_needed=workers)

    if fits:
        job_columns(data, now=NOON)
    else:
        with pytest.raises(AmountOutOfRange):
            job_columns(data, now=NOON)


@given(st.text(max_size=60))
def test_whatever_text_is_taken_can_be_stored_everywhere(text: str) -> None:
    try:
        tidy = tidy_text(text, most=50, path="title")
    except FaenaError:
        return

    assert tidy == text.strip()
    assert "\x00" not in tidy
    tidy.encode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "columns",
    [
        {"reward_value": 0},
        {"reward_value": -1},
        {"workers_needed": 0},
        {"workers_needed": 1001, "recruit_limit": 1001},
        {"reward_value": LARGEST_VALUE // 2 + 1, "workers_needed": 2},
        {"asset_scale": 19},
        {"asset_code": ""},
        {"status": "PAUSED"},
        {"recruit_limit": 1},
        {"submit_days": 0},
        {"status": "RECRUITING"},
        {"status": "RECRUITING", "recruit_until": None, "expires_at": NOON},
        {"status": "RECRUITING", "recruit_until": NOON, "expires_at": None},
        {"status": "RECRUITING", "recruit_until": NOON, "expires_at": NOON},
    ],
)
def test_the_database_itself_refuses_an_impossible_job(columns: dict[str, Any]) -> None:
    job = a_draft(workers_needed=2)

    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(id=job.id).update(**columns)


@pytest.mark.django_db
def test_the_database_keeps_the_largest_reward_exactly() -> None:
    job = a_draft(reward=usd(LARGEST_VALUE), workers_needed=1)

    assert Job.objects.get(id=job.id).total_budget.value == LARGEST_VALUE


@pytest.mark.django_db
def test_the_database_itself_refuses_a_second_application() -> None:
    job = a_job()
    worker = a_person()
    first = an_application(job, worker)

    first.pk = new_id()
    first._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        first.save(force_insert=True)


@pytest.mark.django_db
@WITH_TRIGGERS
@pytest.mark.parametrize("end", sorted(FINAL))
def test_the_database_itself_lets_no_job_move_from_its_end(end: JobStatus) -> None:
    job = a_job_in(end)

    Job.objects.filter(id=job.id).update(status=end, version=9)
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(id=job.id).update(status=JobStatus.RECRUITING)


@pytest.mark.django_db
@WITH_TRIGGERS
def test_the_database_itself_lets_no_dispute_move_from_its_end() -> None:
    job, (worker,) = a_job_with_work()
    dispute = a_dispute(reviewed(submitted_work(job, worker), ReviewDecision.REJECT))
    disputes.withdraw_dispute(user=worker, dispute_id=dispute.id, now=NOON)

    with pytest.raises(IntegrityError), transaction.atomic():
        Dispute.objects.filter(id=dispute.id).update(status="OPEN")


@pytest.mark.django_db
@WITH_TRIGGERS
def test_the_database_itself_counts_who_is_selected_when_all_is_said() -> None:
    job = a_job(workers_needed=1)
    first, second = an_application(job), an_application(job)

    def select(application: Application) -> None:
        Application.objects.filter(id=application.id).update(status="SELECTED")

    def commit() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    def select_and_commit(application: Application) -> None:
        select(application)
        commit()

    select_and_commit(first)
    select(second)
    Application.objects.filter(id=first.id).update(status="REJECTED")
    commit()
    with pytest.raises(IntegrityError), transaction.atomic():
        select_and_commit(first)


def test_the_example_of_these_tests_is_itself_in_order() -> None:
    assert job_columns(GOOD_JOB, now=NOON)["reward_value"] == USD_25.value
