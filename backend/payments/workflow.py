"""The life of a payment, top to bottom.

    CREATED            receiver, quote and consent are prepared: nothing here can be spent
    AWAITING_APPROVAL  the payer decides in their wallet; then the grant is continued (consent.py)
    AUTHORIZED         a receiver and a fresh quote inside the granted limit; payments under a
                       held grant (vault.py) begin here
    QUOTED, SENDING    the one call that moves money; its intent is committed first
    UNKNOWN            its answer was lost: find the payment, or prove that it can never happen
    SENT               the receiver's wallet is read until it shows the money
    COMPLETED …        over

After a restored backup or a standstill, wallets are asked first what they know (lookup.py).
One step is one commit, and one request to a wallet or a few, with the token they need. A step
leaves `due_at` in the past to go on at once, or sets it to wait; `advance` runs steps until one
waits or the row has had its turn.
All that a step needs is in the rows, so a crash anywhere is followed by the same step again. The
calls that must not be repeated go through `Run.ask_once`; proofs.py is what happens when their
answer is lost.
"""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil

from backend.accounts.models import WalletAddress
from backend.clock import Clock
from backend.open_payments import Client, OpenPaymentsError, Operation, Quote, operations
from backend.open_payments.errors import (
    AmountRejected,
    LimitExceeded,
    QuoteUnusable,
    ReceiverUnusable,
)
from backend.open_payments.types import OutgoingPayment
from backend.outbound.errors import HostBusy
from backend.payments import consent, errors, lookup, proofs
from backend.payments.driver import drive
from backend.payments.errors import NoRoom
from backend.payments.lists import HasNoEnd
from backend.payments.models import Grant, Payment
from backend.payments.outcomes import Outcome, outcome_of
from backend.payments.patience import (
    LONGEST_QUOTE_LIFE,
    MAX_REFUSALS,
    PREPARE_FOR,
    RECEIVER_LIFE,
    SEND_WITHIN,
    in_our_time,
    pause_seconds,
)
from backend.payments.paying import PaymentRun
from backend.payments.quoting import (
    CROSS_ASSET_BUFFER,
    LARGEST_VALUE,
    WALLET_FRESH_FOR,
    price,
    refreshed,
    require_assets,
)
from backend.payments.status import GrantKind, GrantStatus, PaymentStatus
from backend.payments.tokens import with_token

log = logging.getLogger(__name__)

P = PaymentStatus

QUOTE_MARGIN = timedelta(seconds=30)
# What is less may be the time that the answer took.
CLOCKS_AGREE = timedelta(seconds=30)


def advance(payment: Payment, *, client: Client, clock: Clock, rng: random.Random) -> None:
    """Take `payment`, which the caller has claimed, as far as it goes on its own.

    Safe to run again after any crash. Losing the claim ends the run silently: whoever has it now
    goes on from the rows.
    """
    drive(lambda: PaymentRun(payment, client=client, clock=clock, rng=rng), step=_step)


def _step(run: PaymentRun) -> bool:
    if run.status not in STEPS:
        return False
    if run.may_have_sent and run.now > run.payment.deadline_at:
        proofs.note_past_deadline(run)
    if lookup.is_first(run):
        lookup.look_up(run)
    else:
        STEPS[run.status](run)
    return True


# --- CREATED: what the payer needs to see before consenting ---------------------------------------


def prepare(run: PaymentRun) -> None:
    """Make what is missing: fresh wallets, receiver, quote, consent. Every call may be repeated."""
    if run.ran_out_of_time():
        return run.fail(errors.WALLET_UNAVAILABLE)
    if wallet := _stale_wallet(run):
        return refresh_wallet(run, wallet)
    if not run.attempt.incoming_payment_url:
        return with_token(run, GrantKind.INCOMING_PAYMENT, create_receiver)
    if not run.attempt.quote_url:
        return with_token(run, GrantKind.QUOTE, create_quote)
    return ask_consent(run)


def _stale_wallet(run: PaymentRun) -> WalletAddress | None:
    wallets = (run.payment.receiver, run.payment.sender)
    return next((each for each in wallets if run.now - each.checked_at > WALLET_FRESH_FOR), None)


def refresh_wallet(run: PaymentRun, wallet: WalletAddress) -> None:
    """Read a wallet's document again: a changed asset or server must not receive money unseen."""
    if not refreshed(run.ask, wallet, now=run.now):
        return run.fail(errors.WALLET_CHANGED)
    with run.commit():
        wallet.save(update_fields=["checked_at"])


