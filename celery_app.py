"""The Celery app: broker, queues and the beat schedule. No task bodies live here."""

import os
from contextlib import AbstractContextManager

from celery import Celery, Task
from celery.schedules import crontab
from celery.signals import (
    beat_init,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
)
from kombu.entity import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from backend.telemetry import context
from backend.telemetry.exporting import export_traces
from backend.telemetry.serving import forget_process, serve_metrics

app = Celery("faena")
app.conf.update(
    broker_url=settings.BROKER_URL,
    # Redis holds hints only; a frozen one must cost a second, not a request.
    broker_transport_options={
        "socket_timeout": 1,
        "socket_connect_timeout": 1,
        "retry_on_timeout": False,
        "global_keyprefix": f"{settings.REDIS_PREFIX}:celery:",
        # A hint that a worker took and lost with its life comes back as the next tick. Keeping what
        # is not acknowledged in Redis, to put it back later, would cost two calls a message, and
        # has ended workers: putting back while Redis is away fails in the middle of closing.
        "ack_emulation": False,
    }
    if settings.BROKER_URL.startswith("redis")
    else {"polling_interval": 0.05},
    broker_connection_retry_on_startup=True,
    task_publish_retry=False,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue="default",
    # Named here, because a worker without -Q listens only to queues it can find here.
    task_queues=(Queue("default"), Queue("money")),
    task_routes={
        "backend.payments.tasks.*": {"queue": "money"},
    },
    # Late acknowledgement re-runs and loops; the row's due_at already brings lost work back.
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=10_000,
    worker_hijack_root_logger=False,
    # Far above what a batch takes; a payment survives being killed, so this may be blunt.
    task_time_limit=300,
    timezone="UTC",
    # When each entry ran last: a clock that was away at night makes up for it.
    beat_schedule_filename=str(settings.VAR_DIR / "beat-schedule"),
    beat_schedule={
        "advance-due-payments": {
            "task": "backend.payments.tasks.advance_due",
            "schedule": settings.TICK_S,
            # A tick that waited longer than the next one is of no use.
            "options": {"expires": max(2.0, settings.TICK_S)},
        },
        "register-default-seller": {
            "task": "backend.funding.tasks.register_default_seller",
            "schedule": 5.0,
            "options": {"expires": 5.0},
        },
        "register-treasury": {
            "task": "backend.funding.tasks.register_treasury",
            "schedule": 5.0,
            "options": {"expires": 5.0},
        },
        "register-fee-wallets": {
            "task": "backend.funding.tasks.register_fee_wallets",
            "schedule": 5.0,
            "options": {"expires": 5.0},
        },
        "retry-due-payments": {
            "task": "backend.funding.tasks.retry_due_payments",
            "schedule": 10.0,
            "options": {"expires": 10.0},
        },
        "remind-of-consents": {
            "task": "backend.funding.tasks.remind_of_consents",
            "schedule": 600.0,
            "options": {"expires": 600.0},
        },
        "pass-time-over-jobs": {
            "task": "backend.jobs.tasks.pass_time",
            "schedule": 60.0,
            "options": {"expires": 60.0},
        },
        "deliver-webhooks": {
            "task": "backend.webhooks.tasks.deliver_due",
            "schedule": 1.0,
            "options": {"expires": 2.0},
        },
        "send-mails": {
            "task": "backend.notifications.tasks.send_due",
            "schedule": 2.0,
            "options": {"expires": 4.0},
        },
        "forget-old-mails": {
            "task": "backend.notifications.tasks.forget_old",
            "schedule": crontab(hour=3, minute=35),
        },
        "forget-old-webhooks": {
            "task": "backend.webhooks.tasks.forget_old",
            "schedule": crontab(hour=3, minute=30),
        },
        "delete-old-events": {
            "task": "backend.events.tasks.delete_old_events",
            "schedule": crontab(hour=3, minute=10),
        },
        "sweep-files": {
            "task": "backend.files.tasks.sweep_files",
            "schedule": 600.0,
            "options": {"expires": 600.0},
        },
        "forget-old-idempotency-keys": {
            "task": "backend.funding.tasks.forget_old_keys",
            "schedule": crontab(hour=3, minute=20),
        },
        "reconcile": {
            "task": "backend.reconciliation.tasks.reconcile_nightly",
            "schedule": crontab(hour=3, minute=40),
        },
    },
)
# Celery's current app is thread-local; embedded workers and publishers are threads.
app.set_default()
app.autodiscover_tasks(
    [
        "backend.payments",
        "backend.funding",
        "backend.jobs",
        "backend.files",
        "backend.events",
        "backend.reconciliation",
        "backend.webhooks",
        "backend.notifications",
    ]
)


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Leave logging as LOGGING says: with a receiver here Celery sets up none of its own."""


@worker_init.connect
def watch_worker(**_: object) -> None:
    context.process_is("worker")
    serve_metrics()
    export_traces()


@beat_init.connect
def watch_beat(**_: object) -> None:
    context.process_is("beat")


@worker_process_init.connect
def watch_child(**_: object) -> None:
    # A fork copies no threads, and traces are sent by one.
    export_traces()


@worker_process_shutdown.connect
def forget_child(pid: int, **_: object) -> None:
    forget_process(pid)


_tasks_at_work: dict[str, AbstractContextManager[None]] = {}


@task_prerun.connect
def begin_task(task_id: str, task: Task, **_: object) -> None:
    """Have every line of a task say which one it is, and which request asked for it."""
    working = context.about(
        task=task.name.removeprefix("backend."),
        task_id=task_id,
        request_id=context.taken_along(task.request.headers),
    )
    working.__enter__()
    _tasks_at_work[task_id] = working


@task_postrun.connect
def end_task(task_id: str, **_: object) -> None:
    if working := _tasks_at_work.pop(task_id, None):
        working.__exit__(None, None, None)


@worker_init.connect
@beat_init.connect
def refuse_unsafe_settings(**_: object) -> None:
    """Stop a worker or beat that must not run with these settings."""
    from backend import checks

    try:
        checks.refuse_unsafe_settings()
    except ImproperlyConfigured as refusal:
        # Celery logs what a signal's receiver raises and goes on, unless it is this.
        raise SystemExit(str(refusal)) from refusal
