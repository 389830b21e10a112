from django.apps import AppConfig


class GuideConfig(AppConfig):
    name = "backend.guide"

    def ready(self) -> None:
        from backend.guide.names import name_for_webhooks
        from backend.webhooks import bodies

        bodies.name_by(name_for_webhooks)
