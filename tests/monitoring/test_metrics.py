"""What /metrics says, and to whom."""

from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection, transaction
from django.test import Client
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from backend.events import emit
from backend.events.relay import relay
from backend.heartbeat.beating import RECONCILIATION, TICK, finished
from backend.heartbeat.models import Heartbeat
from backend.monitoring.state import StateCollector
from backend.payments import claims
from backend.payments.models import Discrepancy, Payment
from backend.payments.status import PaymentStatus
from backend.telemetry import metrics
from tests.conftest import NOON
from tests.schema.world import PaymentWorld, a_payment

TOKEN = "what Prometheus was told"


class At:
    """A clock that stands still."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


def state(*, seconds: float = 0) -> "Reader":
    """The state as it is read so many seconds after noon."""
    registry = CollectorRegistry()
    registry.register(StateCollector(At(NOON + timedelta(seconds=seconds))))
    return Reader(registry)


class Reader:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def value(self, metric: str, **labels: str) -> float | None:
        return self._registry.get_sample_value(metric, labels)


def count(metric: str, **labels: str) -> float:
    """A number that this process has counted so far."""
    return REGISTRY.get_sample_value(metric, labels) or 0.0


@pytest.fixture
def world(db: None) -> PaymentWorld:
    return a_payment()


# --- who may read ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_developer_just_reads_it(client: Client, settings: LazySettings) -> None:
    settings.DEBUG, settings.METRICS_TOKEN = True, ""

    answer = client.get("/metrics")

    assert answer.status_code == 200
    names = {each.name for each in text_string_to_metric_families(answer.content.decode())}
    assert {"unknown_age_max", "due_lag_max", "outbox_lag", "discrepancy_open"} <= names
    assert {"lease_expired", "fence_lost", "breaker_open", "grant_lost"} <= names


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}]
)
@pytest.mark.parametrize("debug", [True, False])
def test_with_a_token_there_is_no_such_page_for_others(
    client: Client, settings: LazySettings, headers: dict[str, str], debug: bool
) -> None:
    settings.DEBUG, settings.METRICS_TOKEN = debug, TOKEN

    assert client.get("/metrics", headers=headers).status_code == 404


def test_without_a_token_production_has_no_such_page(
    client: Client, settings: LazySettings
) -> None:
    settings.DEBUG, settings.METRICS_TOKEN = False, ""

    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.django_db
def test_who_has_the_token_reads_it(client: Client, settings: LazySettings) -> None:
    settings.DEBUG, settings.METRICS_TOKEN = False, TOKEN

    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 200


@pytest.mark.django_db
def test_who_scrapes_need_not_know_the_name_of_the_server(
    client: Client, settings: LazySettings
) -> None:
    settings.DEBUG, settings.METRICS_TOKEN = False, TOKEN
    settings.ALLOWED_HOSTS = ["pay.example"]
    elsewhere = {"Host": "10.0.0.7:8000"}

    told = client.get("/metrics", headers={**elsewhere, "Authorization": f"Bearer {TOKEN}"})
    refused = client.get("/metrics", headers=elsewhere)

    assert (told.status_code, refused.status_code) == (200, 404)


# --- state ----------------------------------------------------------------------------------------


def test_what_is_due_and_unclaimed_lags(world: PaymentWorld) -> None:
    assert state(seconds=42).value("due_lag_max", queue="Payment") == 42

    claims.claim_due(Payment, now=NOON, limit=1)

    assert state(seconds=5).value("due_lag_max", queue="Payment") == 0


def test_a_lease_that_has_run_out_lags_again(world: PaymentWorld, settings: LazySettings) -> None:
    claims.claim_due(Payment, now=NOON, limit=1)
    later = settings.LEASE_S + 1

    assert state(seconds=later).value("due_lag_max", queue="Payment") == later


def test_the_oldest_unknown_payment_tells_its_age(world: PaymentWorld) -> None:
    assert state(seconds=90).value("unknown_age_max") == 0
    Payment.objects.update(status=PaymentStatus.UNKNOWN)

    assert state(seconds=90).value("unknown_age_max") == 90
    assert state(seconds=90).value("faena_payments_open", status="UNKNOWN") == 1


def test_payments_past_their_deadline_are_counted(world: PaymentWorld) -> None:
    late = (world.payment.deadline_at - NOON).total_seconds() + 1

    assert state(seconds=late).value("faena_payments_past_deadline", status="CREATED") == 1
    assert state(seconds=late - 2).value("faena_payments_past_deadline", status="CREATED") == 0


def test_a_payment_that_is_over_is_in_none_of_it(world: PaymentWorld) -> None:
    world.move(PaymentStatus.CANCELED)

    assert state(seconds=9999).value("due_lag_max", queue="Payment") == 0
    assert state(seconds=9999).value("faena_payments_open", status="CREATED") == 0


def test_open_discrepancies_are_counted_by_kind(world: PaymentWorld) -> None:
    Discrepancy.note(
        payment=world.payment, kind="DELIVERED_MORE", expected="1", actual="2", at=NOON
    )

    found = state(seconds=60)

    assert found.value("discrepancy_open", kind="DELIVERED_MORE") == 1
    assert found.value("discrepancy_open_age_max", kind="DELIVERED_MORE") == 60
    assert found.value("discrepancy_open", kind="TWO_LIVE_ATTEMPTS") == 0


def test_reconciliation_ages_from_the_first_payment_and_then_from_its_last_end(
    world: PaymentWorld,
) -> None:
    day = 86_400
    assert state(seconds=day).value("faena_reconciliation_age") == day

    finished(RECONCILIATION, now=NOON + timedelta(seconds=day))
    finished(RECONCILIATION, now=NOON + timedelta(seconds=2 * day))

    found = state(seconds=2 * day + 7)
    assert found.value("faena_reconciliation_age") == 7
    assert found.value("tick_heartbeat_age", name=RECONCILIATION) is None


@pytest.mark.django_db
def test_where_nothing_was_paid_reconciliation_is_not_late() -> None:
    assert state(seconds=9999).value("faena_reconciliation_age") == 0


def test_the_outbox_lags_until_it_is_relayed(world: PaymentWorld) -> None:
    relay(now=NOON)
    with transaction.atomic():
        for seconds in (7, 9):
            emit(topic="a", type="test", payload={}, at=NOON + timedelta(seconds=seconds))

    assert state(seconds=10).value("outbox_lag") == 3
    relay(now=NOON)
    assert state(seconds=10).value("outbox_lag") == 0


@pytest.mark.django_db
def test_the_heartbeat_ages_until_the_next_tick() -> None:
    tick = Heartbeat.objects.create(name=TICK, at=NOON)

    assert state(seconds=12).value("tick_heartbeat_age", name="tick") == 12
    tick.at = NOON + timedelta(seconds=12)
    tick.save()
    assert state(seconds=12).value("tick_heartbeat_age", name="tick") == 0


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_said_and_not_called_zero() -> None:
    def refuse(*_: object) -> None:
        raise DatabaseError("gone")

    with connection.execute_wrapper(refuse):
        found = state()

    with connection.execute_wrapper(refuse):
        assert found.value("faena_state_readable") == 0
        assert found.value("outbox_lag") is None
    assert found.value("faena_state_readable") == 1


# --- counted as it happens ------------------------------------------------------------------------


def test_a_lease_that_was_left_behind_is_counted(
    world: PaymentWorld, settings: LazySettings
) -> None:
    before = count("lease_expired_total", queue="Payment")
    claims.claim_due(Payment, now=NOON, limit=1)
    assert count("lease_expired_total", queue="Payment") == before

    claims.claim_due(Payment, now=NOON + timedelta(seconds=settings.LEASE_S + 1), limit=1)

    assert count("lease_expired_total", queue="Payment") == before + 1


def test_only_so_many_hosts_have_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_hosts", set())

    labels = {metrics.host_label(f"https://h{n}.example:443/x") for n in range(150)}

    assert len(labels) == metrics.MOST_HOSTS + 1
    assert {"h0.example", metrics.OTHER} <= labels


def test_a_breaker_is_open_until_a_connection_is_made() -> None:
    host = "sick.example:8443"
    metrics.breaker_changed(f"https://{host}", failed=True, is_open=True)
    assert count("breaker_open", host=host) == 1
    assert count("faena_breaker_failures_total", host=host) == 1

    metrics.breaker_changed(f"https://{host}", failed=False, is_open=False)

    assert count("breaker_open", host=host) == 0
