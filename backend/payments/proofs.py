"""Where the money is: reading the wallets, and proving that an attempt is dead.

Truth order: the receiver's wallet, then the sender's, then our rows. `sentAmount` and
`failed: false` prove nothing; only the receiver's `receivedAmount` completes a payment.

A lost answer to the order to pay leaves UNKNOWN only by
- finding the money at the receiver, or the payment at the sender's wallet, or
- proof of death (a): we completed the receiver ourselves, and its wallet still shows 0 after
  every packet in flight must have landed: the money can never arrive there, or
- proof of death (b): the quote has expired, two later look-ups found no payment of it, and
  nothing was received: the order can never be carried out.
That a look-up finds nothing shortly after the order proves nothing: the wallet may be slow.
"""

from datetime import datetime, timedelta

from backend.open_payments import OpenPaymentsError, operations
from backend.open_payments.errors import (
    NotFound,
    TokenInactive,
    WalletRejected,
    WrongState,
)
from backend.open_payments.types import IncomingPayment, OutgoingPayment
from backend.payments import errors
from backend.payments.lists import HasNoEnd, orders
from backend.payments.models import Discrepancy, Grant
from backend.payments.patience import (
    IN_FLIGHT_FOR,
    MAX_ATTEMPTS,
    PREPARE_FOR,
    RECEIVER_LIFE,
    SEND_WITHIN,
)
from backend.payments.paying import PaymentRun
from backend.payments.receiving import read_receiver, receiver_is_over
from backend.payments.status import GrantKind, GrantStatus, PaymentStatus
from backend.payments.tokens import with_token

P = PaymentStatus

FIRST_LOOK_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 2
# How long a wallet may take to show a payment whose answer was lost, before we give it up.
SHOW_WITHIN = timedelta(seconds=10)
QUOTE_DEAD_AFTER = timedelta(seconds=60)
LOOKS_APART = timedelta(seconds=30)
# Retries of a sending wallet end with its quote; then it is only late, and we stop it.
ARRIVE_WITHIN = timedelta(seconds=120)
ARRIVE_WITHOUT_QUOTE_EXPIRY = timedelta(minutes=10)
NOTHING_CAN_ARRIVE = "receiver closed with nothing received"
# (age of the order, pause): dense while somebody is watching, then patient.
POLLING = (
    (timedelta(seconds=2), 0.2),
    (timedelta(seconds=10), 0.5),
    (timedelta(seconds=30), 1),
    (timedelta(minutes=2), 3),
    (timedelta(minutes=10), 10),
    (timedelta(hours=1), 60),
    (timedelta(days=1), 600),
)
LONGEST_POLL_SECONDS = 3600


# --- SENT: until the receiver's wallet shows the money --------------------------------------------


def watch(run: PaymentRun) -> None:
    """Read the receiver; once it is clear that nothing more can come, close it and conclude."""
    received = read_receiver(run)
    if received >= run.receive_amount.value:
        return complete(run)
    if run.attempt.fenced_at:
        return with_token(run, GrantKind.INCOMING_PAYMENT, _conclude)
    outgoing = _read_outgoing(run)
    if (outgoing is not None and outgoing.failed) or run.now > _give_up_at(run):
        return with_token(run, GrantKind.INCOMING_PAYMENT, _fence)
    with run.commit(wait_seconds=_poll_pause(run)):
        return None


def complete(run: PaymentRun) -> None:
    """The receiver's wallet shows the money: the payment is over.

    It delivered what was asked for. Where the wallet shows more, a stranger paid it too, or it
    lies: reconciliation notes it, and no book of ours counts it.
    """
    with run.commit(P.COMPLETED, delivered_value=run.receive_amount.value):
        pass


# --- UNKNOWN: find it, or prove that it can never happen ------------------------------------------


