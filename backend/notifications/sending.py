"""Sending one claimed mail, and what follows from what the mail server says."""

import logging
import smtplib
from datetime import datetime, timedelta
from string import Formatter

from django.db.models import Model, Q

from backend.accounts.models import MailCategory, User
from backend.clock import Clock
from backend.events.models import Event
from backend.funding.models import Funding
from backend.notifications import claims
from backend.notifications.composing import compose
from backend.notifications.kinds import BY_NAME, KINDS, Kind
from backend.notifications.models import Mail
from backend.notifications.status import MailStatus, SkippedBecause
from backend.notifications.subjects import Values, is_stuck, still_so, subject_of

log = logging.getLogger(__name__)

# After the first refusal, the second, and so on: ten hours and a half in all.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360))
TOO_LATE = timedelta(days=1)
# What anybody can bring about by choosing and choosing again is mailed so often to one person, and
# what else there is the app tells. Money is told always.
DAY = timedelta(days=1)
MOST_A_DAY = 50
_CAPPED = [kind.name for kind in KINDS if kind.category is not MailCategory.MONEY]
_FOR_EVER = 500  # SMTP's answers from here on say that trying again is of no use


def send(mail: Mail, *, clock: Clock) -> None:
    """Send a claimed mail if it is still of use, and record what came of it."""
    now = clock.now()
    kind = BY_NAME.get(mail.kind)
    event = Event.objects.filter(id=mail.event_id).first()
    if now - mail.event_at > TOO_LATE or event is None or kind is None:
        return claims.end(mail, MailStatus.SKIPPED, at=now, because=SkippedBecause.LATE)
    if (because := _not_to_be_mailed(mail.recipient, kind)) is not None:
        return claims.end(mail, MailStatus.SKIPPED, at=now, because=because)
    values = _what_to_say(mail, kind, event)
    if values is None:
        return claims.end(mail, MailStatus.SKIPPED, at=now, because=SkippedBecause.DEALT_WITH)
    if _is_enough(mail, now):
        return claims.end(mail, MailStatus.SKIPPED, at=now, because=SkippedBecause.ENOUGH)
    message = compose(mail, kind, event, values)
    # Whoever slept past their lease leaves it to the one who has it now.
    if not claims.mine(mail).exists():
        return None
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        _refused(mail, clock, for_ever=all(code >= _FOR_EVER for code in codes), error=error)
    except (smtplib.SMTPException, OSError) as error:
        _refused(mail, clock, for_ever=False, error=error)
    else:
        claims.end(mail, MailStatus.SENT, at=clock.now())
    return None


def _not_to_be_mailed(reader: User, kind: Kind) -> SkippedBecause | None:
    if not reader.is_active:
        return SkippedBecause.UNWANTED
    if kind.category is None:
        return None
    if reader.email_unconfirmed_since is not None:
        return SkippedBecause.UNCONFIRMED
    return None if kind.category in reader.notify else SkippedBecause.UNWANTED


def _what_to_say(mail: Mail, kind: Kind, event: Event) -> Values | None:
    """The values for the mail's sentences; None when it has nothing to say any more."""
    subject = subject_of(event.type)
    row = subject.model._default_manager.filter(pk=mail.subject_id).first()
    if row is None or not _is_wanted(kind, event, row):
        return None
    values = subject.values(row, event)
    sentences = f"{kind.subject}{kind.body}"
    told = {name for _, name, _, _ in Formatter().parse(sentences) if name}
    # A deadline that is not there any more was met, or is of no matter now.
    return None if any(values[name] is None for name in told) else values


def _is_wanted(kind: Kind, event: Event, row: Model) -> bool:
    if not kind.while_stuck:
        return still_so(row, event)
    assert isinstance(row, Funding)
    return is_stuck(row)


def _is_enough(mail: Mail, now: datetime) -> bool:
    """Whether its reader was mailed the same today, is about to be, or has had many mails."""
    to_them = Mail.objects.filter(recipient=mail.recipient_id)
    sent_today = Q(status=MailStatus.SENT, ended_at__gt=now - DAY)
    # Of two in the hands of two senders the older one is sent.
    before_it = Q(status=MailStatus.PENDING, id__lt=mail.id)
    same = to_them.filter(sent_today | before_it, kind=mail.kind, subject_id=mail.subject_id)
    if same.exists():
        return True
    capped = to_them.filter(sent_today, kind__in=_CAPPED)
    return mail.kind in _CAPPED and capped.count() >= MOST_A_DAY


def _refused(mail: Mail, clock: Clock, *, for_ever: bool, error: Exception) -> None:
    # The answer of the server has the address in it, which is nothing for a log.
    if for_ever or mail.refusals >= len(PAUSES):
        log.error("%s is given up: %s", mail, type(error).__name__)
        claims.end(mail, MailStatus.FAILED, at=clock.now())
        return
    log.warning("%s was not taken: %s", mail, type(error).__name__)
    pause = PAUSES[mail.refusals]
    claims.put_back(mail, due_at=clock.now() + pause, refusals=mail.refusals + 1)
