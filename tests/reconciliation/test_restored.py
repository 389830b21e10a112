"""A database that lacks its last commits: reconciliation names what was paid meanwhile.

docs/backups.md has operators do that before a worker runs: what was begun after the backup is known
to nobody else. What the database still owes is looked up by the workers themselves.
"""

import pytest
from django.db import transaction

from backend.funding.models import Payable
from backend.funding.status import FundingMode, PayableStatus
from backend.jobs.status import ReviewDecision
from backend.payments.models import Discrepancy, Payment
from backend.payments.status import PaymentPurpose
from backend.reconciliation.findings import Kind
from tests.reconciliation.conftest import open_kinds, run
from tests.simulation.market import Market

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_a_payout_that_the_backup_lacks_is_named_with_its_order(mode: FundingMode) -> None:
    market = Market(mode=mode, workers=1)
    market.secure()
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT, value=500)
    with transaction.atomic():
        market.settle_down(lambda: not _owed())
        paid = Payment.objects.get(purpose=PaymentPurpose.PAYOUT)
        ordered = paid.attempts.get().outgoing_payment_url
        # The database forgets all of it; the wallets do not.
        transaction.set_rollback(True)

    run(market)

    assert _owed(), "the database knows nothing of it"
    assert open_kinds() == [Kind.UNKNOWN_OUTGOING]
    assert ordered in str(Discrepancy.objects.get().evidence)


def _owed() -> bool:
    return Payable.objects.exclude(status=PayableStatus.PAID).exists()
