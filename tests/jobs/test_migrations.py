"""A database of the first release becomes one of today, with all that it knew."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.apps.registry import Apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.jobs.people import NOON, a_person

pytestmark = pytest.mark.django_db(transaction=True)

Migrate = Callable[[str], Apps]


@pytest.fixture
def migrate() -> Iterator[Migrate]:
    """Bring the jobs' tables to a migration; afterwards all are as they were."""

    def to(name: str) -> Apps:
        executor = MigrationExecutor(connection)
        executor.migrate([("jobs", name)])
        return executor.loader.project_state([("jobs", name), ("funding", "0001_initial")]).apps

    yield to
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def a_job(apps: Apps, owner_id: UUID, **fields: Any) -> Any:
    model: Any = apps.get_model("jobs", "Job")
    return model.objects.create(
        owner_id=owner_id,
        title="Record ten sentences",
        description="In your own words.",
        deliverables=["TEXT"],
        reward_value=2500,
        asset_code="USD",
        asset_scale=2,
        workers_needed=1,
        recruit_limit=10,
        recruit_until=NOON + timedelta(days=7),
        expires_at=NOON + timedelta(days=30),
        created_at=NOON,
        updated_at=NOON,
        **fields,
    )


def test_the_log_is_kept_and_time_moves_what_was_under_way(migrate: Migrate) -> None:
    before: Any = migrate("0003_the_whole_life")
    owner = a_person()
    recruiting, selecting, draft = (
        a_job(before, owner.id, status=status) for status in ("RECRUITING", "SELECTING", "DRAFT")
    )
    before.get_model("jobs", "JobTransition").objects.create(
        job=selecting, old="RECRUITING", new="SELECTING", actor_id=None, at=NOON
    )
    before.get_model("funding", "Funding").objects.create(
        mode="DIRECT",
        job_id=selecting.id,
        payer_id=owner.id,
        status="AWAITING_APPROVAL",
        total_value=2500,
        asset_code="USD",
        asset_scale=2,
        created_at=NOON,
        updated_at=NOON,
    )

    after: Any = migrate("0004_log_and_deadlines")

    jobs = after.get_model("jobs", "Job").objects
    assert jobs.get(id=recruiting.id).due_at == recruiting.recruit_until
    assert jobs.get(id=selecting.id).due_at == selecting.expires_at
    assert jobs.get(id=draft.id).due_at is None
    assert [jobs.get(id=each.id).money_moving for each in (recruiting, selecting)] == [False, True]
    (change,) = after.get_model("jobs", "StatusChange").objects.all()
    assert (change.kind, change.job_id, change.subject_id) == ("job", selecting.id, selecting.id)
    assert (change.old, change.new, change.at) == ("RECRUITING", "SELECTING", NOON)


def test_all_migrations_can_be_taken_back_and_made_again(migrate: Migrate) -> None:
    before = _constraints()
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes("jobs")[0][1]

    migrate("0001_initial")
    assert _constraints() != before
    migrate(newest)

    assert _constraints() == before


def _constraints() -> dict[str, list[str]]:
    """The names of all indexes and constraints of the jobs' tables."""
    with connection.cursor() as cursor:
        return {
            table: sorted(connection.introspection.get_constraints(cursor, table))
            for table in connection.introspection.table_names(cursor)
            if table.startswith("jobs_")
        }
