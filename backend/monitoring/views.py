"""GET /metrics."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from backend.clock import SYSTEM_CLOCK
from backend.monitoring.state import StateCollector
from backend.telemetry.serving import counted, may_read

_state = CollectorRegistry()
_state.register(StateCollector(SYSTEM_CLOCK))


@never_cache
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers of this process and the state of the installation, as Prometheus reads them.

    For who has METRICS_TOKEN, and for everybody while DEBUG is on and there is none; for others
    there is no such page.
    """
    if not may_read(request.headers.get("authorization")):
        raise Http404
    shown = generate_latest(counted()) + generate_latest(_state)
    return HttpResponse(shown, content_type=CONTENT_TYPE_LATEST)
