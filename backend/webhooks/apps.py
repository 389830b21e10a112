from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "backend.webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        from backend.accounts.personal import register

        # It registers with the pump, with the relay, and with Django's checks.
        from backend.webhooks import checks, lining_up, tasks  # noqa: F401
        from backend.webhooks.personal_data import WebhookData

        register(WebhookData())
