"""Django's entry for accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, their bearer tokens and their wallets."""

    name = "backend.accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from backend.accounts.personal import register
        from backend.accounts.personal_data import AccountData

        register(AccountData())
