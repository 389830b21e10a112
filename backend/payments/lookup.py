"""Asking the wallets what they know of a payment, before anything is ordered for it.

After a restored backup an order may have been given that no row of ours tells of. The receiver's
wallet lists what was made for us to be paid into, by a token that needs nobody's consent, and every
such place carries our ids: so it is found even if it was made after the backup. The sender's wallet
is asked as well where a consent lets us, because whoever runs the receiver's wallet gains by
leaving one out. What was found is gone on with as after a lost answer (proofs.py).

Where a wallet does not answer nothing is ordered, and nothing fails: the payment waits, asks again,
and past its deadline a discrepancy says why.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.db.models import Q

from backend.accounts.models import WalletAddress
from backend.open_payments import OpenPaymentsError, operations
from backend.open_payments.types import Amount, IncomingPayment, OutgoingPayment
from backend.payments.lists import AT_ONCE, CLOCKS_APART, HasNoEnd, orders, pages
from backend.payments.models import Attempt, Discrepancy, Grant, Payment
from backend.payments.outcomes import Outcome, outcome_of
from backend.payments.patience import in_our_time, pause_seconds
from backend.payments.paying import PaymentRun
from backend.payments.quoting import LARGEST_VALUE, known_debit, price
from backend.payments.receiving import read_receiver
from backend.payments.status import BEFORE_CONSENT, IN_FLIGHT, GrantKind, GrantStatus, PaymentStatus
from backend.payments.tokens import with_token

P = PaymentStatus

LOOK_AGAIN_SECONDS = 600
EXPLAINED_WITHIN_SECONDS = 30
# Some minutes: each of the later ones is half a minute.
RENEWED_WITHIN_TRIES = 15
CANNOT_LOOK_UP = "CANNOT_LOOK_UP"
_URLS = ("incoming_payment_url", "outgoing_payment_url")
FOUND = "found at the wallets, not in the rows"


def metadata(run: PaymentRun) -> dict[str, str]:
    """What a place to be paid into carries, so that it is found by rows that never saw it."""
    return {
        "attempt": str(run.attempt.id),
        "payment": str(run.payment.id),
        "reference": str(run.payment.reference),
    }


def is_first(run: PaymentRun) -> bool:
    """Whether the wallets are to be asked before this payment goes on.

    Not while the answer to a call that must not be repeated waits to be taken up: no such call
    but the order moves money, and after the order it is in flight.
    """
    marked = run.payment.look_up_since is not None
    return marked and run.status not in IN_FLIGHT and not run.payment.pending_call_id


def look_up(run: PaymentRun) -> None:
    """Ask both wallets; take up what they know, or let the payment go on. May be repeated."""
    if _may_renew_the_token(run):
        return _wait_for_the_token(run)
    try:
        return with_token(run, GrantKind.INCOMING_PAYMENT, _look_up)
    except OpenPaymentsError as error:
        return _after_failed_look(run, error)
    except HasNoEnd:
        return _wait_for_a_person(run, "a wallet lists more than can be read")


def _look_up(run: PaymentRun, grant: Grant) -> None:
    places = _places(run, grant)
    # Before the consent was collected there is no token, whatever the grant's status.
    consented = run.status not in BEFORE_CONSENT
    asked = run.grant_with_token(GrantKind.OUTGOING_PAYMENT) if consented else None
    order = _order(run, asked, places) if asked else None
    place = next((each for each in places if each.received.value > 0), None)
    if order is not None:
        place = next((each for each in places if each.url == order.receiver), None)
        if place is None:
            return _wait_for_a_person(run, f"the sender's wallet pays to {order.receiver}")
    if place is not None:
        return _take_up(run, place, order)
    if asked and (unexplained := _unexplained_order(run, asked)):
        return _wait_for_an_explanation(run, unexplained)
    if not places:
        return _go_on(run)
    return _go_on_with_an_unpaid_place(run, places[0], sender_knows_nothing=asked is not None)


# --- what the wallets show ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where this payment's money can arrive. `wanted` None: as our rows say."""

    url: str
    received: Amount
    wanted: Amount | None = None
    shown: IncomingPayment | None = None


def _places(run: PaymentRun, grant: Grant) -> list[_Place]:
    """All places of this payment that can hold or take money."""
    listed = _listed(run, grant)
    own = run.attempt.incoming_payment_url
    ours = [item for item in listed if item.id == own or _names_us(run, item)]
    # A dead attempt's place is judged already, and another payment's is booked there.
    judged = set(
        Attempt.objects.filter(incoming_payment_url__in=[item.id for item in ours])
        .exclude(id=run.attempt.id)
        .values_list("incoming_payment_url", flat=True)
    )
    places = [
        _Place(url=item.id, received=item.received_amount, wanted=item.incoming_amount, shown=item)
        for item in ours
        if item.id == own or item.id not in judged
        if item.received_amount.value > 0 or not item.completed
    ]
    if own and all(item.id != own for item in ours):
        # It is older than what was listed, and reading it needs no list.
        received = Amount(
            value=read_receiver(run),
            asset_code=run.payment.receive_asset_code,
            asset_scale=run.payment.receive_asset_scale,
        )
        places.append(_Place(url=own, received=received))
    return places


