"""Settings of mails: which servers a URL stands for, and what does not start."""

import pytest
from django.conf import LazySettings
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from backend import env
from backend.notifications.checks import check_mail, check_somebody_is_mailed


def ids(found: object) -> list[str | None]:
    assert isinstance(found, list)
    return [each.id for each in found if isinstance(each, CheckMessage)]


@pytest.mark.parametrize(
    ("url", "host", "port", "starts_tls", "is_tls"),
    [
        ("smtp://mail.example", "mail.example", 25, False, False),
        ("smtp+tls://mail.example", "mail.example", 587, True, False),
        ("smtps://mail.example", "mail.example", 465, False, True),
        ("smtp://mail.example:1025", "mail.example", 1025, False, False),
    ],
)
def test_a_url_names_a_mail_server(
    url: str, host: str, port: int, starts_tls: bool, is_tls: bool
) -> None:
    server = env.mail_server("EMAIL_URL", url)

    assert (server.host, server.port, server.starts_tls, server.is_tls) == (
        *(host, port),
        *(starts_tls, is_tls),
    )


def test_user_and_password_may_have_any_characters() -> None:
    server = env.mail_server("EMAIL_URL", "smtps://a%40b.example:p%2Fw%3A@mail.example")

    assert (server.user, server.password) == ("a@b.example", "p/w:")


@pytest.mark.parametrize("url", ["http://mail.example", "mail.example", "smtp://", "smtp://x:y"])
def test_another_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        env.mail_server("EMAIL_URL", url)

    assert url not in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, []),
        ({"DEFAULT_FROM_EMAIL": ""}, ["faena.E050"]),
        ({"EMAIL_URL": "", "SENDS_MAIL": False, "DEFAULT_FROM_EMAIL": ""}, []),
        ({"EMAIL_URL": "console:"}, ["faena.E051"]),
        ({"EMAIL_URL": "console:", "DEBUG": True}, []),
        ({"NOTIFICATION_JOB_URL": "https://app.example/j/{job}"}, []),
        ({"NOTIFICATION_JOB_URL": "https://app.example/"}, ["faena.E052"]),
        ({"NOTIFICATION_JOB_URL": "http://app.example/{job}"}, ["faena.E052"]),
    ],
)
def test_what_would_mail_nonsense_does_not_start(
    changes: dict[str, object], wrong: list[str], settings: LazySettings
) -> None:
    sound = {
        "DEBUG": False,
        "EMAIL_URL": "smtps://mail.example",
        "SENDS_MAIL": True,
        "DEFAULT_FROM_EMAIL": "Faena <pay@faena.example>",
        "NOTIFICATION_JOB_URL": "",
    }
    for name, value in {**sound, **changes}.items():
        setattr(settings, name, value)

    assert ids(list(check_mail(None))) == wrong


@pytest.mark.parametrize(("sends", "says"), [(True, []), (False, ["faena.W050"])])
def test_a_server_that_mails_nobody_says_so(
    sends: bool, says: list[str], settings: LazySettings
) -> None:
    settings.SENDS_MAIL = sends

    assert ids(list(check_somebody_is_mailed(None))) == says
