"""The life of a payment, top to bottom.

    CREATED            receiver, quote and consent are prepared: nothing here can be spent
    AWAITING_APPROVAL  the payer decides in their wallet; then the grant is continued
    AUTHORIZED         a fresh quote inside the granted limit
    QUOTED, SENDING    the one call that moves money; its intent is committed first
    UNKNOWN            its answer was lost: find the payment, or prove that it can never happen
    SENT               the receiver's wallet is read until it shows the money
    COMPLETED …        over

One step is one request to a wallet, with the token it needs, and one commit. A step leaves
`due_at` in the past to go on at once, or sets it to wait; `advance` runs steps until one waits.
All that a step needs is in the rows, so a crash anywhere is followed by the same step again. The
calls that must not be repeated go through `Run.ask_once`; proofs.py is what happens when their
answer is lost.
"""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil

from django.conf import settings

from backend.accounts.models import WalletAddress
from backend.clock import Clock
from backend.ids import new_id
from backend.open_payments import (
    Client,
    Interact,
    IssuedGrant,
    Limits,
    OpenPaymentsError,
    Operation,
    PendingGrant,
    Quote,
    new_nonce,
    operations,
)
from backend.open_payments.errors import (
    AmountRejected,
    ContinuedTooSoon,
    GrantDenied,
    LimitExceeded,
    MismatchedResponse,
    QuoteUnusable,
    ReceiverUnusable,
)
from backend.open_payments.grants import outgoing_payment_access
from backend.open_payments.types import Access, OutgoingPayment
from backend.payments import errors, links, proofs
from backend.payments.errors import LostRace
from backend.payments.models import Grant, GrantSecrets, Payment
from backend.payments.outcomes import Outcome, outcome_of
from backend.payments.patience import DECIDE_WITHIN, MAX_REFUSALS, PREPARE_FOR, SEND_WITHIN
from backend.payments.run import Run
from backend.payments.status import IN_FLIGHT, GrantKind, GrantStatus, PaymentStatus
from backend.payments.tokens import distrust_token, token_end, with_token

log = logging.getLogger(__name__)

P = PaymentStatus

# More steps in one claim than any payment needs: a loop must not become a hot one.
MAX_STEPS = 40
AFTER_TOO_MANY_STEPS_SECONDS = 60
WALLET_FRESH_FOR = timedelta(minutes=10)
RECEIVER_LIFE = timedelta(days=1)
QUOTE_MARGIN = timedelta(seconds=30)
DEFAULT_WAIT_SECONDS = 5
# The payer consents to the quoted debit; across assets the rate may move until the money does.
CROSS_ASSET_BUFFER = Fraction(5, 100)


def advance(payment: Payment, *, client: Client, clock: Clock, rng: random.Random) -> None:
    """Take `payment`, which the caller has claimed, as far as it goes on its own.

    Safe to run again after any crash. Losing the claim ends the run silently: whoever has it now
    goes on from the rows.
    """
    try:
        run = Run(payment, client=client, clock=clock, rng=rng)
        for _ in range(MAX_STEPS):
            if run.status not in STEPS or run.must_stop():
                break
            _step(run)
        else:
            _stop_a_hot_loop(run)
        if run.status in STEPS and payment.lease_until is not None:
            run.release()
    except LostRace as race:
        log.info("%s", race)


def _stop_a_hot_loop(run: Run) -> None:
    log.error("payment %s did %d steps in one claim", run.payment.id, MAX_STEPS)
    if run.status in STEPS:
        run.try_later(at_least_seconds=AFTER_TOO_MANY_STEPS_SECONDS)


def _step(run: Run) -> None:
    if run.status in IN_FLIGHT and run.now > run.payment.deadline_at:
        proofs.note_past_deadline(run)
    try:
        STEPS[run.status](run)
    except OpenPaymentsError as error:
        _after_failed_call(run, error)


