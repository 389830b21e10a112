"""The life of a held grant: a consent that several payments are made with, over days or months.

    CREATED            the limit is worked out from real quotes: nothing here can be spent
    AWAITING_APPROVAL  the payer decides in their wallet; then the grant is continued (consent.py)
    HELD               payments are made under it; its token is renewed when one needs it, and
                       every few days, because wallets forget tokens that nobody renews
    CLOSING            the last payments end; then the grant is revoked at the wallet
    ENDED …            over; its secrets are deleted

Only this run continues and rotates, so one writer holds the token. Payments read it (paying.py).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Any, ClassVar

from backend.accounts.models import WalletAddress
from backend.clock import Clock
from backend.open_payments import Client, Limits, OpenPaymentsError
from backend.open_payments.grants import outgoing_payment_access, repeating, single_window
from backend.open_payments.types import Access, Amount
from backend.payments import consent, errors
from backend.payments.driver import drive
from backend.payments.models import (
    Grant,
    HeldGrant,
    HeldGrantLine,
    HeldGrantTransition,
    Payment,
)
from backend.payments.outcomes import Outcome, outcome_of
from backend.payments.patience import PREPARE_FOR
from backend.payments.quoting import (
    CROSS_ASSET_BUFFER,
    LARGEST_VALUE,
    UNQUOTED_BUFFER,
    WALLET_FRESH_FOR,
    Price,
    price,
    refreshed,
)
from backend.payments.run import Run
from backend.payments.signals import held_grant_moved
from backend.payments.status import (
    HELD_GRANT_OVER,
    HELD_GRANT_TRANSITIONS,
    TERMINAL,
    GrantKind,
    GrantStatus,
    HeldGrantStatus,
)

log = logging.getLogger(__name__)

H = HeldGrantStatus

# Wallets purge tokens that were not renewed for weeks; see open-payments docs on dormant grants.
RENEW_EVERY = timedelta(days=6)
LOOK_AGAIN_SECONDS = 30
# So long a renewal waits for wallets that do not answer; its payer is waiting for the page.
WAIT_FOR_QUOTES = timedelta(minutes=2)
FOR_EVER = timedelta(days=36500)


class HeldGrantRun(Run[HeldGrant]):
    """One claim on one held grant. Not for sharing between threads."""

    TRANSITIONS: ClassVar[Mapping[Any, frozenset[Any]]] = HELD_GRANT_TRANSITIONS
    CREATED, AWAITING_APPROVAL, CONSENTED = H.CREATED, H.AWAITING_APPROVAL, H.HELD
    REJECTED, EXPIRED, FAILED = H.REJECTED, H.EXPIRED, H.FAILED
    NAMED = "held_grant"

    @property
    def status(self) -> HeldGrantStatus:
        return HeldGrantStatus(self.row.status)

    @property
    def may_have_sent(self) -> bool:
        # Payments are made under it: whatever a wallet says to a question, we ask again.
        return self.status in {H.HELD, H.CLOSING}

    @property
    def is_past_its_window(self) -> bool:
        ends_at: datetime | None = self.row.ends_at
        return ends_at is not None and ends_at <= self.now

    def access(self, limit: int) -> Access:
        """Consent to payments of at most `limit` together, within the window or per period."""
        row = self.row
        code, scale = row.sender.asset
        if row.period_days is not None:
            interval = repeating(start=row.starts_at, days=row.period_days)
        else:
            assert row.ends_at is not None
            interval = single_window(start=row.starts_at, days=(row.ends_at - row.starts_at).days)
        amount = Amount(value=limit, asset_code=code, asset_scale=scale)
        return outgoing_payment_access(
            identifier=row.sender.url, limits=Limits(debit_amount=amount, interval=interval)
        )

    @property
    def renews(self) -> bool:
        """Whether it is to take the place of an earlier consent to the same."""
        earlier = HeldGrant.objects.filter(reference=self.row.reference, id__lt=self.row.id)
        return earlier.exists()

    @property
    def may_leave_some_out(self) -> bool:
        """Whether one line may stay without a quote, so that what others are owed can be paid.

        Only where a consent is renewed for work that has begun: else all of it is secured, or none.
        """
        return self.renews and not self.row.all_or_nothing

    def has_open_payments(self) -> bool:
        return Payment.objects.filter(under=self.row).exclude(status__in=sorted(TERMINAL)).exists()

    def after_move(
        self, old: HeldGrantStatus, new: HeldGrantStatus, *, reason: str, at: datetime
    ) -> None:
        HeldGrantTransition.objects.create(
            held_grant=self.row, old=old, new=new, reason=reason, fence=self._fence, at=at
        )
        if new in HELD_GRANT_OVER:
            self.end_grants()
        held_grant_moved.send(sender=HeldGrant, held_grant=self.row, at=at)


def advance(held_grant: HeldGrant, *, client: Client, clock: Clock, rng: random.Random) -> None:
    """Take `held_grant`, which the caller has claimed, as far as it goes on its own.

    Safe to run again after any crash. Losing the claim ends the run silently: whoever has it now
    goes on from the rows.
    """
    drive(lambda: HeldGrantRun(held_grant, client=client, clock=clock, rng=rng), step=_step)


def _step(run: HeldGrantRun) -> bool:
    step = STEPS.get(run.status)
    if step is None:
        return False
    step(run)
    return True


# --- CREATED, AWAITING_APPROVAL: what the payer is asked for ------------------------------------


def work_out_limit(run: HeldGrantRun) -> None:
    """Quote each line, add what rates may move, and ask the payer. Every call may be repeated."""
    if run.ran_out_of_time():
        return run.fail(errors.WALLET_UNAVAILABLE)
    if run.row.limit_value is not None:
        return consent.ask(run, limit=run.row.limit_value)
    lines = list(run.row.lines.select_related("receiver").order_by("id"))
    for line in lines:
        if line.debit_value is None:
            return _quote_line(run, line)
    limit = sum(_with_buffer(run.sender, line) for line in lines)
    if limit == 0:
        return run.fail(errors.WALLET_UNAVAILABLE)
    if limit > LARGEST_VALUE:
        return run.fail(errors.WALLET_MISBEHAVED)
    return consent.ask(run, limit=limit, limit_value=limit)


def _quote_line(run: HeldGrantRun, line: HeldGrantLine) -> None:
    if not _is_as_it_was(run, run.sender):
        return run.fail(errors.WALLET_CHANGED)
    priced = None
    try:
        priced = _quoted(run, line)
    except OpenPaymentsError as error:
        if not _goes_on_without(run, error):
            raise
        log.warning("%s is asked for without a quote for %s: %s", run.row, line.receiver, error)
    if priced is None and not run.may_leave_some_out:
        return run.fail(errors.WALLET_CHANGED)
    with run.commit():
        line.debit_value = priced.debit_value if priced else _unquoted(run.sender, line)
        line.quoted_receive_value = priced.receive_value if priced else None
        line.save(update_fields=["debit_value", "quoted_receive_value"])


def _is_as_it_was(run: HeldGrantRun, wallet: WalletAddress) -> bool:
    if run.now - wallet.checked_at <= WALLET_FRESH_FOR:
        return True
    if not refreshed(run.ask, wallet, now=run.now):
        return False
    wallet.save(update_fields=["checked_at"])
    return True


def _quoted(run: HeldGrantRun, line: HeldGrantLine) -> Price | None:
    """What the sender's wallet says of the line; None: the receiver's wallet changed."""
    if not _is_as_it_was(run, line.receiver):
        return None
    return price(
        run.ask,
        sender=run.sender,
        receiver=line.receiver,
        receive_value=line.receive_value,
        send_value=line.send_value,
        now=run.now,
    )


def _goes_on_without(run: HeldGrantRun, error: OpenPaymentsError) -> bool:
    """Whether this line stays without a quote: its wallets had their time to answer."""
    may_still_answer = outcome_of(error, repeatable=True) is Outcome.TRY_LATER
    waited = run.now - run.row.created_at >= WAIT_FOR_QUOTES
    return run.may_leave_some_out and (waited or not may_still_answer)


def _unquoted(sender: WalletAddress, line: HeldGrantLine) -> int:
    """What to ask for instead: between assets nothing, because nobody knows how much it is."""
    if line.send_value is not None:
        return line.send_value
    assert line.receive_value is not None
    if sender.asset != line.receiver.asset:
        return 0
    return min(ceil(line.receive_value * (1 + UNQUOTED_BUFFER)), LARGEST_VALUE)


def _with_buffer(sender: WalletAddress, line: HeldGrantLine) -> int:
    """The most that this line may take: what was quoted, and more where a rate may move."""
    assert line.debit_value is not None
    if line.send_value is not None or sender.asset == line.receiver.asset:
        return line.debit_value
    return ceil(line.debit_value * (1 + CROSS_ASSET_BUFFER))


def await_approval(run: HeldGrantRun) -> None:
    """Wait for the payer's yes, and collect the token it gives."""
    return consent.await_approval(
        run,
        deadline_at=run.row.ends_at or run.now + FOR_EVER,
        on_loss=lambda grant: _ask_again(run, grant),
    )


