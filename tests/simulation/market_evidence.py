"""Who got what by which right, beside the sums: the wallets' movements against each row.

The verdict's sums could not tell a worker's pay from another worker's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, Sum

from backend.accounts.models import WalletAddress
from backend.funding.models import Allocation, Funding, Payable
from backend.funding.status import FundingMode
from backend.ledger.kinds import AccountKind
from backend.ledger.models import Account
from backend.payments.models import Attempt, Payment
from backend.payments.status import GrantScope, PaymentPurpose, PaymentStatus
from backend.receipts.keys import published_keys
from backend.receipts.models import Receipt
from backend.receipts.verifying import NotGenuine
from backend.receipts.verifying import verify as verify_receipt
from tests.simulation.simulator import SIGNS

if TYPE_CHECKING:
    from tests.simulation.market import Market

Movement = dict[str, Any]
DELIVERED, HELD = "deliver", "hold"


class Evidence:
    """What the wallets of one market, whose time is over, have moved for which of its payments."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._fundings = list(Funding.objects.filter(job=market.job).order_by("id"))
        self._payables = {
            each.id: each
            for each in Payable.objects.filter(funding__in=self._fundings).select_related(
                "funding__seller", "allocation__application__applicant"
            )
        }
        references = [*(each.id for each in self._fundings), *self._payables]
        payments = Payment.objects.filter(reference__in=references).order_by("id")
        self._payments = list(
            payments.select_related("payer", "sender__owner", "receiver__owner", "under")
        )
        self._payment_at: dict[str, UUID] = {}
        self._two_for_one: list[str] = []
        for attempt in Attempt.objects.filter(payment__in=self._payments):
            url, payment_id = attempt.incoming_payment_url, attempt.payment_id
            if url and self._payment_at.setdefault(url, payment_id) != payment_id:
                self._two_for_one.append(url)
        self._movements = [each for each in market.movements() if each["outgoing"]]
        self._moves: dict[UUID | None, list[Movement]] = defaultdict(list)
        for move in self._movements:
            self._moves[self._payment_at.get(move["receiver"])].append(move)

    def problems(self) -> Iterator[str]:
        """Whatever reached, left or was promised to somebody else than the rows say."""
        yield from self._strange_movements()
        yield from self._strange_payments()
        for payment in self._payments:
            yield from self._ways(payment)
            yield from self._right(payment)
        yield from self._people()
        yield from self._promises()
        yield from self._receipts()

    # --- movements and whose they are -------------------------------------------------------------

    def _delivered(self, payment: Payment) -> int:
        moved = self._moves[payment.id]
        return sum(int(each["value"]) for each in moved if each["kind"] == DELIVERED)

    def _debited(self, payment: Payment) -> int:
        moved = self._moves[payment.id]
        return sum(SIGNS.get(each["kind"], 0) * int(each["value"]) for each in moved)

    def _strange_movements(self) -> Iterator[str]:
        """Wallets move nothing for us but what is for one of our payments, and for one only."""
        for url in self._two_for_one:
            yield f"two payments are for {url}"
        for move in self._moves[None]:
            yield f"{move['kind']} of {move['value']} for none of our payments"

    def _strange_payments(self) -> Iterator[str]:
        known = [each.id for each in self._payments]
        for payment in Payment.objects.filter(payer=self._market.payer).exclude(id__in=known):
            yield f"{payment} is for nothing that we know"

    def _ways(self, payment: Payment) -> Iterator[str]:
        """Money left the sender of the row and reached its receiver, in its asset."""
        sender, receiver = _account(payment.sender), _account(payment.receiver)
        for move in self._moves[payment.id]:
            if move["kind"] == DELIVERED and move["to"] != receiver:
                yield f"{payment} reached {move['to']}, not {receiver}"
            if move["kind"] == HELD and move["from"] != sender:
                yield f"{payment} left {move['from']}, not {sender}"
            asset = f"{payment.receive_asset_code}/{payment.receive_asset_scale}"
            if move["kind"] == DELIVERED and move["asset"] != asset:
                yield f"{payment} arrived in {move['asset']}, not {asset}"

    def _right(self, payment: Payment) -> Iterator[str]:
        """Whoever it came from owes it, and whoever it was for is owed it."""
        payer = self._market.payer
        if payment.purpose == PaymentPurpose.FUND:
            funding = next(each for each in self._fundings if each.id == payment.reference)
            assert funding.seller is not None
            if payment.sender_id != funding.payer_wallet_id or payment.sender.owner != payer:
                yield f"{payment} is from {payment.sender.url}"
            if payment.receiver_id != funding.seller.wallet_id:
                yield f"{payment} is for {payment.receiver.url}"
            return
        payable = self._payables[payment.reference]
        funding, under = payable.funding, payment.under
        if payment.purpose != payable.purpose or under is None:
            yield f"{payment} is for {payable} under {under}"
            return
        if payment.sender_id != under.sender_id:
            yield f"{payment} is from {payment.sender.url}, which is not {under}'s"
        if funding.mode == FundingMode.ESCROW:
            assert funding.seller is not None
            if under.scope != GrantScope.TREASURY or under.sender_id != funding.seller.wallet_id:
                yield f"{payment} is under {under}, and not the treasury's"
        elif under.reference != funding.id or payment.sender.owner != payer:
            yield f"{payment} is under {under}, which is not for {funding}"
        yield from self._right_receiver(payment, payable)

    def _right_receiver(self, payment: Payment, payable: Payable) -> Iterator[str]:
        if payable.allocation is not None:
            worker = payable.allocation.application.applicant
            if payment.receiver.owner != worker:
                yield f"{payment} is for a wallet of {payment.receiver.owner}, not {worker}"
        elif payment.purpose == PaymentPurpose.REFUND:
            came_from = Payment.objects.get(
                reference=payable.funding_id, purpose=PaymentPurpose.FUND, delivered_value__gt=0
            )
            # Or into another wallet of theirs, where an operator had it paid there.
            elsewhere = self._market.wallets_change and payment.receiver.owner == self._market.payer
            if payment.receiver_id != came_from.sender_id and not elsewhere:
                yield f"{payment} goes back to {payment.receiver.url}"
        elif payment.receiver_id != payable.funding.fee_wallet_id:
            yield f"{payment} is a fee for {payment.receiver.url}"

    # --- the books and the receipts ---------------------------------------------------------------

    def _people(self) -> Iterator[str]:
        """Each person's own accounts say what their wallets do."""
        wallets: Counter[tuple[UUID, str, str]] = Counter()
        slack: Counter[tuple[UUID, str, str]] = Counter()
        payer = self._market.payer.pk
        for payment in self._payments:
            asset = f"{payment.receive_asset_code}/{payment.receive_asset_scale}"
            arrived = self._delivered(payment)
            if payment.purpose == PaymentPurpose.PAYOUT:
                assert payment.receiver.owner_id is not None
                wallets[payment.receiver.owner_id, AccountKind.PAYEE, asset] += arrived
            elif payment.purpose == PaymentPurpose.REFUND:
                wallets[payer, AccountKind.PAYER, asset] += arrived
            if payment.sender.owner_id == payer:
                sent = f"{payment.sender.asset_code}/{payment.sender.asset_scale}"
                wallets[payer, AccountKind.PAYER, sent] -= self._debited(payment)
                if payment.status != PaymentStatus.COMPLETED and arrived:
                    slack[payer, AccountKind.PAYER, sent] += 2
        owners = [payer, *(worker.pk for worker in self._market.workers)]
        booked: Counter[tuple[UUID, str, str]] = Counter()
        for account in Account.objects.filter(
            owner__in=owners, kind__in=[AccountKind.PAYER, AccountKind.PAYEE]
        ):
            assert account.owner is not None
            asset = f"{account.asset_code}/{account.asset_scale}"
            booked[account.owner, account.kind, asset] += account.balance
        for key in {*wallets, *booked}:
            if abs(wallets[key] - booked[key]) > slack[key]:
                yield f"{key[1:]}: wallets say {wallets[key]}, the books {booked[key]}"

    def _promises(self) -> Iterator[str]:
        """To the unit: what is promised to each worker is what their allocations say."""
        for worker in self._market.workers:
            rows = Allocation.objects.filter(
                funding__in=self._fundings, application__applicant=worker
            )
            open_now = rows.aggregate(
                sum=Sum(F("amount_value") - F("returned_value") - F("released_value"))
            )["sum"]
            booked = Account.objects.filter(
                owner=worker.pk, kind=AccountKind.PROMISES_RECEIVED
            ).aggregate(sum=Sum("balance"))["sum"]
            if (open_now or 0) != (booked or 0):
                yield f"{open_now} is promised to {worker}, {booked} by the books"

    def _receipts(self) -> Iterator[str]:
        """Each completed payment has one true receipt, and no other has any."""
        receipts = {
            each.payment_id: each for each in Receipt.objects.filter(payment__in=self._payments)
        }
        for payment in self._payments:
            receipt = receipts.get(payment.id)
            if (receipt is not None) != (payment.status == PaymentStatus.COMPLETED):
                yield f"{payment} has {receipt}"
            if receipt is not None:
                yield from self._receipt(payment, receipt)

    def _receipt(self, payment: Payment, receipt: Receipt) -> Iterator[str]:
        try:
            says = verify_receipt(receipt.jws, keys=published_keys(), issuer=settings.PUBLIC_URL)
        except NotGenuine as flaw:
            yield f"{receipt}: {flaw}"
            return
        of = says["payment"]
        to = [each for each in self._moves[payment.id] if each["kind"] == DELIVERED]
        arrived_at = {each["receiver"] for each in to}
        if {of["incomingPayment"]} != arrived_at:
            yield f"{payment} arrived at {arrived_at}, it says {of['incomingPayment']}"
        if int(of["deliveredAmount"]["value"]) != self._delivered(payment):
            yield f"{payment}: {of['deliveredAmount']} of {self._delivered(payment)}"
        if of["debitAmount"] is None or int(of["debitAmount"]["value"]) != self._debited(payment):
            yield f"{payment}: {of['debitAmount']} of {self._debited(payment)}"
        if of["outgoingPayment"] not in {None, *(each["outgoing"] for each in to)}:
            yield f"{payment}: {of['outgoingPayment']} delivered nothing"
        if of["quote"] not in {each["quote"] for each in to}:
            yield f"{payment}: {of['quote']} delivered nothing"
        from_ = {each["from"] for each in self._moves[payment.id] if each["kind"] == HELD}
        if _account_at(says["payer"]["walletAddress"]) not in from_:
            yield f"{payment}: paid by {from_}"
        if {_account_at(says["payee"]["walletAddress"])} != {each["to"] for each in to}:
            yield f"{payment}: says {says['payee']}"


def _account(wallet: WalletAddress) -> str:
    return _account_at(wallet.url)


def _account_at(url: str) -> str:
    return f"user:{url.rpartition('/')[2]}"
