"""Django's entry for the GraphQL layer, the top of the house."""

from django.apps import AppConfig


class SchemaConfig(AppConfig):
    """The schema; it brings the checks of the settings along."""

    name = "backend.schema"

    def ready(self) -> None:
        """Register the system checks."""
        from backend import checks  # noqa: F401
