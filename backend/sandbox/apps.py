"""Django's entry for the sandbox world."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """Fills a developer's world; in production it refuses."""

    name = "backend.sandbox"
