from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "backend.monitoring"
    verbose_name = "Monitoring"

    def ready(self) -> None:
        # It hears of hosts that are left alone.
        from backend.outbound import gates
        from backend.telemetry import metrics

        gates.LISTENERS.append(metrics.breaker_changed)