def _ask_again(run: HeldGrantRun, grant: Grant) -> None:
    """The token is lost: ask the payer once more, a few times at most."""
    consent.give_back(run, grant)
    if not run.may_ask_the_payer_again():
        return run.fail(errors.CONSENT_LOST)
    with run.commit(H.CREATED, reason="grant lost", deadline_at=run.now + PREPARE_FOR):
        run.end_grant(grant, GrantStatus.LOST)


# --- HELD: keep the token alive -----------------------------------------------------------------


def keep(run: HeldGrantRun) -> None:
    """Renew the token for a payment that waits for it, or because it was long ago; else wait."""
    if run.is_past_its_window:
        return _expire(run)
    if _wants_a_token(run):
        return _renew(run)
    with run.commit(wait_until=_next_look(run)):
        return None


def _expire(run: HeldGrantRun) -> None:
    grant = run.grant(GrantKind.OUTGOING_PAYMENT)
    assert grant is not None
    with run.commit(H.EXPIRED, **errors.GRANT_OVER.fields()):
        run.end_grant(grant, GrantStatus.EXPIRED)


def _wants_a_token(run: HeldGrantRun) -> bool:
    if run.row.pending_call_id:
        return True
    grant = run.grant(GrantKind.OUTGOING_PAYMENT)
    assert grant is not None
    if run.now - (run.row.rotated_at or grant.created_at) >= RENEW_EVERY:
        return True
    return not run.token_lives(grant) and run.has_open_payments()