def create_receiver(run: PaymentRun, grant: Grant) -> None:
    """Make this attempt's own incoming payment of the exact amount.

    Repeating makes another one; the orphan's URL was never quoted, so nobody can pay it.
    """
    expires_at = run.now + RECEIVER_LIFE
    made = run.ask(
        operations.create_incoming_payment(
            resource_server=run.payment.receiver.resource_server,
            token=grant.open_secrets().access_token,
            wallet_address=run.payment.receiver.url,
            incoming_amount=run.receive_amount,
            expires_at=expires_at,
            metadata=lookup.metadata(run),
        ),
        grant=grant,
    )
    with run.commit():
        run.update_attempt(
            incoming_payment_url=made.id,
            incoming_payment_expires_at=in_our_time(made.expires_at or expires_at, now=run.now),
        )


def create_quote(run: PaymentRun, grant: Grant) -> None:
    """Ask the sender's wallet what delivering the whole amount costs. Unused quotes expire."""
    quote = _request_quote(run, grant)
    with run.commit(debit_value=quote.debit_amount.value):
        run.update_attempt(**_quote_fields(run, quote))


def ask_consent(run: PaymentRun) -> None:
    """Request the grant that the payer approves: this receiver, at most this debit."""
    payment = run.payment
    assert payment.debit_value is not None
    limit = payment.debit_value
    if payment.sender.asset != payment.receiver.asset:
        limit = ceil(limit * (1 + CROSS_ASSET_BUFFER))
    if limit > LARGEST_VALUE:
        return run.fail(errors.WALLET_MISBEHAVED)
    return consent.ask(run, limit=limit, max_debit_value=limit)


# --- AWAITING_APPROVAL: the payer's decision, recorded by the finish view -------------------------


def await_approval(run: PaymentRun) -> None:
    """Wait for the payer's yes, and collect the token it gives."""
    return consent.await_approval(
        run, deadline_at=run.now + SEND_WITHIN, on_loss=lambda grant: ask_again(run, grant)
    )


def ask_again(run: PaymentRun, grant: Grant) -> None:
    """The grant is lost: prepare another consent for the same attempt, a few times at most.

    Not before it is certain that none of its orders was carried out, where one was refused.
    """
    consent.give_back(run, grant)
    if run.orders_refused():
        # One may have been taken, if something on the way asked twice: prove that it was not
        # before the payer is asked again, who could say no to what is paid already.
        with run.commit(P.UNKNOWN, reason="an order was refused, and its grant is lost"):
            run.end_grant(grant, GrantStatus.LOST)
            return run.update_attempt(sent_at=run.now)
    if not run.may_ask_the_payer_again():
        return run.fail(errors.CONSENT_LOST)
    with run.commit(P.CREATED, reason="grant lost", deadline_at=run.now + PREPARE_FOR):
        run.end_grant(grant, GrantStatus.LOST)
        run.update_attempt(quote_url="", quote_expires_at=None, quote_debit_value=None)


# --- AUTHORIZED, QUOTED, SENDING: pay exactly once ------------------------------------------------


def quote_within_limit(run: PaymentRun) -> None:
    """Make what is missing: a receiver, and a fresh quote. Consent takes as long as people do."""
    if run.now > run.payment.deadline_at:
        return run.fail(errors.WALLET_UNAVAILABLE)
    if run.held is not None and not run.grant_with_token(GrantKind.OUTGOING_PAYMENT):
        return wait_for_the_held_grant(run)
    if wallet := _stale_wallet(run):
        return refresh_wallet(run, wallet)
    if run.payment.receive_value is None:
        return price_what_arrives(run)
    if not run.attempt.incoming_payment_url:
        return with_token(run, GrantKind.INCOMING_PAYMENT, create_receiver)
    return with_token(run, GrantKind.QUOTE, _quote_within_limit)


def wait_for_the_held_grant(run: PaymentRun) -> None:
    """Have the held grant's token renewed, which its own run does; or see that it is over."""
    if failure := run.why_the_held_grant_cannot_pay():
        return run.fail(failure)
    tries = run.payment.tries
    seconds = pause_seconds(first=0.2, tries=tries, longest=30)
    with run.commit(wait_seconds=seconds, tries=tries + 1):
        run.ask_for_a_token()


