"""Where a delivery stands, why an endpoint is off, and what was wrong with an attempt."""

from django.db.models import TextChoices


class DeliveryStatus(TextChoices):
    """Where the bringing of one event to one endpoint stands."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    MISSED = "MISSED"  # given up, or the endpoint was off; a replay brings it


class DisabledBecause(TextChoices):
    """Why an endpoint is off."""

    OWNER = "OWNER"
    GONE = "GONE"
    FAILING = "FAILING"


class Flaw(TextChoices):
    """What was wrong with an attempt."""

    REFUSED = "REFUSED"  # an answer that is not 2xx
    TIMEOUT = "TIMEOUT"
    UNREACHABLE = "UNREACHABLE"
    FORBIDDEN = "FORBIDDEN"  # the URL leads where we do not go
    BAD_ANSWER = "BAD_ANSWER"
