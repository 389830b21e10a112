"""One row for each thing that runs for ever, or again and again."""

from django.db import models


class Heartbeat(models.Model):
    """When `name` was last seen at work, or at its end, by the clock of the machine it ran on."""

    name = models.CharField(primary_key=True, max_length=40)
    at = models.DateTimeField()
    # The last time that it was not at work for long: its last beat before, and the first after.
    stood_still_from = models.DateTimeField(null=True)
    stood_still_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"
