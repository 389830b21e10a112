"""The link at the end of a mail: harmless to look at, one click to use, impossible to forge."""

import threading
from email.message import EmailMessage

import pytest
from django.conf import LazySettings
from django.core.signing import Signer
from django.db import connection
from django.test import Client

from backend.accounts.models import MailCategory, User
from backend.notifications import unsubscribing
from tests.notifications import world
from tests.notifications.world import MailServer, mail_all, text_of
from tests.webhooks.world import Clock, a_user

pytestmark = pytest.mark.django_db(transaction=True)

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def client() -> Client:
    """A mail program: no cookies, and no token against forged requests."""
    return Client(enforce_csrf_checks=True)


def path_of(link: str, settings: LazySettings) -> str:
    assert link.startswith(settings.PUBLIC_URL)
    return link.removeprefix(settings.PUBLIC_URL)


def link_in(mail: EmailMessage) -> str:
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return str(mail["List-Unsubscribe"]).strip(" <>").replace(" ", "")


def muted(user: User) -> list[str]:
    user.refresh_from_db()
    return list(user.muted)


def test_one_click_ends_the_mails_of_that_category_and_no_others(
    mail_server: MailServer, clock: Clock, client: Client, settings: LazySettings
) -> None:
    person = world.work_to_review()
    mail_all(clock)
    (mail,) = mail_server.to(person)
    link = link_in(mail)
    assert link in text_of(mail)

    answer = client.post(path_of(link, settings), ONE_CLICK)

    assert answer.status_code == 200
    assert muted(person) == ["WORK"]
    assert person.notify == [MailCategory.MONEY, MailCategory.REMINDERS]


def test_looking_at_the_link_changes_nothing_and_shows_a_button_that_does(
    client: Client, settings: LazySettings
) -> None:
    person = a_user(locale="es")
    path = path_of(unsubscribing.link_for(person, MailCategory.MONEY), settings)

    pages = [client.get(path), client.head(path)]

    assert [page.status_code for page in pages] == [200, 200]
    shown = pages[0].content.decode()
    assert '<form method="post">' in shown and "dinero" in shown
    assert pages[0]["Referrer-Policy"] == "no-referrer"
    assert "no-store" in pages[0]["Cache-Control"]
    assert muted(person) == []
    assert "dinero" in client.post(path, ONE_CLICK).content.decode()
    assert muted(person) == ["MONEY"]


def test_using_it_again_changes_nothing_more(client: Client, settings: LazySettings) -> None:
    person = a_user(muted=["REMINDERS"])
    path = path_of(unsubscribing.link_for(person, MailCategory.WORK), settings)

    answers = [client.post(path, ONE_CLICK).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert muted(person) == ["WORK", "REMINDERS"]


def test_a_forged_link_is_refused(client: Client) -> None:
    person, other = a_user(), a_user("other")
    good = unsubscribing.link_for(person, MailCategory.WORK).rpartition("/")[2]
    content, _, signature = good.rpartition(":")
    of_the_other = unsubscribing.link_for(other, MailCategory.WORK).rpartition("/")[2]
    forged = [
        "x",
        f"{content}:{signature[:-1]}x",
        f"{of_the_other.rpartition(':')[0]}:{signature}",
        Signer(key="guessed", salt=unsubscribing._SALT).sign_object([person.pk.hex, "WORK"]),
        # Signed by us, for something else.
        Signer(salt="other").sign_object([person.pk.hex, "WORK"]),
    ]

    answers = [client.post(f"/{unsubscribing.PATH}{token}", ONE_CLICK) for token in forged]

    assert [answer.status_code for answer in answers] == [404] * len(forged)
    assert muted(person) == muted(other) == []


def test_a_link_of_somebody_who_is_gone_is_refused(client: Client, settings: LazySettings) -> None:
    person = a_user()
    path = path_of(unsubscribing.link_for(person, MailCategory.WORK), settings)
    person.delete()

    assert client.post(path, ONE_CLICK).status_code == 404


def test_two_links_at_once_are_both_heard() -> None:
    person = a_user()
    ready = threading.Barrier(3)

    def mute(category: MailCategory) -> None:
        try:
            ready.wait(30)
            unsubscribing.mute(person, category)
        finally:
            connection.close()

    threads = [threading.Thread(target=mute, args=(each,)) for each in MailCategory]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert muted(person) == ["WORK", "MONEY", "REMINDERS"]
