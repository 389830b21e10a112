"""What op_doctor says of the database, Redis, the broker, and who is at work."""

from datetime import timedelta

import pytest
from django.conf import settings as environment
from django.db import connection
from pytest_django import Settings

from backend.doctor import stores
from backend.doctor.examining import find
from backend.doctor.findings import Code
from backend.heartbeat import beating
from backend.heartbeat.models import Heartbeat
from backend.payments import standstill, tasks
from backend.payments.models import Payment
from tests.conftest import NOON
from tests.doctor.world import closed_port
from tests.simulation.simulator import Simulation

pytestmark = pytest.mark.django_db
on_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'")


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_database_as_tests_have_it_is_well() -> None:
    for check in (stores.check_database, stores.check_migrations, stores.check_triggers):
        assert find("database", check).code is Code.OK


@on_postgresql
def test_another_isolation_is_a_problem() -> None:
    run("SET LOCAL default_transaction_isolation = 'repeatable read'")

    assert find("database", stores.check_database).code is Code.DATABASE_ISOLATION


def test_a_migration_that_is_not_applied_is_named() -> None:
    run("DELETE FROM django_migrations WHERE app = 'heartbeat'")

    found = find("migrations", stores.check_migrations)

    assert (found.code, "heartbeat.0001" in found.message) == (Code.MIGRATIONS_MISSING, True)


def test_books_without_their_guard_are_a_problem() -> None:
    if connection.vendor == "postgresql":
        run("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_append_only")
    else:
        run("DROP TRIGGER ledger_entry_update")

    found = find("triggers", stores.check_triggers)

    assert (found.code, "ledger_entry" in found.message) == (Code.TRIGGERS_MISSING, True)


@on_postgresql
def test_a_log_without_its_guard_is_a_problem() -> None:
    run("ALTER TABLE payments_walletcall DISABLE TRIGGER USER")

    found = find("triggers", stores.check_triggers)

    assert (found.code, "payments_walletcall" in found.message) == (Code.TRIGGERS_MISSING, True)


def test_a_redis_that_is_gone_is_a_warning_and_a_broker_a_problem(settings: Settings) -> None:
    settings.REDIS_URL = settings.BROKER_URL = f"redis://127.0.0.1:{closed_port()}/0"

    assert find("redis", stores.check_redis).code is Code.REDIS_UNREACHABLE
    assert find("broker", stores.check_broker).code is Code.BROKER_UNREACHABLE


@pytest.mark.skipif(not environment.REDIS_URL, reason="needs Redis")
def test_a_redis_and_a_broker_that_answer_are_well(settings: Settings) -> None:
    settings.BROKER_URL = settings.REDIS_URL

    assert find("redis", stores.check_redis).code is Code.OK
    assert find("broker", stores.check_broker).code is Code.OK


# --- the heartbeat --------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _nobody_has_beaten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beating, "_written", {})


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(1, Code.OK), (-5, Code.OK), (11, Code.TICK_LATE), (31, Code.TICK_STOPPED)],
)
def test_a_tick_is_judged_by_its_age(seconds: int, code: Code) -> None:
    beating.beat(beating.TICK, now=NOON)

    at = NOON + timedelta(seconds=seconds)
    assert find("tick", lambda: stores.check_tick(at)).code is code


def test_after_a_standstill_it_is_said_until_the_wallets_were_asked() -> None:
    beating.beat(beating.TICK, now=NOON)
    late = NOON + timedelta(minutes=5)
    world = Simulation(temperament="strict")

    assert standstill.notice(now=late)
    assert find("tick", lambda: stores.check_tick(late)).code is Code.STOOD_STILL

    Payment.objects.filter(id=world.payment.id).update(look_up_since=None)
    assert find("tick", lambda: stores.check_tick(late)).code is Code.OK


def test_where_nobody_ever_looked_it_is_said_so() -> None:
    assert find("tick", lambda: stores.check_tick(NOON)).code is Code.TICK_NEVER


def test_looking_for_due_payments_is_a_heartbeat() -> None:
    tasks.pump()

    assert Heartbeat.objects.get().name == beating.TICK


def test_a_process_writes_its_heartbeat_now_and_then(
    django_assert_num_queries: "pytest.FixtureRequest",
) -> None:
    Heartbeat.objects.create(name=beating.TICK, at=NOON)

    with django_assert_num_queries(1):  # type: ignore[operator]
        for second in range(5):
            beating.beat(beating.TICK, now=NOON + timedelta(seconds=second))

    assert beating.age(beating.TICK, now=NOON) == timedelta(0)
