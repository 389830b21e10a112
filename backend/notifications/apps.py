from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "backend.notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        from backend.accounts.personal import register

        # It registers with the pump, with the relay, with Django's checks, and listens to sign-ups.
        from backend.notifications import checks, confirming, lining_up, tasks  # noqa: F401
        from backend.notifications.personal_data import MailData

        register(MailData())
