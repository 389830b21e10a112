from django.apps import AppConfig


class GuideConfig(AppConfig):
    name = "backend.guide"

    def ready(self) -> None:
        from backend.accounts.personal import register
        from backend.guide.names import name_for_webhooks
        from backend.guide.personal_data import OfferData
        from backend.webhooks import bodies

        register(OfferData())
        bodies.name_by(name_for_webhooks)