def reconcile(run: PaymentRun) -> None:
    """Look at both wallets, then close the receiver and conclude."""
    received = read_receiver(run)
    if received >= run.receive_amount.value:
        return complete(run)
    if run.attempt.fenced_at:
        return with_token(run, GrantKind.INCOMING_PAYMENT, _conclude)
    try:
        found = _look_up(run)
    except HasNoEnd:
        found = None
    if found is not None:
        with run.commit(P.SENT, reason="found at the sender's wallet"):
            run.update_attempt(outgoing_payment_url=found.id)
        return None
    if received == 0 and _dead_by_expiry(run):
        return _pay_again_with_the_same_grant(run)
    if run.attempt.absent_first_at and run.grant_with_token(GrantKind.OUTGOING_PAYMENT):
        # The second look that proof (b) needs is still possible: a new consent may be spared.
        with run.commit(wait_seconds=LOOKS_APART.total_seconds()):
            return None
    assert run.attempt.sent_at is not None
    if run.now < run.attempt.sent_at + SHOW_WITHIN:
        with run.commit(wait_seconds=LOOK_AGAIN_SECONDS):
            return None
    return with_token(run, GrantKind.INCOMING_PAYMENT, _fence)


def _look_up(run: PaymentRun) -> OutgoingPayment | None:
    """Find the payment of this attempt in the sender's list; None proves nothing by itself.

    Without a live token nobody can be asked: rotating here could lose the token for nothing.

    Raises:
        HasNoEnd: what can be read of the list does not have it, and there is more.
    """
    if run.grant_with_token(GrantKind.OUTGOING_PAYMENT) is None:
        return None
    found = find_order(run)
    if found is None:
        _remember_absence(run)
    return found


def find_order(run: PaymentRun) -> OutgoingPayment | None:
    """The payment of this attempt in the sender's list, if it is there. Writes nothing down.

    Raises:
        HasNoEnd: what can be read of the list does not have it, and there is more; or there is no
            token to read it with.
        OpenPaymentsError, HostBusy: the list cannot be read, or not now.
    """
    grant = run.grant_with_token(GrantKind.OUTGOING_PAYMENT)
    if grant is None:
        raise HasNoEnd
    matches: list[OutgoingPayment] = []
    for listed in orders(run, grant, since=_could_be_ordered_since(run)):
        matches = [item for item in listed if _is_ours(run, item)]
        if matches:
            break
    if len(matches) > 1:
        _note_two_payments(run, matches)
    return matches[0] if matches else None


def _could_be_ordered_since(run: PaymentRun) -> datetime:
    """No order is older than its receiver, which may be older than this attempt (lookup.py)."""
    started_at, expires_at = run.attempt.started_at, run.attempt.incoming_payment_expires_at
    return started_at if expires_at is None else min(started_at, expires_at - RECEIVER_LIFE)


def _is_ours(run: PaymentRun, item: OutgoingPayment) -> bool:
    attempt = run.attempt
    return item.receiver == attempt.incoming_payment_url or item.quote_id == attempt.quote_url


def _remember_absence(run: PaymentRun) -> None:
    attempt, now = run.attempt, run.now
    if not _quote_is_dead(run, at=now):
        return
    with run.commit(tries=run.payment.tries):
        run.update_attempt(
            absent_first_at=attempt.absent_first_at or now,
            absent_last_at=now,
        )


def _dead_by_expiry(run: PaymentRun) -> bool:
    first, last = run.attempt.absent_first_at, run.attempt.absent_last_at
    return first is not None and last is not None and last - first >= LOOKS_APART


def _pay_again_with_the_same_grant(run: PaymentRun) -> None:
    # Proof (b) leaves the receiver open and the grant unspent, so the payer need not be asked.
    receiver = run.attempt.incoming_payment_url, run.attempt.incoming_payment_expires_at
    if run.attempt.number >= MAX_ATTEMPTS:
        return run.fail(errors.NOT_DELIVERED)
    with run.commit(P.AUTHORIZED, reason="quote expired unused", deadline_at=run.now + SEND_WITHIN):
        run.update_attempt(dead_at=run.now, proof="quote expired, absent twice, nothing received")
        run.new_attempt()
        run.update_attempt(
            incoming_payment_url=receiver[0], incoming_payment_expires_at=receiver[1]
        )


# --- the fence: close the receiver, wait, read, conclude ------------------------------------------


def _fence(run: PaymentRun, grant: Grant) -> None:
    """Complete our own receiver: after this its wallet takes no more money."""
    received = 0
    try:
        closed = run.ask(
            operations.complete_incoming_payment(
                url=run.attempt.incoming_payment_url, token=grant.open_secrets().access_token
            ),
            grant=grant,
        )
        received = closed.received_amount.value
    except WrongState:
        pass  # already completed or expired; the reading after the pause will tell
    except WalletRejected as refusal:
        # Some wallets let nobody complete. Then an expired quote is what ends the attempt.
        renewable = isinstance(refusal, TokenInactive)
        if renewable or not (_quote_is_dead(run, at=run.now) or receiver_is_over(run)):
            raise
    if received >= run.receive_amount.value:
        return complete(run)
    with run.commit(wait_until=run.now + IN_FLIGHT_FOR):
        run.update_attempt(fenced_at=run.now)


