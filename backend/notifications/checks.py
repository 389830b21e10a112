"""A server that mails nobody says so, and one that would mail nonsense does not start."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from backend.checks import TAG


@register(TAG, Tags.security)
def check_mail(app_configs: Sequence[AppConfig] | None, **_: Any) -> Iterable[CheckMessage]:
    """Report mails without a sender or that only a log would read, and links that lead nowhere."""
    del app_configs
    if settings.SENDS_MAIL and "@" not in settings.DEFAULT_FROM_EMAIL:
        yield Error(
            "EMAIL_URL without DEFAULT_FROM_EMAIL: mails would have no sender.",
            hint="Set it to an address your server sends for, such as Faena <pay@example.org>.",
            id="faena.E050",
        )
    if settings.EMAIL_URL == "console:" and not settings.DEBUG:
        yield Error(
            "EMAIL_URL is console: people's mails would be in the log, and nowhere else.",
            hint="Name a mail server, or leave EMAIL_URL empty to mail nobody.",
            id="faena.E051",
        )
    url = settings.NOTIFICATION_JOB_URL
    if url and not (
        url.startswith(("https://", "http://") if settings.DEBUG else "https://")
        and url.count("{job}") == 1
    ):
        yield Error(
            "NOTIFICATION_JOB_URL is not the address of a job's page.",
            hint="Write an https address with {job} for its id, such as https://app.example/j/{job}.",
            id="faena.E052",
        )


@register(Tags.security, deploy=True)
def check_somebody_is_mailed(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> Iterable[CheckMessage]:
    """Say, at `check --deploy`, that nobody is mailed."""
    del app_configs
    if not settings.SENDS_MAIL:
        yield Warning(
            "Without EMAIL_URL nobody is mailed about their work and their money.",
            hint="Set EMAIL_URL and DEFAULT_FROM_EMAIL, or silence this where apps tell people.",
            id="faena.W050",
        )
