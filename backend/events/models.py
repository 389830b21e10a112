"""The outbox: what happened, written in the transaction that made it happen."""

import pgtrigger
from django.conf import settings
from django.db import models

from backend.ids import new_id


class Topic(models.Model):
    """One feed of events, the number of its newest one, and how far it has been relayed."""

    name = models.CharField(max_length=100, primary_key=True)
    last_seq = models.BigIntegerField(default=0)
    relayed_seq = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        indexes = [
            # As many rows as there are topics with news: what looks for those finds nothing else.
            models.Index(
                name="topic_not_relayed",
                fields=["name"],
                condition=models.Q(last_seq__gt=models.F("relayed_seq")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.last_seq}"


class Event(models.Model):
    """One thing that happened, for ever: rows are added, and deleted only by retention.

    `seq` has no gaps within a topic, and a later seq never becomes visible before an earlier
    one: the topic's row stays locked from emit() to the commit. Ids would not do for tailing,
    since they are drawn before the commit and can become visible out of order.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    topic = models.CharField(max_length=100)
    seq = models.BigIntegerField()
    type = models.CharField(max_length=60)
    # Accounts are closed, not deleted, while the record names them.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    subject_id = models.UUIDField(null=True)
    payload = models.JSONField(default=dict)
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["topic", "seq"], name="event_topic_seq"),
            models.CheckConstraint(condition=models.Q(seq__gt=0), name="event_seq_positive"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update),
            # Retention lifts this one, by name and only around its own statement.
            pgtrigger.Protect(name="keep", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.topic}#{self.seq} {self.type}"
