"""Django's entry for the jobs domain."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Jobs and the applications to them."""

    name = "backend.jobs"
