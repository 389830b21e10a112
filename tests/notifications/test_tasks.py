"""The tick and the pump: what is due is mailed by whoever is there."""

import time
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.urls import reverse

from backend.accounts.models import User
from backend.clock import SYSTEM_CLOCK
from backend.notifications import tasks
from backend.notifications.models import Mail
from backend.notifications.status import MailStatus
from celery_app import app
from tests.jobs.people import a_job_with_work, submitted_work
from tests.notifications.world import MailServer, forget_the_past

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 20.0


def something_is_due() -> User:
    now = SYSTEM_CLOCK.now()
    job, (worker,) = a_job_with_work(now=now)
    forget_the_past()
    submitted_work(job, worker, now=now)
    return job.owner


def test_beat_asks_for_it_and_the_tasks_exist() -> None:
    schedule = app.conf.beat_schedule

    assert schedule["send-mails"]["schedule"] <= 5.0
    assert {schedule[name]["task"] for name in ("send-mails", "forget-old-mails")} <= set(app.tasks)


def test_the_pump_mails_what_is_due(mail_server: MailServer, settings: LazySettings) -> None:
    settings.DEBUG, settings.SELLER_WALLET_ADDRESS_URL = True, ""
    person = something_is_due()

    call_command("pump", "--once", stdout=StringIO(), stderr=StringIO())

    assert len(mail_server.to(person)) == 1


def test_the_tick_has_it_mailed_by_threads_of_its_own(mail_server: MailServer) -> None:
    person = something_is_due()

    tasks.send_due()

    deadline = time.monotonic() + PATIENCE_SECONDS
    pending = Mail.objects.filter(status=MailStatus.PENDING)
    while pending.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(mail_server.to(person)) == 1


def test_a_bug_in_sending_puts_the_mail_back(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    something_is_due()

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(tasks, "send", fail)

    assert tasks.send_all() == 1

    mail = Mail.objects.get()
    assert (mail.status, mail.lease_until, mail.broken_off) == (MailStatus.PENDING, None, 0)
    assert mail.due_at is not None and mail.due_at > SYSTEM_CLOCK.now()
    connections.close_all()


def test_the_admin_shows_mails_and_changes_none(mail_server: MailServer, client: Client) -> None:
    something_is_due()
    tasks.send_all()
    mail = Mail.objects.get()
    client.force_login(User.objects.create_superuser("operator@example.com", "a long password"))
    page = reverse("admin:notifications_mail_change", args=[mail.id])

    assert client.get(page).status_code == 200
    assert client.get(reverse("admin:notifications_mail_changelist")).status_code == 200
    assert client.post(page, {"status": "PENDING"}).status_code == 403
