"""What receivers' wallets show of payments that are over. Reading that needs no token.

Of a payment that is not over, nothing here is wrong yet: money may arrive at any moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from backend.open_payments import Client, OpenPaymentsError, WalletUnreachable, operations
from backend.open_payments.errors import NotFound
from backend.open_payments.types import PublicIncomingPayment
from backend.payments.models import Attempt, Payment
from backend.payments.status import TERMINAL, PaymentStatus
from backend.reconciliation.findings import Finding, Kind, of_payment
from backend.reconciliation.senders import Orders

KINDS = (
    Kind.DELIVERED_LESS,
    Kind.DELIVERED_MORE,
    Kind.DELIVERED_OTHER_ASSET,
    Kind.LATE_CREDIT,
    Kind.PAID_BY_STRANGER,
    Kind.OTHER_WALLET,
)


@dataclass(slots=True)
class Seen:
    """What was read of some payments: findings, whose ids, and how many could not be read."""

    findings: list[Finding] = field(default_factory=list)
    judged: list[UUID] = field(default_factory=list)
    unreadable: int = 0


def check(payments: Sequence[Payment], *, client: Client, orders: Orders) -> Seen:
    """Read the receivers of `payments`; call it outside of any transaction."""
    seen = Seen()
    over = [payment for payment in payments if payment.status in TERMINAL]
    attempts: dict[UUID, list[Attempt]] = {}
    for attempt in Attempt.objects.filter(payment__in=over).exclude(incoming_payment_url=""):
        attempts.setdefault(attempt.payment_id, []).append(attempt)
    silent: set[str] = set()
    for payment in over:
        tried = attempts.get(payment.id, [])
        if not tried:
            continue
        shown = _read(client, tried, silent=silent)
        if shown is None:
            seen.unreadable += 1
            continue
        seen.judged.append(payment.id)
        seen.findings += _findings(payment, tried, shown, orders)
    return seen


def _read(
    client: Client, tried: Sequence[Attempt], *, silent: set[str]
) -> dict[str, PublicIncomingPayment] | None:
    """Read them all; None: one cannot be read. Whoever is silent is not waited for again.

    One receiver can serve two attempts. Rafiki forgets those that expired with nothing received;
    so of an attempt that is proved dead that is no reason not to see the others.
    """
    shown = {}
    alive = {each.incoming_payment_url for each in tried if each.dead_at is None}
    for url in sorted({each.incoming_payment_url for each in tried}):
        host = urlsplit(url).netloc
        if host in silent:
            return None
        try:
            incoming = client.send(operations.get_public_incoming_payment(url=url))
        except WalletUnreachable:
            silent.add(host)
            return None
        except NotFound:
            if not alive or url in alive:
                return None
            continue
        except OpenPaymentsError:
            return None
        if incoming.received_amount is None:
            # It shows that to tokens only, which are not asked for here.
            return None
        shown[url] = incoming
    return shown


def _findings(
    payment: Payment,
    tried: Sequence[Attempt],
    shown: dict[str, PublicIncomingPayment],
    orders: Orders,
) -> Iterator[Finding]:
    for url, incoming in shown.items():
        if not _is_one_server(payment.receiver.auth_server, incoming.auth_server):
            yield of_payment(
                Kind.OTHER_WALLET,
                payment.id,
                payment.receiver.auth_server,
                incoming.auth_server,
                incomingPayment=url,
            )
    amounts = [each.received_amount for each in shown.values() if each.received_amount]
    other = [each for each in amounts if not each.same_asset(payment.delivered_amount)]
    if other:
        yield of_payment(
            Kind.DELIVERED_OTHER_ASSET,
            payment.id,
            f"{payment.receive_asset_code}/{payment.receive_asset_scale}",
            f"{other[0].value} {other[0].asset_code}/{other[0].asset_scale}",
            incomingPayments=sorted(shown),
        )
        return
    received = sum(each.value for each in amounts)
    kind = _kind_of(payment, received, orders.delivered_to(payment, tried))
    if kind is not None:
        yield of_payment(
            kind,
            payment.id,
            f"{payment.delivered_value} {payment.receive_asset_code}/{payment.receive_asset_scale}",
            str(received),
            incomingPayments=sorted(shown),
        )


def _is_one_server(known: str, shown: str) -> bool:
    """Rafiki joins its own address and the tenant here in another way than in a wallet's document.

    So slashes do not count, and where it names no tenant it names only itself.
    """
    known_parts, shown_parts = urlsplit(known), urlsplit(shown)
    if known_parts[:2] != shown_parts[:2]:
        return False
    path, other = (
        [each for each in url.path.split("/") if each] for url in (known_parts, shown_parts)
    )
    return not other or path == other


def _kind_of(payment: Payment, received: int, ordered: int | None) -> Kind | None:
    """What is wrong with `received`; `ordered` is what the sender's wallet says it was to send."""
    if received < payment.delivered_value:
        return Kind.DELIVERED_LESS
    if ordered is not None and received > ordered:
        return Kind.PAID_BY_STRANGER
    if received == payment.delivered_value:
        return None
    completed = payment.status == PaymentStatus.COMPLETED
    return Kind.DELIVERED_MORE if completed else Kind.LATE_CREDIT
