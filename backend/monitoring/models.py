"""What monitoring itself writes down."""

from django.db import models


class Heartbeat(models.Model):
    """When whatever keeps payments going was last seen at work; one row a name."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"
