"""`manage.py listen`: every event to a URL on one's own machine, without an endpoint for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import httpx
from django.core.exceptions import ObjectDoesNotExist

from backend.events import queries
from backend.events.models import Event, Topic
from backend.webhooks import bodies, signatures
from backend.webhooks.names import PayloadFormat, name_of, wants
from backend.webhooks.sending import Answer, post


@dataclass(frozen=True, slots=True)
class Forwarded:
    """An event that was sent on, and what came of it; None: it did not leave us."""

    event: Event
    name: str
    answer: Answer | None


@dataclass
class Listener:
    """Sends on what happens from its making on. It tries once: this is for developing."""

    url: str
    secret: str
    events: Sequence[str]
    payload_format: PayloadFormat
    client: httpx.Client
    _seen: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = dict(Topic.objects.values_list("name", "last_seq"))

    def round(self, *, now: datetime) -> list[Forwarded]:
        """Send on what has happened since the last round, each topic in its order."""
        forwarded = []
        for topic, last in Topic.objects.order_by("name").values_list("name", "last_seq"):
            while self._seen.get(topic, 0) < last:
                page = queries.page_after(topic=topic, seq=self._seen.get(topic, 0))
                self._seen[topic] = page[-1].seq if page else last
                forwarded += [done for event in page if (done := self._forward(event, now))]
        return forwarded

    def _forward(self, event: Event, now: datetime) -> Forwarded | None:
        name = name_of(event, self.payload_format)
        if name is None or not wants(self.events, name):
            return None
        try:
            body = bodies.compose(event, name=name, payload_format=self.payload_format)
        except ObjectDoesNotExist:
            return None  # in the guide's format, a payment that funds no job
        answer = post(
            self.client,
            url=self.url,
            id=str(event.id),
            body=body,
            keys=[signatures.key_of(self.secret)],
            at=now,
        )
        return Forwarded(event, name, answer)
