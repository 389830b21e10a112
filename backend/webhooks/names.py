"""What webhooks call events, and which of them an endpoint asks for.

An event of an object's own topic keeps its type: `payment.status`. The same fact in a person's
feed is another event, `user.payment.status`-like: everything that concerns them, whatever it is
about. Endpoints in the guide's format know two names of their own.
"""

import re
from collections.abc import Sequence

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from backend.errors import ValidationFailed
from backend.events.models import Event
from backend.payments.status import PaymentStatus

MOST_NAMES = 50
EVERYTHING = "*"
COMPLETED, FAILED = "payment.completed", "payment.failed"


class PayloadFormat(TextChoices):
    """How an endpoint wants to be told."""

    STANDARD = "STANDARD"
    GUIDE = "GUIDE"


NAMES: dict[PayloadFormat, tuple[str, ...]] = {
    PayloadFormat.STANDARD: (
        "payment.status",
        "funding.status",
        "job.status",
        "job.assurance",
        "job.extended",
        "job.edited",
        "user.job.status",
        "user.job.extended",
        "user.job.edited",
        "user.job.work_reminder",
        "user.job.expiry_reminder",
        "user.application.status",
        "user.submission.status",
        "user.submission.review_reminder",
        "user.submission.revision_reminder",
        "user.dispute.status",
        "user.funding.status",
        "user.funding.consent_reminder",
        "user.payment.status",
        "user.treasury.nearly_spent",
        "user.webhook.disabled",
        "user.account.unconfirmed",
    ),
    PayloadFormat.GUIDE: (COMPLETED, FAILED),
}
_ENDS: dict[str, str] = {
    PaymentStatus.COMPLETED: COMPLETED,
    PaymentStatus.FAILED: FAILED,
    PaymentStatus.REJECTED: FAILED,
    PaymentStatus.EXPIRED: FAILED,
    PaymentStatus.CANCELED: FAILED,
}
_PATTERN = re.compile(r"\*|[a-z_]+(\.[a-z_]+)*(\.\*)?", re.ASCII)


def kind_of(topic: str) -> str:
    """What a topic is about: payment, funding, job or user."""
    return topic.partition(":")[0]


def name_of(event: Event, payload_format: PayloadFormat) -> str | None:
    """What an endpoint of this format calls `event`; None: it is not told of it."""
    kind = kind_of(event.topic)
    if payload_format is PayloadFormat.GUIDE:
        return _ENDS.get(str(event.payload.get("status"))) if kind == "payment" else None
    return f"user.{event.type}" if kind == "user" else event.type


def wants(patterns: Sequence[str], name: str) -> bool:
    """Whether one of `patterns` is `name`, or ends in * and begins as `name` does."""
    return any(
        name.startswith(each[:-1]) if each.endswith(EVERYTHING) else name == each
        for each in patterns
    )


def check_patterns(patterns: Sequence[str], payload_format: PayloadFormat) -> list[str]:
    """The patterns, each once.

    Raises:
        ValidationFailed: there are none or too many, or one is the name of no event.
    """
    path = ("events",)
    unique = list(dict.fromkeys(patterns))
    if not 0 < len(unique) <= MOST_NAMES:
        raise ValidationFailed(_("Name 1 to {most} events."), path=path, most=MOST_NAMES)
    for each in unique:
        known = _PATTERN.fullmatch(each) and any(
            wants([each], name) for name in NAMES[payload_format]
        )
        if not known:
            raise ValidationFailed(
                _("There is no event {name}. There are: {known}."),
                path=path,
                name=each[:60],
                known=", ".join(NAMES[payload_format]),
            )
    return unique
