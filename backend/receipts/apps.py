from django.apps import AppConfig


class ReceiptsConfig(AppConfig):
    name = "backend.receipts"

    def ready(self) -> None:
        # They connect to payment_ended, and register with Django's checks.
        from backend.receipts import checks, issuing  # noqa: F401