def _after_failed_call(run: Run, error: OpenPaymentsError) -> None:
    """Decide after a repeatable call: ask again, with another token, or give up."""
    outcome = outcome_of(error, repeatable=True)
    log.info("payment %s in %s: %s", run.payment.id, run.status, error)
    if outcome is Outcome.RENEW_TOKEN and run.failed_grant is not None:
        distrust_token(run, run.failed_grant)
    elif run.status in IN_FLIGHT:
        # Money may be moving: whatever a wallet says to a question, we ask again.
        run.try_later(at_least_seconds=_retry_after(error))
    elif outcome is Outcome.TRY_LATER and run.now < run.payment.deadline_at:
        run.try_later(at_least_seconds=_retry_after(error))
    else:
        run.fail(
            {
                Outcome.TRY_LATER: errors.WALLET_UNAVAILABLE,
                Outcome.MISBEHAVED: errors.WALLET_MISBEHAVED,
                Outcome.KEY_REFUSED: errors.KEY_REFUSED,
            }.get(outcome, errors.REFUSED_BY_WALLET)
        )


def _retry_after(error: OpenPaymentsError) -> float:
    return min(float(getattr(error, "retry_after_seconds", None) or 0), 3600.0)


# --- CREATED: what the payer needs to see before consenting ---------------------------------------


def prepare(run: Run) -> None:
    """Make what is missing: fresh wallets, receiver, quote, consent. Every call may be repeated."""
    payment, attempt = run.payment, run.attempt
    for wallet in (payment.receiver, payment.sender):
        if run.now - wallet.checked_at > WALLET_FRESH_FOR:
            return refresh_wallet(run, wallet)
    if not attempt.incoming_payment_url:
        return with_token(run, GrantKind.INCOMING_PAYMENT, create_receiver)
    if not attempt.quote_url:
        return with_token(run, GrantKind.QUOTE, create_quote)
    return ask_consent(run)


def refresh_wallet(run: Run, wallet: WalletAddress) -> None:
    """Read a wallet's document again: a changed asset or server must not receive money unseen."""
    found = run.ask(operations.get_wallet_address(url=wallet.url))
    same = (found.asset_code, found.asset_scale, found.auth_server, found.resource_server) == (
        wallet.asset_code,
        wallet.asset_scale,
        wallet.auth_server,
        wallet.resource_server,
    )
    if not same:
        return run.fail(errors.WALLET_CHANGED)
    wallet.checked_at = run.now
    with run.commit():
        WalletAddress.objects.filter(id=wallet.id).update(checked_at=wallet.checked_at)


def create_receiver(run: Run, grant: Grant) -> None:
    """Make this attempt's own incoming payment of the exact amount.

    Repeating makes another one; the orphan's URL was never quoted, so nobody can pay it.
    """
    expires_at = run.now + RECEIVER_LIFE
    made = run.ask(
        operations.create_incoming_payment(
            resource_server=run.payment.receiver.resource_server,
            token=grant.open_secrets().access_token,
            wallet_address=run.payment.receiver.url,
            incoming_amount=run.payment.receive_amount,
            expires_at=expires_at,
            metadata={"attempt": str(run.attempt.id)},
        ),
        grant=grant,
    )
    with run.commit():
        run.update_attempt(
            incoming_payment_url=made.id,
            incoming_payment_expires_at=made.expires_at or expires_at,
        )


def create_quote(run: Run, grant: Grant) -> None:
    """Ask the sender's wallet what delivering the whole amount costs. Unused quotes expire."""
    quote = _request_quote(run, grant)
    with run.commit(debit_value=quote.debit_amount.value):
        run.update_attempt(**_quote_fields(run, quote))


