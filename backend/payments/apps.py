from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "backend.payments"

    def ready(self) -> None:
        from backend.accounts.personal import register
        from backend.payments.personal_data import PaymentData

        register(PaymentData())
