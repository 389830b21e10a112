"""Django's entry for files."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    """What people upload and other domains attach."""

    name = "backend.files"
    verbose_name = "Files"
