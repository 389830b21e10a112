"""Django's entry for the jobs domain."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class JobsConfig(AppConfig):
    """Jobs, the applications to them, and the work that comes of them."""

    name = "backend.jobs"

    def ready(self) -> None:
        from backend.accounts.personal import register
        from backend.files.queries import register_visibility
        from backend.jobs.personal_data import DataOfJobs
        from backend.jobs.queries import is_file_of_visible_job
        from backend.jobs.words import teach_sqlite

        register(DataOfJobs())
        connection_created.connect(teach_sqlite)
        register_visibility(is_file_of_visible_job)
