"""Django's entry for the jobs domain."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class JobsConfig(AppConfig):
    """Jobs and the applications to them."""

    name = "backend.jobs"

    def ready(self) -> None:
        from backend.jobs.words import teach_sqlite

        connection_created.connect(teach_sqlite)
