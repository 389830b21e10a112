"""Where a mail stands, and why one was not sent."""

from django.db.models import TextChoices


class MailStatus(TextChoices):
    """Where the sending of one mail stands; all but the first are final."""

    PENDING = "PENDING"
    SENT = "SENT"  # the mail server took it
    FAILED = "FAILED"  # given up
    SKIPPED = "SKIPPED"  # there was no need to send it


class SkippedBecause(TextChoices):
    """Why a mail was not sent."""

    UNWANTED = "UNWANTED"  # its reader wants none of its category, or has closed their account
    UNCONFIRMED = "UNCONFIRMED"  # nobody has said that the address is theirs
    DEALT_WITH = "DEALT_WITH"  # what it would have told is over
    LATE = "LATE"
    ENOUGH = "ENOUGH"  # its reader was mailed the same within a day, or many others