def _conclude(run: PaymentRun, grant: Grant) -> None:
    """After the pause: what the closed receiver holds now is final."""
    assert run.attempt.fenced_at is not None
    if run.now < run.attempt.fenced_at + IN_FLIGHT_FOR:
        with run.commit(wait_until=run.attempt.fenced_at + IN_FLIGHT_FOR):
            return None
    receiver = _read_closed_receiver(run, grant)
    received = receiver.received_amount.value if receiver else 0
    if received >= run.receive_amount.value:
        return complete(run)
    closed = receiver is None or receiver.completed or receiver_is_over(run)
    if not closed and not _quote_is_dead(run, at=run.attempt.fenced_at):
        # The wallet said it closed it, and it is open: begin again.
        with run.commit(wait_seconds=LOOK_AGAIN_SECONDS):
            return run.update_attempt(fenced_at=None)
    outgoing = _last_look(run)
    if outgoing is not None and outgoing.sent_amount.value > 0 and received == 0:
        _note_payer_debited(run, outgoing)
    if received > 0:
        return _end_partially(run, received)
    if run.status is P.UNKNOWN and run.attempt.number < MAX_ATTEMPTS:
        if run.held is not None:
            return _pay_another_receiver_if_the_sender_agrees(run)
        if run.may_ask_the_payer_again():
            return _ask_the_payer_again(run)
    _end_undelivered(run, errors.NO_MONEY_SENT if _sent_nothing(outgoing) else errors.NOT_DELIVERED)


def _read_closed_receiver(run: PaymentRun, grant: Grant) -> IncomingPayment | None:
    try:
        return run.ask(
            operations.get_incoming_payment(
                url=run.attempt.incoming_payment_url, token=grant.open_secrets().access_token
            ),
            grant=grant,
        )
    except NotFound:
        if not receiver_is_over(run):
            raise
        return None


def note_a_part(run: PaymentRun, received: int) -> None:
    """A part arrived and the rest never will: a person has to settle the rest."""
    Discrepancy.note(
        payment=run.payment,
        kind="PARTIALLY_DELIVERED",
        expected=str(run.payment.receive_value),
        actual=str(received),
        at=run.now,
        evidence={"incomingPayment": run.attempt.incoming_payment_url},
    )


def _end_partially(run: PaymentRun, received: int) -> None:
    note_a_part(run, received)
    with run.commit(P.FAILED, delivered_value=received, **errors.PARTIALLY_DELIVERED.fields()):
        run.update_attempt(dead_at=run.now, proof="receiver closed with a part received")


def _pay_another_receiver_if_the_sender_agrees(run: PaymentRun) -> None:
    """A held grant is locked to no receiver, so the payer need not be asked: their wallet is.

    Whoever runs the receiver's wallet gains by saying that nothing came, and is not believed alone.
    """
    if not run.grant_with_token(GrantKind.OUTGOING_PAYMENT):
        if run.why_the_held_grant_cannot_pay():
            return _end_undelivered(run, errors.NOT_DELIVERED)
        with run.commit(wait_seconds=LOOK_AGAIN_SECONDS):
            return run.ask_for_a_token()
    try:
        outgoing = _look_up(run)
    except HasNoEnd:
        return _end_undelivered(run, errors.NOT_DELIVERED)
    if outgoing is None and not _quote_is_dead(run, at=run.now):
        # Its list does not agree before the order can be in it no more: wallets may be late.
        return _wait_for_the_quote_to_die(run)
    if outgoing is None or _sent_nothing(outgoing):
        return _pay_another_receiver(run)
    if not outgoing.failed and outgoing.sent_amount.value == 0 and run.now <= _give_up_at(run):
        # It tries to send to a receiver that takes nothing any more, and will soon say so.
        with run.commit(wait_seconds=LOOK_AGAIN_SECONDS):
            return None
    return _end_undelivered(run, errors.NOT_DELIVERED)


def _wait_for_the_quote_to_die(run: PaymentRun) -> None:
    expires_at = run.attempt.quote_expires_at
    if expires_at is None:
        return _end_undelivered(run, errors.NOT_DELIVERED)
    with run.commit(wait_until=expires_at + QUOTE_DEAD_AFTER + timedelta(seconds=1)):
        return None


