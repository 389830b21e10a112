from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """The books: what moved, between whom, and why."""

    name = "backend.ledger"
