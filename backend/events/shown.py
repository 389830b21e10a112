"""What clients are shown of an event, the same by GraphQL and by webhooks.

Keys become global ids, which `node` takes.
"""

from typing import Any
from uuid import UUID

from backend.events.models import Event
from backend.ids import global_id

# The GraphQL type behind the first word of an event's type, and behind a key of its payload.
SUBJECTS = {
    "job": "Job",
    "application": "Application",
    "submission": "Submission",
    "dispute": "Dispute",
    "funding": "Funding",
    "payment": "Payment",
    "webhook": "WebhookEndpoint",
}


def subject_id_of(event: Event) -> str | None:
    """The global id of what it happened to; None where that has none."""
    name = SUBJECTS.get(event.type.partition(".")[0])
    if name is None or event.subject_id is None:
        return None
    return global_id(name, event.subject_id)


def data_of(event: Event) -> dict[str, Any]:
    """Its payload, with global ids in the place of keys."""
    return {
        key: global_id(SUBJECTS[key], UUID(value)) if key in SUBJECTS and value else value
        for key, value in event.payload.items()
    }