def _listed(run: PaymentRun, grant: Grant) -> list[IncomingPayment]:
    """What the receiver's wallet lists of the time that our rows may lack."""
    page_of = operations.list_incoming_payments(
        resource_server=run.payment.receiver.resource_server,
        token=grant.open_secrets().access_token,
        wallet_address=run.payment.receiver.url,
        first=AT_ONCE,
    )
    return [item for page in pages(run, grant, page_of, since=_lacks_since(run)) for item in page]


def _lacks_since(run: PaymentRun) -> datetime:
    assert run.payment.look_up_since is not None
    return run.payment.look_up_since


def _names_us(run: PaymentRun, item: IncomingPayment) -> bool:
    named = item.metadata or {}
    return any(named.get(key) == value for key, value in metadata(run).items())


def _order(run: PaymentRun, grant: Grant, places: list[_Place]) -> OutgoingPayment | None:
    """The newest order of this payment that the sender's wallet lists and that did not fail."""
    urls = {place.url for place in places}
    ours = (
        item
        for page in orders(run, grant, since=_lacks_since(run))
        for item in page
        if item.receiver in urls or (item.metadata or {}).get("attempt") == str(run.attempt.id)
    )
    return next((item for item in ours if not item.failed or item.sent_amount.value > 0), None)


def _unexplained_order(run: PaymentRun, grant: Grant) -> OutgoingPayment | None:
    """An order to where the receiver has a wallet, of this payment's sum, that no row tells of.

    It may be of this payment: a wallet need not keep metadata, whoever runs the receiver's can
    leave a place out of its list, and it may have been paid into another wallet of theirs.
    """
    since, theirs = _lacks_since(run) - CLOCKS_APART, _wallets_of_the_receiver(run.payment)
    listed = [
        item
        for page in orders(run, grant, since=since)
        for item in page
        if item.created_at >= since and _could_be_of(run.payment, item, theirs)
    ]
    receivers, ids = [item.receiver for item in listed], [item.id for item in listed]
    known = Attempt.objects.filter(
        Q(incoming_payment_url__in=receivers) | Q(outgoing_payment_url__in=ids)
    )
    rows = {url for both in known.values_list(*_URLS) for url in both}
    return next((item for item in listed if not rows & {item.receiver, item.id}), None)


def _wallets_of_the_receiver(payment: Payment) -> set[tuple[str, str, int]]:
    """Host, asset code and scale of all that they ever named: each of them can have been paid."""
    named = WalletAddress.objects.filter(owner=payment.receiver.owner_id).exclude(owner=None)
    return {
        (urlsplit(each.resource_server).netloc, *each.asset) for each in (payment.receiver, *named)
    }


def _could_be_of(
    payment: Payment, item: OutgoingPayment, theirs: Collection[tuple[str, str, int]]
) -> bool:
    if item.failed and item.sent_amount.value == 0:
        return False
    arrives = item.receive_amount
    asset = (arrives.asset_code, arrives.asset_scale)
    if (urlsplit(item.receiver).netloc, *asset) not in theirs:
        return False
    if asset != (payment.receive_asset_code, payment.receive_asset_scale):
        return True  # into another wallet of theirs, at a rate that is not ours to guess
    if payment.send_value is not None:
        return item.debit_amount.value <= payment.send_value
    return arrives == payment.receive_amount


def _wait_for_an_explanation(run: PaymentRun, order: OutgoingPayment) -> None:
    # Another payment that the backup lacks may find that it is its own.
    if run.now < run.payment.deadline_at:
        return run.try_later(at_least_seconds=EXPLAINED_WITHIN_SECONDS)
    return _wait_for_a_person(run, f"the sender's wallet pays to {order.receiver}, not in our rows")


def _may_renew_the_token(run: PaymentRun) -> bool:
    if run.held is None or run.grant_with_token(GrantKind.OUTGOING_PAYMENT):
        return False
    return run.why_the_held_grant_cannot_pay() is None


def _wait_for_the_token(run: PaymentRun) -> None:
    # Its own run renews it, or finds that it is over; then there is nobody to ask.
    tries = run.payment.tries
    if tries >= RENEWED_WITHIN_TRIES and run.now > run.payment.deadline_at:
        _note(run, "the sender's wallet does not renew the consent's token")
    seconds = pause_seconds(first=0.2, tries=tries, longest=30)
    with run.commit(wait_seconds=seconds, tries=tries + 1):
        run.ask_for_a_token()


# --- what is done about it ------------------------------------------------------------------------


