"""What securing the pay of a job would cost, asked of the wallets themselves, before any consent.

Real quotes, one for each selected worker, which leave nothing behind that could be spent.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import NamedTuple, TypeVar
from uuid import UUID

import httpx
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from backend import rate_limits
from backend.accounts.errors import WalletUnusable
from backend.accounts.models import User, WalletAddress
from backend.accounts.suspending import refuse_suspended
from backend.accounts.wallets import own_wallet
from backend.connections import let_go
from backend.errors import Forbidden, NotFound, ValidationFailed
from backend.funding.allocating import uncovered
from backend.funding.fees import fee_on, terms_of, with_fee
from backend.funding.models import Seller
from backend.funding.securing import Ask, check_assets
from backend.funding.services import holder_of, seller_named
from backend.funding.status import FundingMode
from backend.jobs.errors import NoSelectedWorkers
from backend.jobs.models import Job
from backend.jobs.queries import jobs_visible_to
from backend.jobs.status import Pricing
from backend.open_payments import Client, OpenPaymentsError, Operation
from backend.open_payments.types import Amount
from backend.payments.quoting import CROSS_ASSET_BUFFER, Price, price
from backend.payments.wallets import wallet_client

T = TypeVar("T")
# A quote takes five calls to two wallets; whoever asks is waiting, and holds a thread.
MOST_QUOTES = 10
ALL_QUOTES_WITHIN_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewLine:
    """What one payee gets and what that takes; `payee` None is a seller or the platform.

    `is_fee`: it is the platform's fee.
    `cost` is what wallets keep, in one asset; between two it is hidden in `implied_rate`: how much
    of the receiver's whole unit one whole unit of the sender's makes.
    """

    payee: User | None
    receive: Amount
    debit: Amount
    cost: Amount | None
    implied_rate: Fraction | None
    is_fee: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """`total` is in the job's asset, `max_debit` what the payer would consent to, in theirs.

    `fee` is the platform's part of `total`.
    """

    lines: Sequence[PreviewLine]
    total: Amount
    fee: Amount
    debit: Amount
    max_debit: Amount
    quotes_expire_at: datetime | None


def preview_funding(
    *,
    user: User,
    job_id: UUID,
    mode: FundingMode,
    seller: str | None = None,
    payer_wallet_id: UUID | None = None,
    client: Client | None = None,
    within_seconds: float = ALL_QUOTES_WITHIN_SECONDS,
    now: datetime,
) -> Preview:
    """Quote what is missing for the selected workers, or in mode DIRECT the whole budget.

    In mode PREAPPROVED the platform's fee is one more payment, in mode ESCROW a part of the one.
    `client` None is the platform's own; no call lasts beyond `within_seconds`. Changes nothing;
    may be repeated.

    Raises:
        NotFound, Forbidden: there is no such job for `user`, or it is somebody else's.
        NoSelectedWorkers: nobody is selected, or all of them are secured.
        ValidationFailed: more workers than can be quoted while somebody waits.
        ModeUnavailable, SellerNotFound, WalletRequired, AssetMismatch: as `fund_job`.
        WalletUnusable: a wallet did not answer in time, or would not quote.
        WalletHostSuspended: an operator has suspended the provider of one of the wallets.
        RateLimited: too many previews by this user.
    """
    job = jobs_visible_to(user).filter(id=job_id).first()
    if job is None:
        raise NotFound(_("There is no such job."), path=("jobId",))
    if job.owner_id != user.pk:
        raise Forbidden(_("Only the owner of the job can do this."), path=("jobId",))
    ask = _ask(user, job, mode, seller=seller, wallet_id=payer_wallet_id, now=now)
    check_assets(ask, mode)
    rate_limits.hit("wallets", str(user.pk))
    pays = _payments(ask, mode)
    refuse_suspended([ask.wallet, *(each.receiver for each in pays)])
    let_go()
    prices = _Prices(client or wallet_client(), ask.wallet, now, within_seconds)
    lines = [_line(ask, prices, each) for each in pays]
    buffered = [_with_buffer(ask, mode, line) for line in lines]
    ends = [each.expires_at for each in prices.known.values() if each.expires_at]
    return Preview(
        lines=lines,
        total=ask.total,
        fee=job.amount(ask.fee_value),
        debit=_in(ask.wallet, sum(line.debit.value for line in lines)),
        max_debit=_in(ask.wallet, sum(buffered)),
        quotes_expire_at=min(ends, default=None),
    )


def _ask(
    user: User,
    job: Job,
    mode: FundingMode,
    *,
    seller: str | None,
    wallet_id: UUID | None,
    now: datetime,
) -> Ask:
    direct = mode is FundingMode.DIRECT
    workers = [] if direct else uncovered(job)
    if not direct and not workers:
        raise NoSelectedWorkers
    if len(workers) > MOST_QUOTES:
        raise ValidationFailed(
            _("At most {most} workers can be quoted at once."), path=("jobId",), most=MOST_QUOTES
        )
    value = job.total_budget.value if direct else sum(value for _application, value in workers)
    terms = terms_of(job, mode)
    return Ask(
        job=job,
        payer=user,
        wallet=own_wallet(
            user=user,
            wallet_id=wallet_id,
            path="payerWalletId",
            to_do=_("Add the wallet address you pay from, with addWallet."),
        ),
        total=with_fee(job, value, terms),
        fee_value=fee_on(value, terms.bps),
        terms=terms,
        seller=seller_named(seller) if direct else holder_of(mode),
        workers=workers,
        return_url="",
        now=now,
    )


class _Payment(NamedTuple):
    """Who would be paid how much from the payer's wallet, and whether that is what is sent."""

    payee: User | None
    receiver: WalletAddress
    value: int
    sends: bool
    is_fee: bool = False