def _renew(run: HeldGrantRun) -> None:
    grant = run.grant(GrantKind.OUTGOING_PAYMENT)
    assert grant is not None
    return consent.rotate(run, grant, on_loss=lambda lost: _lose(run, lost), rotated_at=run.now)


def _lose(run: HeldGrantRun, grant: Grant) -> None:
    """Its token is gone: with an answer that never came, or because the payer took it back."""
    status, failure = H.REVOKED, errors.GRANT_REVOKED
    if grant.lost_answers:
        status, failure = H.LOST, errors.GRANT_LOST
        consent.give_back(run, grant)
    with run.commit(status, **failure.fields()):
        run.end_grant(grant, GrantStatus(str(status)))


def _next_look(run: HeldGrantRun) -> datetime:
    grant = run.grant(GrantKind.OUTGOING_PAYMENT)
    assert grant is not None
    renewal = (run.row.rotated_at or grant.created_at) + RENEW_EVERY
    # A look in the past would come at once, and again at once.
    soonest = run.now + timedelta(seconds=1)
    return max(soonest, min(renewal, run.row.ends_at or renewal))


# --- CLOSING: give the consent back -------------------------------------------------------------


def close(run: HeldGrantRun) -> None:
    """Let the last payments end, then revoke the grant at the wallet. Revoking may be repeated."""
    if run.is_past_its_window:
        return _end(run)
    grant = run.grant(GrantKind.OUTGOING_PAYMENT)
    if run.has_open_payments():
        assert grant is not None
        if run.row.pending_call_id or not run.token_lives(grant):
            return _renew(run)
        with run.commit(wait_seconds=LOOK_AGAIN_SECONDS):
            return None
    if grant is not None and grant.status != GrantStatus.REJECTED:
        consent.revoke(run, grant)
    return _end(run)


def _end(run: HeldGrantRun) -> None:
    with run.commit(H.ENDED):
        return None


STEPS = {
    H.CREATED: work_out_limit,
    H.AWAITING_APPROVAL: await_approval,
    H.HELD: keep,
    H.CLOSING: close,
}
