from django.apps import AppConfig


class FundingConfig(AppConfig):
    name = "backend.funding"

    def ready(self) -> None:
        from backend.accounts.personal import register
        from backend.funding import listeners  # noqa: F401  connects to payment_ended
        from backend.funding.personal_data import FundingData

        register(FundingData())
