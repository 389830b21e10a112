"""Where traces go: OTLP over HTTP, as OpenTelemetry's own environment variables say."""

import atexit
import importlib.util
import logging
import os

from backend.telemetry import traces

log = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_started_in: int | None = None


def export_traces() -> None:
    """Begin to send traces, if an endpoint is set. Safe to repeat; to be called in each process.

    Spans are sent by a thread, which a fork does not copy: the children of a pool call this too.
    """
    global _started_in
    if not any(os.environ.get(name) for name in _ENDPOINTS) or _started_in == os.getpid():
        return
    if importlib.util.find_spec("opentelemetry.sdk") is None:
        log.error("There is an OTEL endpoint but no OpenTelemetry: install requirements/otel.lock.")
        return
    _started_in = os.getpid()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    os.environ.setdefault("OTEL_SERVICE_NAME", "faena")
    # Our own provider, not the global one: libraries that would trace themselves stay silent.
    provider = TracerProvider(resource=Resource.create(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    atexit.register(provider.shutdown)
    traces.start(provider.get_tracer("faena"))
