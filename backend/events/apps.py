from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "backend.events"
    verbose_name = "Events"

    def ready(self) -> None:
        from backend.accounts.personal import register
        from backend.accounts.signals import tokens_revoked
        from backend.events import tasks  # noqa: F401  registers with the pump
        from backend.events.hub import wake_session
        from backend.events.personal_data import FeedData

        register(FeedData())
        tokens_revoked.connect(wake_session, dispatch_uid="events")
