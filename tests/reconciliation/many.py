"""Many payments whose rows, log, events and books are in order, written in bulk."""

from datetime import timedelta
from itertools import pairwise

from django.db import transaction

from backend.events.models import Event, Topic
from backend.funding.models import Funding, Seller
from backend.funding.status import FundingMode, FundingStatus
from backend.ids import new_id
from backend.ledger.bookings import book_direct_payment
from backend.payments.models import Attempt, Payment, PaymentTransition
from backend.payments.status import TERMINAL, PaymentPurpose
from backend.payments.status import PaymentStatus as P
from tests.jobs.people import NOON, a_job, a_person, a_wallet

AT_ONCE = 500
NEVER = NOON + timedelta(days=36500)
ASKED = (P.CREATED, P.AWAITING_APPROVAL)
WAYS = (
    *[(*ASKED, P.AUTHORIZED, P.QUOTED, P.SENDING, P.SENT, P.COMPLETED)] * 7,
    (*ASKED, P.AUTHORIZED, P.QUOTED, P.SENDING, P.UNKNOWN, P.SENT, P.COMPLETED),
    (*ASKED, P.REJECTED),
    (*ASKED, P.AUTHORIZED, P.QUOTED, P.SENDING, P.SENT),
)
FUNDED = {P.COMPLETED: FundingStatus.SETTLED, P.REJECTED: FundingStatus.REJECTED}


def make(number: int) -> None:
    """Make `number` payments to a seller, of which one in ten is still on its way."""
    payer = a_person(wallet=False)
    sender, receiver = a_wallet(payer), a_wallet(a_person("shop", wallet=False))
    seller = Seller.objects.create(slug="till", wallet=receiver, created_at=NOON)
    job = a_job(payer)
    for start in range(0, number, AT_ONCE):
        ways = [WAYS[each % len(WAYS)] for each in range(start, min(start + AT_ONCE, number))]
        fundings = [
            Funding(
                job=job if way[-1] in TERMINAL else a_job(payer),
                payer=payer,
                mode=FundingMode.DIRECT,
                status=FUNDED.get(way[-1], FundingStatus.AWAITING_APPROVAL),
                payer_wallet=sender,
                seller=seller,
                total_value=2500,
                released_value=2500 if way[-1] is P.COMPLETED else 0,
                asset_code="USD",
                asset_scale=2,
                created_at=NOON,
                updated_at=NOON,
            )
            for way in ways
        ]
        payments = [
            Payment(
                purpose=PaymentPurpose.FUND,
                status=way[-1],
                payer=payer,
                reference=funding.id,
                sender=sender,
                receiver=receiver,
                receive_value=2500,
                receive_asset_code="USD",
                receive_asset_scale=2,
                debit_value=2550,
                delivered_value=2500 if way[-1] is P.COMPLETED else 0,
                return_url="https://app.example/",
                deadline_at=NEVER,
                created_at=NOON,
                updated_at=NOON,
            )
            for way, funding in zip(ways, fundings, strict=True)
        ]
        Funding.objects.bulk_create(fundings)
        Payment.objects.bulk_create(payments)
        _write_what_happened(payments, ways)


def _write_what_happened(payments: list[Payment], ways: list[tuple[P, ...]]) -> None:
    attempts, log, topics, events = [], [], [], []
    for payment, way in zip(payments, ways, strict=True):
        topic = f"payment:{payment.id}"
        attempts.append(Attempt(payment=payment, number=1, started_at=NOON))
        topics.append(Topic(name=topic, last_seq=len(way)))
        for step, (old, new) in enumerate(pairwise(way)):
            at = NOON + timedelta(seconds=step)
            log.append(PaymentTransition(payment=payment, old=old, new=new, fence=step, at=at))
            events.append(
                Event(
                    id=new_id(),
                    topic=topic,
                    seq=step + 1,
                    type="payment.status",
                    payload={"status": str(new), "previous": str(old)},
                    subject_id=payment.id,
                    at=at,
                )
            )
    Attempt.objects.bulk_create(attempts)
    PaymentTransition.objects.bulk_create(log)
    Topic.objects.bulk_create(topics)
    Event.objects.bulk_create(events)
    with transaction.atomic():
        for payment in payments:
            book_direct_payment(payment, at=NOON)
