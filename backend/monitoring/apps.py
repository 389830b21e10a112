from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "backend.monitoring"
    verbose_name = "Monitoring"

    def ready(self) -> None:
        # It hears of hosts that are left alone, and answers who scrapes one machine of several.
        from backend.health import PROBES
        from backend.monitoring import views
        from backend.outbound import gates
        from backend.telemetry import metrics

        gates.LISTENERS.append(metrics.breaker_changed)
        PROBES["/metrics"] = views.metrics
