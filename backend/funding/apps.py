from django.apps import AppConfig


class FundingConfig(AppConfig):
    name = "backend.funding"

    def ready(self) -> None:
        from backend.accounts.personal import register

        # They connect to payment_ended, and register with the pump.
        from backend.funding import listeners, tasks  # noqa: F401
        from backend.funding.personal_data import FundingData

        register(FundingData())
