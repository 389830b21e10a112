"""The newest migration of each app can be taken back and applied again over rows of every kind."""

import threading
import time
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
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


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer anyway")
@pytest.mark.django_db(transaction=True)
def test_migrate_waits_for_a_table_in_use_and_keeps_nobody_else_from_it() -> None:
    payment = a_payment()
    in_use, done = threading.Event(), threading.Event()
    waited: list[float] = []

    def use() -> None:
        with transaction.atomic():
            Payment.objects.select_for_update().get(id=payment.id)
            in_use.set()
            done.wait(2)
        connection.close()

    def look() -> None:
        in_use.wait(5)
        for _ in range(15):
            began = time.monotonic()
            Payment.objects.values("id").first()
            waited.append(time.monotonic() - began)
            time.sleep(0.1)
        connection.close()

    others = [threading.Thread(target=each) for each in (use, look)]
    for each in others:
        each.start()
    in_use.wait(5)
    began = time.monotonic()
    try:
        call_command("migrate", "payments", "0007", verbosity=0)
        took = time.monotonic() - began
    finally:
        done.set()
        for each in others:
            each.join(10)
        call_command("migrate", verbosity=0)

    assert took > 1.0, "it was not in anybody's way"
    assert max(waited) < 0.7
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
