"""Traces as a collector receives them: OTLP over HTTP, from a process of its own."""

import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from tests.telemetry.collector import Collector, collecting
from tools.world import bare_environment

ROOT = Path(__file__).parents[2]
PAYMENT = UUID("0197e6b2-5d1c-7b60-8a0e-2f2d3b1c4d5e")
LATER = """
from uuid import UUID
from backend.telemetry import traces
from backend.telemetry.exporting import export_traces
export_traces()
export_traces()
payment = UUID("0197e6b2-5d1c-7b60-8a0e-2f2d3b1c4d5e")
with traces.span("POST /graphql", kind="server", route="/graphql"):
    with traces.span("mutation fundJob"):
        traces.link_to(payment, payment_id=payment)
    print(*traces.current_ids())
with traces.story_of(payment, "advance Payment", payment_id=payment):
    with traces.span("create quote", kind="client", host="wallet.example"):
        pass
try:
    with traces.story_of(payment, "advance Payment"):
        raise ValueError("access_token=secret")
except ValueError:
    pass
"""
IMPORTED = """
import sys
sys.modules["opentelemetry"] = None  # as where it is not installed
import backend.asgi, celery_app
from backend.telemetry import traces
from backend.telemetry.exporting import export_traces
export_traces()
with traces.span("nothing"):
    assert traces.current_ids() is None
print([name for name in sys.modules if name.startswith("opentelemetry.")])
"""


def run(code: str, tmp_path: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**bare_environment(), "DEBUG": "1", "VAR_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Collector, str]:
    with collecting() as collector:
        said = run(
            LATER, tmp_path_factory.mktemp("traces"), OTEL_EXPORTER_OTLP_ENDPOINT=collector.url
        )
    return collector, said


def test_a_request_is_a_trace_that_points_to_the_payment_it_began(
    told: tuple[Collector, str],
) -> None:
    collector, said = told

    (request,), (mutation,) = collector.named("POST /graphql"), collector.named("mutation fundJob")

    assert mutation.parent_span_id == request.span_id
    assert said == f"{request.trace_id.hex()} {request.span_id.hex()}"
    assert [link.trace_id for link in mutation.links] == [PAYMENT.bytes]
    assert request.trace_id != PAYMENT.bytes


def test_all_steps_of_a_payment_are_one_trace(told: tuple[Collector, str]) -> None:
    collector, _ = told

    steps, (call,) = collector.named("advance Payment"), collector.named("create quote")

    assert len(steps) == 2
    assert {step.trace_id for step in [*steps, call]} == {PAYMENT.bytes}
    assert call.parent_span_id == steps[0].span_id
    assert {step.parent_span_id for step in steps} == {PAYMENT.bytes[8:]}


def test_a_step_that_failed_says_by_which_error_and_not_its_text(
    told: tuple[Collector, str],
) -> None:
    collector, _ = told

    failed = [span for span in collector.named("advance Payment") if span.status.code == 2]

    assert [span.status.message for span in failed] == ["ValueError"]
    assert "secret" not in str(collector.spans)


def test_without_an_endpoint_nothing_is_imported(tmp_path: Path) -> None:
    assert run(IMPORTED, tmp_path) == "[]"
