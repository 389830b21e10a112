"""The newest migration of each app can be taken back and applied again over rows of every kind."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model

from backend.accounts.models import User
from backend.jobs.models import Application, Job, Submission
from backend.jobs.status import JobStatus
from backend.payments.models import Payment
from backend.payments.status import PaymentStatus
from tests.jobs.people import a_job_in
from tests.ledger.books import a_payment

KEPT: tuple[type[Model], ...] = (User, Job, Application, Submission, Payment)


def rows() -> list[list[dict[str, Any]]]:
    return [list(model._default_manager.order_by("pk").values()) for model in KEPT]


def one_back(executor: MigrationExecutor) -> list[tuple[str, str]]:
    """The migration before the newest one, of each app of ours that has two."""
    ours = {each.label for each in apps.get_app_configs() if each.name.startswith("backend.")}
    nodes = (executor.loader.graph.node_map[leaf] for leaf in executor.loader.graph.leaf_nodes())
    return [
        parent.key
        for node in nodes
        for parent in node.parents
        if node.key[0] in ours and parent.key[0] == node.key[0]
    ]


@pytest.mark.django_db(transaction=True)
def test_a_release_is_taken_back_and_applied_again_and_no_row_changes() -> None:
    for payment_status in PaymentStatus:
        a_payment(status=payment_status)
    for job_status in JobStatus:
        a_job_in(job_status)
    before = rows()
    back = one_back(MigrationExecutor(connection))

    # One app after the other: what is taken back can take others with it.
    for key in back:
        try:
            MigrationExecutor(connection).migrate([key])
            executor = MigrationExecutor(connection)
            assert len(executor.loader.applied_migrations) < len(executor.loader.graph.nodes), key
        finally:
            executor = MigrationExecutor(connection)
            executor.migrate(executor.loader.graph.leaf_nodes())

    assert {app for app, _ in back} >= {"accounts", "events", "funding", "jobs", "payments"}
    assert rows() == before