def price_what_arrives(run: PaymentRun) -> None:
    """Where the payer fixed what they send: learn what that makes, which is then to arrive."""
    try:
        priced = price(
            run.ask,
            sender=run.sender,
            receiver=run.payment.receiver,
            send_value=run.payment.send_value,
            now=run.now,
        )
    except AmountRejected as rejected:
        return run.fail(errors.TOO_SMALL if rejected.is_too_small else errors.REFUSED_BY_WALLET)
    least = run.payment.least_receive_value
    if least is not None and priced.receive_value < least:
        # The wallet that quotes may be run by whoever gains by it.
        return run.fail(errors.RATE_TOO_LOW, refused_receive_value=priced.receive_value)
    with run.commit(receive_value=priced.receive_value):
        return None


def _quote_within_limit(run: PaymentRun, grant: Grant) -> None:
    try:
        quote = _request_quote(run, grant)
    except (AmountRejected, ReceiverUnusable) as rejected:
        # Somebody closed our receiver, or a part of it is there, or all.
        is_too_small = isinstance(rejected, AmountRejected) and rejected.is_too_small
        return run.fail(errors.TOO_SMALL if is_too_small else errors.REFUSED_BY_WALLET)
    payment, debit = run.payment, quote.debit_amount.value
    if payment.send_value is not None and debit > payment.send_value:
        return _price_again(run)
    if run.held is None and (payment.max_debit_value is None or debit > payment.max_debit_value):
        return run.fail(errors.LIMIT_EXCEEDED)
    try:
        with run.commit(P.QUOTED, debit_value=debit):
            run.reserve(debit)
            run.update_attempt(**_quote_fields(run, quote))
    except NoRoom:
        # How much would have been needed tells which consent can pay it.
        failure = run.why_the_held_grant_cannot_pay() or errors.GRANT_EXHAUSTED
        return run.fail(failure, debit_value=debit)


def _price_again(run: PaymentRun) -> None:
    # The rate moved between the two quotes. Where no order was given, the receiver can be left.
    if run.orders_refused():
        # A wallet that is late may have taken it, the first of two times that it was asked.
        with run.commit(P.UNKNOWN, reason="an order was refused, and the rate moved"):
            return run.update_attempt(sent_at=run.now)
    tries = _times_priced(run)
    if tries > MAX_REFUSALS:
        return run.fail(errors.REFUSED_BY_WALLET)
    with run.commit(receive_value=None, wait_seconds=0.2 * 2**tries):
        run.update_attempt(incoming_payment_url="", incoming_payment_expires_at=None)


def send(run: PaymentRun) -> None:
    """Give the order to pay the saved quote, or take up the order that a crash interrupted."""
    grant = run.grant(GrantKind.OUTGOING_PAYMENT)
    if run.status is P.QUOTED and not run.payment.pending_call_id:
        expires_at = run.attempt.quote_expires_at
        if expires_at is not None and expires_at < run.now + QUOTE_MARGIN:
            with run.commit(P.AUTHORIZED, reason="quote about to expire"):
                return None
        if run.held is not None and not run.grant_with_token(GrantKind.OUTGOING_PAYMENT):
            return wait_for_the_held_grant(run)
    if run.status is P.QUOTED:
        assert grant is not None
        if run.held is None and (run.payment.pending_call_id or not run.token_lives(grant)):
            return consent.rotate(run, grant, on_loss=lambda lost: ask_again(run, lost))
    try:
        outgoing = run.ask_once(
            _order(run, grant), grant=grant, status=_sending_from(run), sent_at=run.now
        )
    except OpenPaymentsError as error:
        return _after_failed_order(run, grant, error)
    with run.commit(P.SENT):
        run.update_attempt(outgoing_payment_url=outgoing.id)


def _sending_from(run: PaymentRun) -> PaymentStatus | None:
    return P.SENDING if run.status is P.QUOTED else None


