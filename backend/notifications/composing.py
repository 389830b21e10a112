"""What a mail says, in the language of its reader."""

from datetime import UTC, datetime
from urllib.parse import quote

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import formats, translation
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import MailCategory, User
from backend.events.models import Event
from backend.ids import global_id
from backend.locales import language_for
from backend.money import number_of
from backend.notifications import confirming, unsubscribing
from backend.notifications.kinds import Kind
from backend.notifications.models import Mail
from backend.notifications.subjects import Values
from backend.open_payments.types import Amount

CATEGORIES = {
    MailCategory.WORK: _("applications, work and disputes"),
    MailCategory.MONEY: _("money"),
    MailCategory.REMINDERS: _("reminders"),
}
LONGEST_NAME = 80


def language_of(user: User) -> str:
    """In which language `user` is written to: there is no request that could ask for one."""
    return language_for(profile=user.locale, accept_language="")


def compose(mail: Mail, kind: Kind, event: Event, values: Values) -> EmailMessage:
    """The message, the same one whenever it is made of the same values."""
    user = mail.recipient
    with translation.override(language_of(user)):
        said = {name: _written(value) for name, value in values.items()}
        subject = str(kind.subject).format(**said)
        body = str(kind.body).format(**said)
        if kind.category is None:
            text = f"{body}\n\n{confirming.link_for(user)}\n"
        else:
            text = _letter(user, kind.category, body=body, link=_link(event))
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    return EmailMessage(
        subject=subject,
        body=text,
        to=[user.email],
        headers={
            # The same when it is sent twice, so that mail programs can show one.
            "Message-ID": f"<{mail.id}@{host}>",
            **_unsubscribing(user, kind.category),
            # RFC 3834: answers that go out by themselves should not be given.
            "Auto-Submitted": "auto-generated",
        },
    )


def _letter(user: User, category: MailCategory, *, body: str, link: str) -> str:
    return render_to_string(
        "notifications/mail.txt",
        {
            "name": _one_line(user.display_name),
            "body": body,
            "link": link,
            "category": CATEGORIES[category],
            "unsubscribe": unsubscribing.link_for(user, category),
        },
    )


def _unsubscribing(user: User, category: MailCategory | None) -> dict[str, str]:
    if category is None:
        return {}
    return {
        "List-Unsubscribe": f"<{unsubscribing.link_for(user, category)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _link(event: Event) -> str:
    job = event.payload.get("job")
    if not job or not settings.NOTIFICATION_JOB_URL:
        return ""
    id = quote(global_id("Job", job), safe="")
    return str(settings.NOTIFICATION_JOB_URL.replace("{job}", id))


def _written(value: str | Amount | datetime | None) -> str:
    match value:
        case Amount():
            number = number_of(value.value, value.asset_scale)
            return f"{number} {_one_line(value.asset_code)}"
        case datetime():
            return f"{formats.date_format(value.astimezone(UTC), 'DATETIME_FORMAT')} UTC"
    return _one_line(value or "")


def _one_line(text: str) -> str:
    """What people wrote, in one line and not too long: nobody writes a mail through a title."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}…"
