"""A whole job in a world where anything may fail: consent, work, payouts, refunds, renewals.

People act through the domains' own services, in an order that the seed decides; workers may die
at any point and wallets may lose any answer. At the end the wallets are asked who got what.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.test import RequestFactory, override_settings

from backend.accounts.models import User, WalletAddress
from backend.errors import FaenaError
from backend.funding import paying, returning
from backend.funding.models import Funding, Payable, Seller
from backend.funding.services import fund_job, pre_fund_job
from backend.funding.status import FundingMode
from backend.funding.treasury import authorize_treasury
from backend.ids import new_id
from backend.jobs import review, work
from backend.jobs.clock import pass_time
from backend.jobs.models import Application, Job, Submission
from backend.jobs.status import (
    ApplicationStatus,
    JobStatus,
    Pricing,
    ReviewDecision,
)
from backend.open_payments.types import Amount
from backend.payments import claims, links, vault, workflow
from backend.payments.models import Grant, HeldGrant, Payment
from backend.payments.status import (
    HELD_GRANT_OVER,
    HeldGrantStatus,
)
from sandbox_wallet.rates import DEFAULT_RATES
from tests.simulation import market_turns
from tests.simulation.market_verdict import ENDED, Audit, MarketVerdict
from tests.simulation.questions import MarketQuestions
from tests.simulation.simulator import AFTERMATH, BASE_URL, Simulation

RETURN = "http://127.0.0.1:8000/"
MAX_ROUNDS = 3000
# After so many rounds nothing more goes wrong, and everybody does what brings it to an end.
CALM_AFTER = 400


class Market(Simulation):
    """One job, its owner, its workers and a treasury, on one clock."""

    def __init__(
        self,
        *,
        seed: int = 0,
        temperament: str = "strict",
        mode: FundingMode = FundingMode.PREAPPROVED,
        workers: int = 2,
        pricing: Pricing = Pricing.FIXED_RECEIVE,
        payer_wallet: str = "alice",
        pooled: bool = False,
        reward: int | None = None,
        fee_bps: int = 0,
        fee_wallet: str = "platform",
        treasury_limits: tuple[int, ...] = (10_000_000,),
        pace: timedelta = timedelta(hours=2),
        options: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            temperament=temperament,
            seed=seed,
            options=options,
            funded=False,
            payer_wallet=payer_wallet,
        )
        self.mode, self.pooled = mode, pooled
        self.fee_bps, self.fee_wallet = fee_bps, fee_wallet
        self.treasury_limits = treasury_limits
        # So long people do nothing at most.
        self.pace = pace
        self.calm = False
        self.rates_move = self.wallets_change = False
        self.history: list[str] = []
        self._next_due: datetime | None = None
        self._stir()
        self._retire_earlier_worlds()
        self.operator = User.objects.create(
            email=f"{new_id()}@example.org", display_name="Op", is_staff=True, created_at=self.now
        )
        self.workers = [self._worker(number, pricing) for number in range(workers)]
        Job.objects.filter(id=self.job.id).update(
            workers_needed=workers,
            recruit_limit=max(workers, self.job.recruit_limit),
            pricing=pricing,
            status=JobStatus.SELECTING,
            reward_value=reward or self.job.reward_value,
        )
        self.job.refresh_from_db()
        self.applications = [self._apply(worker) for worker in self.workers]
        if fee_bps:
            self._open_fee_wallet()
        self._questions = MarketQuestions(self.job, self.payer, self.operator)

    @property
    def now(self) -> Any:
        return self.clock.now()

    # --- people ---------------------------------------------------------------------------------

    def _worker(self, number: int, pricing: Pricing) -> User:
        worker = User.objects.create(
            email=f"{new_id()}@example.org", display_name="Worker", created_at=self.now
        )
        names = ["shop", "pobre"] if pricing is Pricing.FIXED_RECEIVE else ["carmen", "bob"]
        WalletAddress.objects.create(
            owner=worker, is_default=True, **self._wallet(names[number % 2])
        )
        return worker

    def _apply(self, worker: User) -> Application:
        wallet = WalletAddress.objects.get(owner=worker)
        return Application.objects.create(
            job=self.job,
            applicant=worker,
            payout_wallet=wallet,
            payout_url=wallet.url,
            payout_asset_code=wallet.asset_code,
            payout_asset_scale=wallet.asset_scale,
            status=ApplicationStatus.SELECTED,
            created_at=self.now,
            updated_at=self.now,
        )

    def another_wallet(self, owner: User) -> WalletAddress:
        """Some wallet of theirs, with money in it, which they add if they have not."""
        wallet = self._wallet(self.rng.choice(["alice", "bob", "diego", "shop", "shop-mxn"]))
        row, _ = WalletAddress.objects.get_or_create(
            owner=owner, url=wallet["url"], defaults=wallet
        )
        return row

    def _retire_earlier_worlds(self) -> None:
        # Their wallets are gone with them.
        HeldGrant.objects.exclude(status__in=sorted(HELD_GRANT_OVER)).update(
            status=HeldGrantStatus.ENDED, due_at=None
        )

    def _open_fee_wallet(self) -> None:
        row = self._platform_wallet(self.fee_wallet)
        Seller.objects.update_or_create(
            slug="platform-fee-01",
            defaults={"wallet": row, "is_fee_wallet": True, "created_at": self.now},
        )

    def _platform_wallet(self, name: str) -> WalletAddress:
        wallet = self._wallet(name)
        row, _ = WalletAddress.objects.get_or_create(owner=None, url=wallet["url"], defaults=wallet)
        WalletAddress.objects.filter(id=row.id).update(checked_at=self.now)
        return row

    def takes_its_fee(self) -> override_settings:
        """The settings in which the platform takes what it takes in this world."""
        wallets = [f"{BASE_URL}/{self.fee_wallet}"] if self.fee_bps else []
        return override_settings(
            PLATFORM_FEE_BPS=self.fee_bps, PLATFORM_FEE_WALLET_ADDRESS_URLS=wallets
        )

    def open_treasury(self, *, limit: int = 10_000_000) -> None:
        """Have the operator consent to payments out of the treasury."""
        row = self._platform_wallet("treasury")
        Seller.objects.get_or_create(
            slug="treasury",
            defaults={"wallet": row, "is_treasury": True, "created_at": self.now},
        )
        held = HeldGrant.objects.filter(payer=self.operator, status=HeldGrantStatus.HELD)
        before = held.count()
        self.ask_the_operator(limit)
        self.settle_down(lambda: held.count() > before)

    def ask_the_operator(self, limit: int = 10_000_000) -> None:
        """Have the operator asked for a consent to the treasury, unless they are being asked."""
        asking = HeldGrant.objects.filter(
            payer=self.operator, status__in=["CREATED", "AWAITING_APPROVAL"]
        )
        if asking.exists():
            return
        authorize_treasury(
            user=self.operator,
            limit=Amount(value=limit, asset_code="USD", asset_scale=2),
            return_url=RETURN,
            idempotency_key=new_id(),
            now=self.now,
        )

    def treasury_is_open(self) -> bool:
        return HeldGrant.objects.filter(payer=self.operator, status=HeldGrantStatus.HELD).exists()

    def fund(self) -> None:
        """Put the whole budget there before anybody is looked at."""
        with self.takes_its_fee():
            fund_job(
                payer=self.payer,
                job_id=self.job.id,
                mode=self.mode,
                seller=None,
                payer_wallet_id=None,
                expected_total=None,
                return_url=RETURN,
                idempotency_key=new_id(),
                now=self.now,
            )

    def pre_fund(self, *, expected_total: Amount | None = None) -> None:
        """Secure the pay of those who are selected."""
        with self.takes_its_fee():
            pre_fund_job(
                payer=self.payer,
                job_id=self.job.id,
                mode=self.mode,
                expected_total=expected_total,
                return_url=RETURN,
                idempotency_key=new_id(),
                now=self.now,
            )

    def secure(self) -> None:
        """Secure the pay of those who are selected, in a treasury that is open, and begin work."""
        if self.mode is FundingMode.ESCROW and not self.treasury_is_open():
            self.open_treasury()
        self.pre_fund()
        assert self.settle_down(lambda: self.status() == JobStatus.SUBMITTING)

    def submit(self, worker: User) -> Submission:
        """Hand in the work of one worker."""
        draft = work.save_submission(
            user=worker, job_id=self.job.id, note=None, text="Done.", now=self.now
        )
        return work.submit_work(user=worker, submission_id=draft.id, now=self.now)

    def review(
        self, submission: Submission, decision: ReviewDecision, *, value: int | None = None
    ) -> None:
        """Decide about work as its owner; `value` is the accepted part."""
        review.review_submission(
            user=self.payer,
            submission_id=submission.id,
            decision=decision,
            amount=None if value is None else self.job.amount(value),
            comment="So be it.",
            idempotency_key=new_id(),
            now=self.now,
        )

    def accept_all(self) -> None:
        """Hand in the work of every worker and accept it as it is."""
        for worker in self.workers:
            self.review(self.submit(worker), ReviewDecision.ACCEPT)

    def renew(self, funding: Funding | None = None, *, wallet: WalletAddress | None = None) -> None:
        """Ask the payer for the consent again, or in `wallet`; None: for the newest funding's."""
        funding = funding or Funding.objects.filter(job=self.job).latest("created_at")
        returning.renew_grant(
            user=self.payer,
            funding_id=funding.id,
            payer_wallet_id=None if wallet is None else wallet.id,
            return_url=RETURN,
            idempotency_key=new_id(),
            now=self.now,
        )

    def decide_in_wallets(self) -> bool:
        """Let payers and operators decide what their wallets ask them; False: nothing was asked."""
        asked = self._questions.asked_in_wallets()
        for grant in Grant.objects.filter(id__in=asked).order_by("id") if asked else ():
            self._decide(grant)
        return bool(asked)

    def _decide(self, grant: Grant) -> None:
        redirect = grant.open_secrets().redirect
        decision = "accept" if self.approve or self.calm else "reject"
        try:
            answer = self._control("POST", "decide", {"redirect": redirect, "decision": decision})
        except AssertionError:
            return  # the wallet knows nothing of it any more: its time is over
        location = str(answer["location"])
        name, value = links.browser_cookie(grant.id)
        request = RequestFactory().get("/op/finish", dict(parse_qsl(urlsplit(location).query)))
        request.COOKIES[name] = value
        self._finish_now(request, urlsplit(location).path.rpartition("/")[2])

    # --- the machine ------------------------------------------------------------------------------

    def work(self) -> bool:
        """Let a worker take one thing that is due; False when nothing was."""
        something = self.dying_now_and_then(self._advance_something)
        if something:
            self._stir()
        return something

    def _advance_something(self) -> bool:
        now = self.clock.now()
        if self._questions.due(Payable, now):
            paying.retry_due(now=now)
        for grant_id in self._questions.due(HeldGrant, now):
            for grant in claims.claim_due(HeldGrant, now=now, limit=1, only=grant_id):
                vault.advance(grant, client=self.client, clock=self.clock, rng=self.rng)
                return True
        for payment_id in self._questions.due(Payment, now):
            for payment in claims.claim_due(Payment, now=now, limit=1, only=payment_id):
                workflow.advance(payment, client=self.client, clock=self.clock, rng=self.rng)
                return True
        return False

    def _advance_beside(self) -> None:
        self._advance_something()

    def settle_down(self, done: Callable[[], bool], *, rounds: int = 300) -> bool:
        """Let time pass until `done`; everybody decides what they are asked."""
        for _ in range(rounds):
            if done():
                return True
            self.decide_in_wallets()
            if not self.work():
                self.wait()
        return done()

    def wait(self) -> None:
        """Move the clock to the next thing that is due."""
        if self._something_may_be_due():
            self._next_due = self._questions.next_due()
            self._looks_at("due")
        soonest = self.clock.at + timedelta(milliseconds=100)
        a_while = self.clock.at + self.pace
        self.clock.at = max(soonest, min(self._next_due or a_while, a_while))

    def work_until(self, done: Callable[[], bool], *, rounds: int = 50) -> None:
        """Let the machine work, and nobody decide anything, until `done`."""
        for _ in range(rounds):
            if done():
                return
            if not self.work():
                self.wait()
        raise AssertionError("not done in time")

    def days_pass(self, days: int) -> None:
        """Let days go by, with everything that happens on them."""
        until = self.clock.at + timedelta(days=days)
        while self.clock.at < until:
            pass_time(now=self.now)
            if not self.work():
                self.wait()

    # --- a history --------------------------------------------------------------------------------

    def play(self, *, crash: Callable[[int], bool]) -> MarketVerdict:
        """Play random decisions and failures to the end, and ask the wallets what came of it."""
        if self.mode is FundingMode.ESCROW:
            for limit in self.treasury_limits:
                self.open_treasury(limit=limit)
        self.points.choose(crash)
        for rounds in range(1, MAX_ROUNDS + 1):
            if rounds == CALM_AFTER:
                self._calm_down()
            if self._looks_at("end") and self.is_over():
                break
            self._somebody_acts()
            if (not self.calm or self.rng.random() < 0.5) and self._looks_at("wallets"):
                self.decide_in_wallets()
            if not (self._something_may_be_due() and self.work()):
                self.wait()
        self.points.choose(lambda _: False)
        self.clock.at += AFTERMATH
        self._control("POST", "clock", {"advance_s": 0})
        return self.verdict(rounds)

    # Most rounds find everything as the round before left it. Asking the database again is half
    # of what a history costs.

    def _stir(self) -> None:
        """Something was done, so that everything has to be looked at again."""
        self._unseen = {"end", "wallets", "due"}

    def _looks_at(self, what: str) -> bool:
        is_new = what in self._unseen
        self._unseen.discard(what)
        return is_new

    def _something_may_be_due(self) -> bool:
        return "due" in self._unseen or self._next_due is None or self._next_due <= self.now

    def _calm_down(self) -> None:
        self.calm = True
        self.points.choose(lambda _: False)
        self._control("DELETE", "faults")
        self.set_rates("USD", "1")

    def set_rates(self, currency: str, worth: str) -> None:
        """Let every wallet say from now on that `currency` is worth so much of what it was."""
        changed = {
            pair: str(
                Fraction(rate)
                * (Fraction(worth) if pair.startswith(currency) else 1)
                / (Fraction(worth) if pair.endswith(currency) else 1)
            )
            for pair, rate in DEFAULT_RATES.items()
        }
        self.options(rates=changed)

    def is_over(self) -> bool:
        return self._questions.job_status() in ENDED and not self._questions.something_is_open()

    def _somebody_acts(self) -> None:
        if self.rng.random() > 0.35:
            return
        turns = market_turns.turns(self)
        (turn,) = self.rng.choices(list(turns), weights=list(turns.values()))
        try:
            turn(self)
        except FaenaError as refusal:
            self.history.append(f"{turn.__name__} refused: {refusal!r}")
        else:
            self.history.append(turn.__name__)
        # What wallets ask comes of what a worker does.
        self._unseen |= {"end", "due"}

    def status(self) -> JobStatus:
        """Where the job is."""
        return self._questions.job_status()

    def verdict(self, rounds: int = 0) -> MarketVerdict:
        """Compare our rows with what the wallets say."""
        return Audit(self).verdict(rounds)