def _payments(ask: Ask, mode: FundingMode) -> list[_Payment]:
    if mode is not FundingMode.PREAPPROVED:
        assert isinstance(ask.seller, Seller)
        return [_Payment(None, ask.seller.wallet, ask.total.value, sends=False)]
    sends = ask.job.pricing == Pricing.FIXED_SEND
    found = [
        _Payment(application.applicant, application.payout_wallet, value, sends)
        for application, value in ask.workers
    ]
    if ask.fee_value and ask.terms.wallet:
        found.append(_Payment(None, ask.terms.wallet, ask.fee_value, sends, is_fee=True))
    return found


class _Prices:
    """Each different payment is quoted once: two wallets of one bank and asset cost the same."""

    def __init__(
        self, client: Client, sender: WalletAddress, now: datetime, within_seconds: float
    ) -> None:
        self._client, self._sender, self._now = client, sender, now
        self._until = time.monotonic() + within_seconds
        self.known: dict[tuple[object, ...], Price] = {}

    def of(self, receiver: WalletAddress, value: int, *, sends: bool) -> Price:
        key = (receiver.resource_server, receiver.asset, value, sends)
        if key not in self.known:
            self.known[key] = self._quote(receiver, value, sends=sends)
        return self.known[key]

    def _quote(self, receiver: WalletAddress, value: int, *, sends: bool) -> Price:
        try:
            return price(
                self._exchange,
                sender=self._sender,
                receiver=receiver,
                receive_value=None if sends else value,
                send_value=value if sends else None,
                now=self._now,
            )
        except (OpenPaymentsError, httpx.HTTPError):
            raise WalletUnusable from None

    def _exchange(self, operation: Operation[T]) -> T:
        left = self._until - time.monotonic()
        if left <= 0:
            raise WalletUnusable
        within = min(left, settings.WALLET_BUDGET_S)
        return operation.parse(self._client.exchange(operation, within_seconds=within))


def _line(ask: Ask, prices: _Prices, payment: _Payment) -> PreviewLine:
    receiver = payment.receiver
    quoted = prices.of(receiver, payment.value, sends=payment.sends)
    same = receiver.asset == ask.wallet.asset
    cost = max(0, quoted.debit_value - quoted.receive_value)
    received = Fraction(quoted.receive_value, 10**receiver.asset_scale)
    sent = Fraction(quoted.debit_value, 10**ask.wallet.asset_scale)
    return PreviewLine(
        payee=payment.payee,
        receive=_in(receiver, quoted.receive_value),
        debit=_in(ask.wallet, quoted.debit_value),
        cost=_in(ask.wallet, cost) if same else None,
        implied_rate=None if same or not sent else received / sent,
        is_fee=payment.is_fee,
    )


def _with_buffer(ask: Ask, mode: FundingMode, line: PreviewLine) -> int:
    same = line.receive.same_asset(line.debit)
    exact = mode is FundingMode.PREAPPROVED and ask.job.pricing == Pricing.FIXED_SEND
    return line.debit.value if same or exact else ceil(line.debit.value * (1 + CROSS_ASSET_BUFFER))


def _in(wallet: WalletAddress, value: int) -> Amount:
    return Amount(value=value, asset_code=wallet.asset_code, asset_scale=wallet.asset_scale)
