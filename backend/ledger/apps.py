from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """The books: what moved, between whom, and why."""

    name = "backend.ledger"

    def ready(self) -> None:
        from backend.accounts.personal import register
        from backend.ledger.personal_data import LedgerData

        register(LedgerData())
