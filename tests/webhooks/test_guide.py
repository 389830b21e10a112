"""The guide's own Django handler, as it stands there, takes our events unchanged."""

import json
import logging
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from django.conf import LazySettings
from django.http import HttpRequest, JsonResponse
from django.test import RequestFactory
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from backend.events.relay import relay
from backend.ids import global_id
from backend.payments.models import Payment
from backend.payments.status import PaymentPurpose, PaymentStatus
from backend.webhooks import bodies
from backend.webhooks.bodies import GuideNames
from backend.webhooks.names import PayloadFormat
from tests.simulation.simulator import BASE_URL, Simulation
from tests.webhooks.world import Clock, Receiver, Request, Worker, an_endpoint, deliveries

pytestmark = pytest.mark.django_db(transaction=True)
logger = logging.getLogger(__name__)


class Job:
    """What the guide's handler uses of its model."""

    rows: ClassVar[dict[str, Any]] = {}

    class DoesNotExist(Exception):
        pass

    class objects:
        @staticmethod
        def get(pk: str) -> Any:
            if pk not in Job.rows:
                raise Job.DoesNotExist
            return Job.rows[pk]


# --- from the guide, line by line: the webhook view and its two handlers --------------------------


@csrf_exempt
@require_POST
def payment_webhook(request: HttpRequest) -> JsonResponse:
    try:
        data = json.loads(request.body)
        event_type = data.get("type")
        if event_type == "payment.completed":
            handle_payment_completed(data)
        elif event_type == "payment.failed":
            handle_payment_failed(data)
        else:
            logger.warning("Unknown webhook event type: %s", event_type)
        return JsonResponse({"ok": True})
    except Exception as e:
        return JsonResponse({"error": str(e)}, status=500)


def handle_payment_completed(data: Any) -> None:
    offer_id = data.get("offerId")
    outgoing_payment_id = data.get("outgoingPaymentId")
    try:
        job = Job.objects.get(pk=offer_id)
        job.is_funded = True
        job.payment_id = outgoing_payment_id
        if job.status == "recruiting":
            job.status = "selecting"
        job.saved = True
    except Job.DoesNotExist:
        logger.error("Job %s not found", offer_id)


def handle_payment_failed(data: Any) -> None:
    logger.warning("Payment failed for job %s, %s", data.get("offerId"), data.get("pendingId"))


# --- our side ------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


def handled(request: Request) -> tuple[int, dict[str, str]]:
    """As the guide's server answers."""
    posted = RequestFactory().post(
        "/api/webhooks/payments", data=request.body, content_type=request.headers["content-type"]
    )
    return payment_webhook(posted).status_code, {}


@pytest.fixture
def shop(receiver: Receiver) -> Simulation:
    """A payer with an endpoint in the guide's format, and a job of theirs in the guide's system."""
    simulation = Simulation(temperament="strict")
    an_endpoint(simulation.payer, receiver.url, payload_format=PayloadFormat.GUIDE)
    receiver.answer = handled
    Job.rows = {
        global_id("Job", simulation.job.id): SimpleNamespace(
            is_funded=False, payment_id=None, status="recruiting", saved=False
        )
    }
    return simulation


def test_a_completed_payment_funds_the_guides_job(
    shop: Simulation, receiver: Receiver, worker: Worker
) -> None:
    shop.run()

    worker.work()

    (job,) = Job.rows.values()
    payment = shop.payment_now()
    outgoing = payment.attempts.get(number=1).outgoing_payment_url
    assert (job.is_funded, job.status, job.payment_id) == (True, "selecting", outgoing)
    (request,) = receiver.got
    assert request.json.pop("timestamp").endswith("Z")
    assert {key: value for key, value in request.json.items() if key != "timestamp"} == {
        "type": "payment.completed",
        "offerId": global_id("Job", shop.job.id),
        "pendingId": str(payment.id),
        "outgoingPaymentId": outgoing,
        "status": "paid",
    }


def test_a_payment_that_failed_is_told_as_failed(
    shop: Simulation, receiver: Receiver, worker: Worker
) -> None:
    shop.approve = False
    shop.run()

    worker.work()

    assert shop.payment_now().status == PaymentStatus.REJECTED
    (request,) = receiver.got
    assert (request.json["type"], request.json["status"]) == ("payment.failed", "failed")
    assert request.json["outgoingPaymentId"] is None


@pytest.mark.parametrize("purpose", [PaymentPurpose.PAYOUT, PaymentPurpose.REFUND])
def test_what_funds_no_job_is_not_told(
    shop: Simulation, receiver: Receiver, worker: Worker, purpose: PaymentPurpose
) -> None:
    shop.run()
    Payment.objects.update(purpose=purpose)

    worker.work()

    assert receiver.got == []


def test_jobs_and_payments_are_called_as_the_guides_adapter_knows_them(
    shop: Simulation, receiver: Receiver, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "_names_it", [])
    bodies.name_by(lambda payment, job_id: None)
    bodies.name_by(lambda payment, job_id: GuideNames(offer_id="123", pending_id="01J"))
    shop.run()

    worker.work()

    (request,) = receiver.got
    assert (request.json["offerId"], request.json["pendingId"]) == ("123", "01J")


def test_a_standard_endpoint_hears_why_a_payment_failed(
    receiver: Receiver, worker: Worker, clock: Clock
) -> None:
    simulation = Simulation(temperament="strict")
    endpoint = an_endpoint(simulation.payer, receiver.url, events=("payment.status",)).endpoint
    simulation.approve = False
    simulation.run()
    relay(now=clock.at)

    worker.work()

    statuses = [request.json["data"]["status"] for request in receiver.got]
    assert statuses == ["CREATED", "AWAITING_APPROVAL", "REJECTED"]
    assert len(deliveries(endpoint)) == len(statuses)
    payment = simulation.payment_now()
    last = receiver.got[-1].json["data"]
    assert last["subjectId"] == global_id("Payment", payment.id)
    assert last["failure"] == {
        "code": "GRANT_REJECTED",
        "message": payment.failure_message,
        "retryable": payment.failure_retryable,
    }
