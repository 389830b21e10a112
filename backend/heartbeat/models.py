"""One row for each thing that runs for ever."""

from django.db import models


class Heartbeat(models.Model):
    """When `name` was last seen at work, by the clock of the machine it ran on."""

    name = models.CharField(primary_key=True, max_length=40)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"
