"""What a payment that failed tells people to do."""

import pytest
from django.conf import LazySettings

from backend.errors import ErrorCode
from backend.jobs.status import ReviewDecision
from backend.payments import errors
from backend.payments.models import Payment
from backend.payments.status import PaymentStatus
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


@pytest.mark.parametrize(
    ("act", "code", "to_do"),
    [
        ("insufficient_funds", ErrorCode.INSUFFICIENT_FUNDS, "retryPayment"),
        ("stay_funding", ErrorCode.NOT_DELIVERED, "Ask both"),
    ],
)
def test_nobody_is_told_to_fund_again_what_workers_are_owed(
    act: str, code: ErrorCode, to_do: str
) -> None:
    market = Market(workers=1)
    market.secure()
    market.fault(call="create-outgoing-payment", act=act)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    payouts = Payment.objects.filter(purpose="PAYOUT")

    market.settle_down(lambda: payouts.filter(status=PaymentStatus.FAILED).exists())

    payment = payouts.get(status=PaymentStatus.FAILED)
    assert payment.failure_code == code
    assert "und again" not in payment.failure_sentence()
    assert to_do in payment.failure_sentence()


# These end a payment only before its payer has consented to it.
BEFORE_CONSENT = [errors.CONSENT_EXPIRED, errors.CONSENT_LOST, errors.CONSENT_REJECTED]
FAILURES = [each for each in vars(errors).values() if isinstance(each, errors.Failure)]


@pytest.mark.parametrize("failure", [each for each in FAILURES if each not in BEFORE_CONSENT])
def test_each_failure_of_what_is_owed_has_words_that_fit(failure: errors.Failure) -> None:
    sentence = failure.fields(owed=True)["failure_message"]

    assert "und again" not in sentence
    assert len(sentence) <= 500
