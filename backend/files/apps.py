"""Django's entry for files."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    """What people upload and other domains attach."""

    name = "backend.files"
    verbose_name = "Files"

    def ready(self) -> None:
        from backend.accounts.personal import register
        from backend.files.personal_data import FileData

        register(FileData())