def ask_consent(run: Run) -> None:
    """Request the grant that the payer approves: this receiver, at most this debit."""
    payment, grant_id, nonce = run.payment, new_id(), new_nonce()
    assert payment.debit_value is not None
    max_debit = payment.debit_value
    if payment.sender.asset != payment.receiver.asset:
        max_debit = ceil(max_debit * (1 + CROSS_ASSET_BUFFER))
    pending = run.ask(
        operations.request_grant(
            auth_server=payment.sender.auth_server,
            client=settings.OP_CLIENT_WALLET_ADDRESS,
            access=[_paying_access(run, max_debit)],
            interact=Interact(finish_uri=links.finish_url(grant_id), client_nonce=nonce),
        )
    )
    if not isinstance(pending, PendingGrant):
        return run.fail(errors.WALLET_MISBEHAVED)
    expires_at = run.now + DECIDE_WITHIN
    grant = Grant(
        id=grant_id,
        payment=payment,
        kind=GrantKind.OUTGOING_PAYMENT,
        status=GrantStatus.AWAITING_APPROVAL,
        auth_server=payment.sender.auth_server,
        max_debit_value=max_debit,
        continue_after=_wait_over(run, pending),
        expires_at=expires_at,
        created_at=run.now,
    )
    grant.secrets = grant.seal_secrets(
        GrantSecrets(
            client_nonce=nonce,
            interact_nonce=pending.interact_nonce,
            redirect=pending.redirect,
            continue_uri=pending.continuation.uri,
            continue_token=pending.continuation.token,
        )
    )
    with run.commit(
        P.AWAITING_APPROVAL,
        wait_until=expires_at,
        deadline_at=expires_at,
        max_debit_value=max_debit,
    ):
        run.add_grant(grant)


# --- AWAITING_APPROVAL: the payer's decision, recorded by the finish view -------------------------


def await_approval(run: Run) -> None:
    """See what the finish view recorded on the grant: yes, no, or nothing until it is too late."""
    grant = run.grant(GrantKind.OUTGOING_PAYMENT)
    assert grant is not None and grant.expires_at is not None
    if grant.status == GrantStatus.REJECTED:
        return run.fail(errors.CONSENT_REJECTED, status=P.REJECTED)
    if grant.status == GrantStatus.APPROVED and grant.confirmed:
        return continue_grant(run, grant)
    if run.now < grant.expires_at:
        with run.commit(wait_until=grant.expires_at):
            return None
    with run.commit(P.EXPIRED, **errors.CONSENT_EXPIRED.fields()):
        run.end_grant(grant, GrantStatus.EXPIRED)


def continue_grant(run: Run, grant: Grant) -> None:
    """Collect the access token. Wallets issue it once: a lost answer is a lost token."""
    if grant.continue_after and run.now < grant.continue_after and not run.payment.pending_call_id:
        with run.commit(wait_until=grant.continue_after):
            return None
    secrets = grant.open_secrets()
    operation = operations.continue_grant(
        uri=secrets.continue_uri,
        token=secrets.continue_token,
        interact_ref=grant.open_interact_ref(),
        requested=[_paying_access(run, grant.max_debit_value or 0)],
    )
    try:
        issued = run.ask_once(operation, grant=grant)
    except OpenPaymentsError as error:
        return _after_failed_continue(run, grant, error)
    if not isinstance(issued, IssuedGrant) or issued.access_token is None:
        return run.fail(errors.WALLET_MISBEHAVED)
    token, continuation = issued.access_token, issued.continuation
    fresh = GrantSecrets(
        access_token=token.value,
        manage_url=token.manage_url,
        continue_uri=continuation.uri if continuation else "",
        continue_token=continuation.token if continuation else "",
    )
    with run.commit(P.AUTHORIZED, deadline_at=run.now + SEND_WITHIN):
        run.update_grant(
            grant,
            secrets=grant.seal_secrets(fresh),
            interact_ref="",
            token_expires_at=token_end(run, token),
        )


def _after_failed_continue(run: Run, grant: Grant, error: OpenPaymentsError) -> None:
    log.info("payment %s, continue: %s", run.payment.id, error)
    if isinstance(error, ContinuedTooSoon):
        return run.try_later(at_least_seconds=DEFAULT_WAIT_SECONDS)
    if isinstance(error, MismatchedResponse):
        return run.fail(errors.WALLET_MISBEHAVED)
    outcome = outcome_of(error, repeatable=False)
    if outcome is Outcome.TRY_LATER:
        return run.try_later(at_least_seconds=_retry_after(error))
    if outcome is Outcome.UNKNOWN and grant.lost_answers == 0:
        # One more try: the wallet may never have seen the first.
        with run.commit(wait_seconds=1):
            run.update_grant(grant, lost_answers=1)
        return None
    if isinstance(error, GrantDenied) and grant.lost_answers == 0:
        return run.fail(errors.CONSENT_REJECTED, status=P.REJECTED)
    if outcome is Outcome.KEY_REFUSED and grant.lost_answers == 0:
        return run.fail(errors.KEY_REFUSED)
    # Any other no to a grant that was approved: its token went to the answer we never got.
    return ask_again(run, grant)