def _after_failed_order(run: PaymentRun, grant: Grant | None, error: OpenPaymentsError) -> None:
    log.info("%s, order: %s", run.payment, error)
    outcome, tries = outcome_of(error, repeatable=False), run.orders_refused() + 1
    if outcome is Outcome.UNKNOWN:
        return _look_for_the_order(run, error)
    # From here on the wallet has certainly not taken this order. It may have taken the same one, if
    # something on the way asked twice and passed on the second answer.
    if outcome in {Outcome.REFUSED, Outcome.KEY_REFUSED}:
        try:
            taken = proofs.find_order(run)
        except (OpenPaymentsError, HasNoEnd, HostBusy):
            return _look_for_the_order(run, error)
        if taken is not None:
            with run.commit(P.SENT, reason="found at the sender's wallet"):
                return run.update_attempt(outgoing_payment_url=taken.id)
    if isinstance(error, LimitExceeded):
        return run.fail(errors.LIMIT_EXCEEDED if run.held is None else errors.GRANT_EXHAUSTED)
    if outcome is Outcome.KEY_REFUSED:
        return run.fail(errors.KEY_REFUSED)
    again = outcome in {Outcome.TRY_LATER, Outcome.RENEW_TOKEN} or isinstance(error, QuoteUnusable)
    if outcome is Outcome.RENEW_TOKEN and tries > MAX_REFUSALS:
        return _look_for_the_order(run, error)
    if not again or tries > MAX_REFUSALS:
        return run.fail(errors.REFUSED_BY_WALLET)
    pause = max(run.retry_after(error), 0.2 * 2**tries)
    with run.commit(P.AUTHORIZED, reason=str(error), wait_seconds=pause):
        run.update_attempt(sent_at=None)
        if outcome is Outcome.RENEW_TOKEN and grant is not None:
            run.distrust(grant)


def _look_for_the_order(run: PaymentRun, error: OpenPaymentsError) -> None:
    with run.commit(P.UNKNOWN, reason=str(error), wait_seconds=proofs.FIRST_LOOK_SECONDS):
        return None


def _times_priced(run: PaymentRun) -> int:
    # Each time makes two: one to learn what arrives, and one for exactly that.
    made = run.payment.calls.filter(operation="create-incoming-payment", status__range=(200, 299))
    return made.filter(attempt_number=run.attempt.number).count() // 2


# --- shared pieces --------------------------------------------------------------------------------


def _request_quote(run: PaymentRun, grant: Grant) -> Quote:
    quote = run.ask(
        operations.create_quote(
            resource_server=run.payment.sender.resource_server,
            token=grant.open_secrets().access_token,
            wallet_address=run.payment.sender.url,
            receiver=run.attempt.incoming_payment_url,
            receive_amount=run.receive_amount,
        ),
        grant=grant,
    )
    require_assets(quote, sender=run.payment.sender, receiver=run.payment.receiver)
    return quote


def _quote_fields(run: PaymentRun, quote: Quote) -> dict[str, object]:
    expires_at = quote.expires_at and _by_our_clock(run, quote.expires_at, quote)
    ends = expires_at is not None and expires_at <= run.now + LONGEST_QUOTE_LIFE
    return {
        "quote_url": quote.id,
        "quote_expires_at": expires_at if ends else None,
        "quote_debit_value": quote.debit_amount.value,
    }


def _by_our_clock(run: PaymentRun, told: datetime, quote: Quote) -> datetime:
    """When it is `told` by the clock of the wallet that has just made `quote`.

    One that is minutes behind would never have a quote that is alive, and of one whose answer to
    the order was lost we would believe too soon that it is dead.
    """
    now = run.now
    apart = now - in_our_time(quote.created_at, now=now)
    ends_at = in_our_time(told, now=now)
    return ends_at + apart if abs(apart) > CLOCKS_AGREE else ends_at


def _order(run: PaymentRun, grant: Grant | None) -> Operation[OutgoingPayment]:
    sender, attempt = run.payment.sender, run.attempt
    assert attempt.quote_debit_value is not None
    quote = Quote(
        id=attempt.quote_url,
        wallet_address=sender.url,
        receiver=attempt.incoming_payment_url,
        debit_amount=run.payment.in_sender_asset(attempt.quote_debit_value),
        receive_amount=run.receive_amount,
        method="ilp",
        created_at=attempt.started_at,
        expires_at=attempt.quote_expires_at,
    )
    return operations.create_outgoing_payment(
        resource_server=sender.resource_server,
        # Without a grant an earlier order is taken up, and nothing is sent.
        token=grant.open_secrets().access_token if grant else "none",
        wallet_address=sender.url,
        quote=quote,
        metadata={"attempt": str(attempt.id)},
    )


STEPS: dict[PaymentStatus, Callable[[PaymentRun], None]] = {
    P.CREATED: prepare,
    P.AWAITING_APPROVAL: await_approval,
    P.AUTHORIZED: quote_within_limit,
    P.QUOTED: send,
    P.SENDING: send,
    P.UNKNOWN: proofs.reconcile,
    P.SENT: proofs.watch,
}