def _pay_another_receiver(run: PaymentRun) -> None:
    with run.commit(P.AUTHORIZED, reason="attempt proven dead", deadline_at=run.now + SEND_WITHIN):
        run.update_attempt(dead_at=run.now, proof=NOTHING_CAN_ARRIVE)
        run.new_attempt()


def _end_undelivered(run: PaymentRun, failure: errors.Failure) -> None:
    with run.commit(P.FAILED, **failure.fields(owed=run.is_owed)):
        run.update_attempt(dead_at=run.now, proof=NOTHING_CAN_ARRIVE)


def _ask_the_payer_again(run: PaymentRun) -> None:
    # Proof (a) closed the receiver that the grant is locked to: a new one needs a new consent.
    with run.commit(
        P.CREATED,
        reason="attempt proven dead",
        deadline_at=run.now + PREPARE_FOR,
        debit_value=None,
        max_debit_value=None,
    ):
        run.update_attempt(dead_at=run.now, proof=NOTHING_CAN_ARRIVE)
        if grant := run.grant(GrantKind.OUTGOING_PAYMENT):
            run.end_grant(grant, GrantStatus.SUPERSEDED)
        run.new_attempt()


# --- evidence -------------------------------------------------------------------------------------


def note_past_deadline(run: PaymentRun) -> None:
    """Money may be moving and it takes too long: a person should look, we go on asking."""
    Discrepancy.note(
        payment=run.payment,
        kind="PAST_DEADLINE",
        expected=f"over by {run.payment.deadline_at.isoformat()}",
        actual=str(run.status),
        at=run.now,
    )


def _note_payer_debited(run: PaymentRun, outgoing: OutgoingPayment) -> None:
    Discrepancy.note(
        payment=run.payment,
        kind="PAYER_DEBITED",
        expected="0 sent for an attempt that delivered nothing",
        actual=f"{outgoing.sent_amount.value} {outgoing.sent_amount.asset_code} sent",
        at=run.now,
        evidence={"outgoingPayment": outgoing.id},
    )


def _note_two_payments(run: PaymentRun, matches: list[OutgoingPayment]) -> None:
    Discrepancy.note(
        payment=run.payment,
        kind="TWO_OUTGOING_PAYMENTS",
        expected="1 outgoing payment",
        actual=f"{len(matches)} outgoing payments",
        at=run.now,
        evidence={"outgoingPayments": [match.id for match in matches]},
    )


# --- small questions ------------------------------------------------------------------------------


def _read_outgoing(run: PaymentRun) -> OutgoingPayment | None:
    """The sender's view; None when it cannot be had. A convenience, never a proof."""
    grant = run.grant_with_token(GrantKind.OUTGOING_PAYMENT)
    if grant is None or not run.attempt.outgoing_payment_url:
        return None
    try:
        return run.ask(
            operations.get_outgoing_payment(
                url=run.attempt.outgoing_payment_url, token=grant.open_secrets().access_token
            ),
            grant=grant,
        )
    except OpenPaymentsError:
        return None


def _last_look(run: PaymentRun) -> OutgoingPayment | None:
    if run.attempt.outgoing_payment_url:
        return _read_outgoing(run)
    try:
        return _look_up(run)
    except (OpenPaymentsError, HasNoEnd):
        return None


def _sent_nothing(outgoing: OutgoingPayment | None) -> bool:
    return outgoing is not None and outgoing.failed and outgoing.sent_amount.value == 0


def _quote_is_dead(run: PaymentRun, *, at: datetime) -> bool:
    expires_at = run.attempt.quote_expires_at
    return expires_at is not None and at > expires_at + QUOTE_DEAD_AFTER


def _give_up_at(run: PaymentRun) -> datetime:
    assert run.attempt.sent_at is not None
    if run.attempt.quote_expires_at is None:
        return run.attempt.sent_at + ARRIVE_WITHOUT_QUOTE_EXPIRY
    return run.attempt.quote_expires_at + ARRIVE_WITHIN


def _poll_pause(run: PaymentRun) -> float:
    assert run.attempt.sent_at is not None
    age = run.now - run.attempt.sent_at
    return next((pause for until, pause in POLLING if age < until), LONGEST_POLL_SECONDS)