def _take_up(run: PaymentRun, place: _Place, order: OutgoingPayment | None) -> None:
    """An order was given: from here on only the receiver's wallet decides, as after any order."""
    wanted = place.wanted or run.payment.receive_amount or place.received
    # Where the payer fixed what is sent, what arrives was priced anew each time.
    if run.payment.send_value is None and wanted != run.payment.receive_amount:
        return _wait_for_a_person(run, f"{place.url} is for {wanted.value}")
    if not _can_be_booked(run, wanted, order):
        return _wait_for_a_person(run, f"{place.url}: other assets or sums than can be booked")
    debit = order.debit_amount.value if order else _likely_debit(run, wanted)
    with run.commit(
        P.SENT,
        reason=FOUND,
        receive_value=wanted.value,
        debit_value=debit,
        look_up_since=None,
    ):
        _adopt(run, place)
        run.update_attempt(
            sent_at=run.now,
            outgoing_payment_url=order.id if order else "",
            quote_url=(order and order.quote_id) or run.attempt.quote_url,
        )
        run.count(debit)
        _settled(run)


def _can_be_booked(run: PaymentRun, wanted: Amount, order: OutgoingPayment | None) -> bool:
    """Whether what the wallets say is in the assets agreed on, is something, and fits a row."""
    payment = run.payment
    receiving = (payment.receive_asset_code, payment.receive_asset_scale)
    said = [(wanted, receiving)]
    if order is not None:
        said.append((order.debit_amount, payment.sender.asset))
    return all(
        (amount.asset_code, amount.asset_scale) == asset and 0 < amount.value <= LARGEST_VALUE
        for amount, asset in said
    )


def _likely_debit(run: PaymentRun, wanted: Amount) -> int:
    """What it took from the sender, where their wallet cannot be asked: what it would take now."""
    payment = run.payment
    if known := known_debit(payment, wanted.value):
        return known
    return price(
        run.ask,
        sender=run.sender,
        receiver=payment.receiver,
        receive_value=wanted.value,
        now=run.now,
    ).debit_value


def _go_on_with_an_unpaid_place(
    run: PaymentRun, place: _Place, *, sender_knows_nothing: bool
) -> None:
    """Nothing is there yet. It takes the sum only once, so another order to it cannot pay twice.

    That holds for an order too that was given just before the standstill and is still under way.
    """
    if sender_knows_nothing or run.status in BEFORE_CONSENT:
        return _go_on(run, place)
    # The consent can no longer be used, not even to ask: close the place before anything else.
    with run.commit(P.UNKNOWN, reason="the sender's wallet cannot be asked"):
        _adopt(run, place)
        run.update_attempt(sent_at=run.now)
        _settled(run)


def _go_on(run: PaymentRun, place: _Place | None = None) -> None:
    with run.commit(look_up_since=None):
        if place is not None:
            _adopt(run, place)
        _settled(run)


def _settled(run: PaymentRun) -> None:
    Discrepancy.settle(payment=run.payment, kind=CANNOT_LOOK_UP, at=run.now)


def _adopt(run: PaymentRun, place: _Place) -> None:
    if place.url != run.attempt.incoming_payment_url and place.shown is not None:
        expires_at = place.shown.expires_at
        run.update_attempt(
            incoming_payment_url=place.url,
            incoming_payment_expires_at=expires_at and in_our_time(expires_at, now=run.now),
            quote_url="",
            quote_expires_at=None,
            quote_debit_value=None,
        )


def _after_failed_look(run: PaymentRun, error: OpenPaymentsError) -> None:
    # Not failed by time or by a refusal, as elsewhere before the order: it may have been paid, and
    # then "Nothing was charged" would be untrue.
    outcome, refused = outcome_of(error, repeatable=True), None
    in_time = run.now < run.payment.deadline_at
    if outcome is Outcome.RENEW_TOKEN and run.failed_grant is not None:
        # Without the consent's token the look goes on; without one of these there is no look.
        if in_time or run.failed_grant.kind == GrantKind.OUTGOING_PAYMENT:
            raise error
        refused = run.failed_grant
    if outcome is Outcome.TRY_LATER and in_time:
        return run.try_later(at_least_seconds=run.retry_after(error))
    return _wait_for_a_person(run, str(error), refused=refused)


def _wait_for_a_person(run: PaymentRun, why: str, *, refused: Grant | None = None) -> None:
    """Order nothing. The same look lets the payment go on later, or two operators end it.

    `refused`: a grant whose token is not used again.
    """
    _note(run, why)
    with run.commit(wait_seconds=LOOK_AGAIN_SECONDS):
        if refused is not None:
            run.end_grant(refused, GrantStatus.SUPERSEDED)


def _note(run: PaymentRun, why: str) -> None:
    Discrepancy.note(
        payment=run.payment,
        kind=CANNOT_LOOK_UP,
        expected="what the wallets know of it",
        actual=why[:200],
        at=run.now,
    )
