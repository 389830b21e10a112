"""Traces, if OTEL_EXPORTER_OTLP_ENDPOINT says where to send them; otherwise nothing is imported.

One payment is one story, over days and processes, without anything stored: the payment's id has
as many bits as a trace id, and is it. Every step of the payment is a span of that trace; the
request that began it is a trace of its own, with a link there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext, Tracer

Kind = Literal["internal", "server", "client"]


class Span(Protocol):
    """What we do with a span."""

    def set_attribute(self, key: str, value: Any) -> None: ...
    def update_name(self, name: str) -> None: ...


class _NoSpan:
    """What one gets while traces are off: as cheap as can be, and always the same object."""

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def set_attribute(self, key: str, value: Any) -> None:
        return None

    def update_name(self, name: str) -> None:
        return None


NO_SPAN = _NoSpan()
_tracer: Tracer | None = None


def start(tracer: Tracer) -> None:
    """Make spans with `tracer` from now on: see `exporting.py`."""
    global _tracer
    _tracer = tracer


def stop() -> None:
    global _tracer
    _tracer = None


def span(name: str, *, kind: Kind = "internal", **attributes: Any) -> AbstractContextManager[Span]:
    """A step of what is going on; what fails inside of it is noted by the class of the error."""
    if _tracer is None:
        return NO_SPAN
    return _recording(name, kind, attributes, None)


def story_of(id_: UUID, name: str, **attributes: Any) -> AbstractContextManager[Span]:
    """A step in the trace of a payment or a held grant, whatever else is going on here."""
    if _tracer is None:
        return NO_SPAN
    return _recording(name, "internal", attributes, _beginning_of(id_))


def link_to(id_: UUID, **attributes: Any) -> None:
    """Have the current span point to the trace of `id_`, which it began."""
    if _tracer is None:
        return
    from opentelemetry import trace

    current = trace.get_current_span()
    current.add_link(_beginning_of(id_))
    current.set_attributes(_plain(attributes))


def current_ids() -> tuple[str, str] | None:
    """The ids of the current trace and span, in hex; None outside of any."""
    if _tracer is None:
        return None
    from opentelemetry import trace

    current = trace.get_current_span().get_span_context()
    if not current.is_valid:
        return None
    return trace.format_trace_id(current.trace_id), trace.format_span_id(current.span_id)


@contextmanager
def _recording(
    name: str, kind: Kind, attributes: dict[str, Any], parent: SpanContext | None
) -> Iterator[Span]:
    from opentelemetry import trace

    assert _tracer is not None
    around = trace.set_span_in_context(trace.NonRecordingSpan(parent)) if parent else None
    with _tracer.start_as_current_span(
        name,
        context=around,
        kind=trace.SpanKind[kind.upper()],
        attributes=_plain(attributes),
        # Its text may hold what a wallet or a person sent; its class says enough here.
        record_exception=False,
        set_status_on_exception=False,
    ) as recording:
        try:
            yield recording
        except Exception as error:
            recording.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def _beginning_of(id_: UUID) -> SpanContext:
    """The span that all steps of a payment are children of. Nobody sends it: it has no length."""
    from opentelemetry.trace import SpanContext, TraceFlags

    # The low half of a UUIDv7 is random.
    return SpanContext(
        trace_id=id_.int,
        span_id=id_.int & (2**64 - 1),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        f"faena.{name}": str(value) if isinstance(value, UUID) else value
        for name, value in attributes.items()
    }