def ask_again(run: Run, grant: Grant) -> None:
    """The grant is lost: prepare another consent for the same attempt, a few times at most."""
    if not run.may_ask_the_payer_again():
        return run.fail(errors.CONSENT_LOST)
    with run.commit(P.CREATED, reason="grant lost", deadline_at=run.now + PREPARE_FOR):
        run.end_grant(grant, GrantStatus.LOST)
        run.update_attempt(quote_url="", quote_expires_at=None, quote_debit_value=None)


# --- AUTHORIZED, QUOTED, SENDING: pay exactly once ------------------------------------------------


def quote_within_limit(run: Run) -> None:
    """Quote afresh: quotes live minutes, consent takes as long as people do."""
    if run.now > run.payment.deadline_at:
        return run.fail(errors.WALLET_UNAVAILABLE)
    return with_token(run, GrantKind.QUOTE, _quote_within_limit)


def _quote_within_limit(run: Run, grant: Grant) -> None:
    try:
        quote = _request_quote(run, grant)
    except (ReceiverUnusable, AmountRejected):
        # Somebody closed our receiver before anything was sent. It is useless: stop here.
        return run.fail(errors.REFUSED_BY_WALLET)
    consented = run.payment.max_debit_value
    if consented is None or quote.debit_amount.value > consented:
        return run.fail(errors.LIMIT_EXCEEDED)
    with run.commit(P.QUOTED, debit_value=quote.debit_amount.value, tries=run.payment.tries):
        run.update_attempt(**_quote_fields(run, quote))


def send(run: Run) -> None:
    """Give the order to pay the saved quote, or take up the order that a crash interrupted."""
    grant = run.grant(GrantKind.OUTGOING_PAYMENT)
    assert grant is not None
    if run.status is P.QUOTED:
        if run.payment.pending_call_id or not run.token_lives(grant):
            return rotate(run, grant)
        expires_at = run.attempt.quote_expires_at
        if expires_at is not None and expires_at < run.now + QUOTE_MARGIN:
            with run.commit(P.AUTHORIZED, reason="quote about to expire"):
                return None
    try:
        outgoing = run.ask_once(
            _order(run, grant), grant=grant, status=_sending_from(run), sent_at=run.now
        )
    except OpenPaymentsError as error:
        return _after_failed_order(run, grant, error)
    with run.commit(P.SENT):
        run.update_attempt(outgoing_payment_url=outgoing.id)


def _sending_from(run: Run) -> PaymentStatus | None:
    return P.SENDING if run.status is P.QUOTED else None


def _after_failed_order(run: Run, grant: Grant, error: OpenPaymentsError) -> None:
    log.info("payment %s, order: %s", run.payment.id, error)
    outcome, tries = outcome_of(error, repeatable=False), run.payment.tries + 1
    if outcome is Outcome.UNKNOWN:
        with run.commit(P.UNKNOWN, reason=str(error), wait_seconds=proofs.FIRST_LOOK_SECONDS):
            return None
    # From here on the wallet has certainly not taken the order.
    if isinstance(error, LimitExceeded):
        return run.fail(errors.LIMIT_EXCEEDED)
    if outcome is Outcome.KEY_REFUSED:
        return run.fail(errors.KEY_REFUSED)
    again = outcome in {Outcome.TRY_LATER, Outcome.RENEW_TOKEN} or isinstance(error, QuoteUnusable)
    if not again or tries > MAX_REFUSALS:
        return run.fail(errors.REFUSED_BY_WALLET)
    pause = max(_retry_after(error), 0.2 * 2**tries)
    with run.commit(P.AUTHORIZED, reason=str(error), wait_seconds=pause, tries=tries):
        run.update_attempt(sent_at=None)
        if outcome is Outcome.RENEW_TOKEN:
            run.update_grant(grant, token_expires_at=run.now)


