"""Nobody is mailed at an address that another person has signed up with."""

from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.conf import LazySettings
from django.test import Client

from backend.accounts.models import User
from backend.jobs import recruiting
from backend.notifications import confirming
from backend.notifications.models import Mail
from backend.notifications.status import SkippedBecause
from tests.accounts.people import NOON, Form, log_in
from tests.jobs.people import a_job, a_wallet, an_application
from tests.notifications.world import MailServer, mail_all, text_of
from tests.webhooks.world import Clock

pytestmark = pytest.mark.django_db(transaction=True)

LURE = "You won: http://evil.example"


@pytest.fixture
def client() -> Client:
    """Whoever opens the link: no cookies, and no token against forged requests."""
    return Client(enforce_csrf_checks=True)


def sign_up() -> User:
    return replace(Form(), display_name=LURE).send().user


def link_in(mail: EmailMessage, settings: LazySettings) -> str:
    prefix = f"{settings.PUBLIC_URL}/"
    (link,) = [line for line in text_of(mail).splitlines() if line.startswith(prefix)]
    return link.removeprefix(settings.PUBLIC_URL)


def select(person: User) -> None:
    a_wallet(person)
    application = an_application(a_job(title=LURE), person)
    recruiting.decide_applications(
        user=application.job.owner, job_id=application.job_id, select=[application.id], now=NOON
    )


def test_an_address_gets_one_mail_without_a_word_of_whoever_signed_up_with_it(
    mail_server: MailServer, clock: Clock
) -> None:
    select(sign_up())

    mail_all(clock)

    (mail,) = mail_server.got
    assert "evil" not in mail.as_string()
    assert mail["List-Unsubscribe"] is None
    assert Mail.objects.filter(skipped_because=SkippedBecause.UNCONFIRMED).exists()


def test_whoever_confirms_is_mailed_from_then_on(
    mail_server: MailServer, clock: Clock, client: Client, settings: LazySettings
) -> None:
    person = sign_up()
    mail_all(clock)
    link = link_in(mail_server.got[0], settings)

    answers = [client.post(link).status_code for _ in range(2)]
    select(person)
    mail_all(clock)

    assert answers == [200, 200]
    assert len(mail_server.to(person)) == 2


def test_looking_at_the_link_confirms_nothing(client: Client, settings: LazySettings) -> None:
    person = sign_up()
    path = confirming.link_for(person).removeprefix(settings.PUBLIC_URL)

    pages = [client.get(path), client.head(path)]

    assert [page.status_code for page in pages] == [200, 200]
    assert '<form method="post">' in pages[0].content.decode()
    person.refresh_from_db()
    assert person.email_unconfirmed_since is not None


def test_a_forged_link_and_one_to_an_earlier_address_are_refused(
    client: Client, settings: LazySettings
) -> None:
    person = sign_up()
    path = confirming.link_for(person).removeprefix(settings.PUBLIC_URL)
    User.objects.filter(pk=person.pk).update(email="victim@example.com")

    answers = [client.post(each).status_code for each in (path, f"{path[:-1]}x", "/mail/confirm/x")]

    assert answers == [404, 404, 404]
    person.refresh_from_db()
    assert person.email_unconfirmed_since is not None


def test_logging_in_asks_again_once_a_day_and_not_for_ever(
    mail_server: MailServer, clock: Clock
) -> None:
    sign_up()
    mail_all(clock)
    counts = []
    for days in (0, 1, 13, 14, 400):
        clock.at = NOON + timedelta(days=days, minutes=5)
        log_in(now=clock.now())
        mail_all(clock)
        counts.append(len(mail_server.got))

    assert counts == [1, 2, 3, 3, 3]


def test_where_nobody_is_mailed_nobody_has_to_confirm(settings: LazySettings) -> None:
    settings.SENDS_MAIL = False

    assert sign_up().email_unconfirmed_since is None
