"""The words of this domain: what a job and its parts can be."""

from enum import StrEnum


class JobStatus(StrEnum):
    """Where a job is in its life; the last three are final."""

    DRAFT = "DRAFT"
    RECRUITING = "RECRUITING"
    SELECTING = "SELECTING"
    SUBMITTING = "SUBMITTING"
    REVIEWING = "REVIEWING"
    COMPLETE = "COMPLETE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


class ApplicationStatus(StrEnum):
    """What became of an application."""

    PENDING = "PENDING"
    SELECTED = "SELECTED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class SubmissionStatus(StrEnum):
    """What became of one revision of a worker's work."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    DISPUTED = "DISPUTED"


class DisputeStatus(StrEnum):
    """Where a dispute stands; the last two are final."""

    OPEN = "OPEN"
    RESPONDED = "RESPONDED"
    ESCALATED = "ESCALATED"
    RESOLVED = "RESOLVED"
    WITHDRAWN = "WITHDRAWN"


class ReviewDecision(StrEnum):
    """What an owner says to submitted work."""

    ACCEPT = "ACCEPT"
    REQUEST_CHANGES = "REQUEST_CHANGES"
    REJECT = "REJECT"


class Pricing(StrEnum):
    """Whose side is exact when two assets meet: what workers receive, or what the owner sends."""

    FIXED_RECEIVE = "FIXED_RECEIVE"
    FIXED_SEND = "FIXED_SEND"


class DeliverableType(StrEnum):
    """What a worker hands in."""

    TEXT = "TEXT"
    IMAGE = "IMAGE"
    AUDIO = "AUDIO"
    VIDEO = "VIDEO"
    FILE = "FILE"
    LINK = "LINK"