def rotate(run: Run, grant: Grant) -> None:
    """Swap the access token for a fresh one. The old one dies at once: a lost answer loses both."""
    secrets = grant.open_secrets()
    operation = operations.rotate_token(
        manage_url=secrets.manage_url,
        token=secrets.access_token,
        requested=[_paying_access(run, grant.max_debit_value or 0)],
    )
    try:
        token = run.ask_once(operation, grant=grant)
    except OpenPaymentsError as error:
        log.info("payment %s, rotate: %s", run.payment.id, error)
        outcome = outcome_of(error, repeatable=False)
        if outcome is Outcome.TRY_LATER:
            return run.try_later(at_least_seconds=_retry_after(error))
        if outcome is Outcome.UNKNOWN and grant.lost_answers == 0:
            with run.commit(wait_seconds=1):
                run.update_grant(grant, lost_answers=1)
            return None
        return ask_again(run, grant)
    fresh = GrantSecrets(
        access_token=token.value,
        manage_url=token.manage_url,
        continue_uri=secrets.continue_uri,
        continue_token=secrets.continue_token,
    )
    with run.commit(tries=run.payment.tries):
        run.update_grant(
            grant,
            secrets=grant.seal_secrets(fresh),
            token_expires_at=token_end(run, token),
            lost_answers=0,
        )


# --- shared pieces --------------------------------------------------------------------------------


def _wait_over(run: Run, pending: PendingGrant) -> datetime:
    # RFC 9635 section 3.1: without `wait`, at least five seconds.
    seconds = pending.continuation.wait_seconds
    return run.now + timedelta(seconds=DEFAULT_WAIT_SECONDS if seconds is None else seconds)


def _request_quote(run: Run, grant: Grant) -> Quote:
    return run.ask(
        operations.create_quote(
            resource_server=run.payment.sender.resource_server,
            token=grant.open_secrets().access_token,
            wallet_address=run.payment.sender.url,
            receiver=run.attempt.incoming_payment_url,
            receive_amount=run.payment.receive_amount,
        ),
        grant=grant,
    )


def _quote_fields(run: Run, quote: Quote) -> dict[str, object]:
    return {
        "quote_url": quote.id,
        "quote_expires_at": quote.expires_at,
        "quote_debit_value": quote.debit_amount.value,
    }


def _paying_access(run: Run, max_debit_value: int) -> Access:
    sender = run.payment.sender
    return outgoing_payment_access(
        identifier=sender.url,
        limits=Limits(
            receiver=run.attempt.incoming_payment_url,
            debit_amount=run.payment.in_sender_asset(max_debit_value),
        ),
    )


def _order(run: Run, grant: Grant) -> Operation[OutgoingPayment]:
    sender, attempt = run.payment.sender, run.attempt
    assert attempt.quote_debit_value is not None
    quote = Quote(
        id=attempt.quote_url,
        wallet_address=sender.url,
        receiver=attempt.incoming_payment_url,
        debit_amount=run.payment.in_sender_asset(attempt.quote_debit_value),
        receive_amount=run.payment.receive_amount,
        method="ilp",
        created_at=attempt.started_at,
        expires_at=attempt.quote_expires_at,
    )
    return operations.create_outgoing_payment(
        resource_server=sender.resource_server,
        token=grant.open_secrets().access_token,
        wallet_address=sender.url,
        quote=quote,
        metadata={"attempt": str(attempt.id)},
    )


STEPS: dict[PaymentStatus, Callable[[Run], None]] = {
    P.CREATED: prepare,
    P.AWAITING_APPROVAL: await_approval,
    P.AUTHORIZED: quote_within_limit,
    P.QUOTED: send,
    P.SENDING: send,
    P.UNKNOWN: proofs.reconcile,
    P.SENT: proofs.watch,
}
