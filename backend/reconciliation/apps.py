from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    name = "backend.reconciliation"

    def ready(self) -> None:
        # It registers with the pump.
        from backend.reconciliation import tasks  # noqa: F401
