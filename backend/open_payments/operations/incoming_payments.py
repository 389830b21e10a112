"""Places to send money to: the receiver's resource server.

Spec: Open Payments resource server 1.3.0, tag incoming-payment.
"""

from datetime import datetime

from backend.open_payments import documents, urls
from backend.open_payments.errors import MismatchedResponse
from backend.open_payments.exchange import ListOperation, Operation, expect, operation
from backend.open_payments.operations.lists import list_operation
from backend.open_payments.types import Amount, IncomingPayment, PublicIncomingPayment
from backend.open_payments.wallet_addresses import same_wallet_address


def create_incoming_payment(
    *,
    resource_server: str,
    token: str,
    wallet_address: str,
    incoming_amount: Amount | None = None,
    expires_at: datetime | None = None,
    metadata: documents.JsonObject | None = None,
) -> Operation[IncomingPayment]:
    """Make a place for `incoming_amount` (None: any sum) at the receiver's wallet.

    `expires_at` None leaves it to the wallet. Repeating makes a second one, which is harmless
    while nobody pays it.

    Spec: resource server, POST /incoming-payments.
    """
    body: dict[str, object] = {"walletAddress": wallet_address}
    if incoming_amount is not None:
        body["incomingAmount"] = incoming_amount.to_json()
    if expires_at is not None:
        body["expiresAt"] = documents.write_instant(expires_at)
    if metadata is not None:
        body["metadata"] = metadata

    def read(document: object) -> IncomingPayment:
        made = IncomingPayment.from_json(document)
        require_wallet(made.wallet_address, asked=wallet_address)
        expect("incomingAmount", expected=incoming_amount, received=made.incoming_amount)
        expect("receivedAmount", expected=0, received=made.received_amount.value)
        expect("completed", expected=False, received=made.completed)
        # This URL becomes the `receiver` of a payment: it must be the payee's wallet.
        urls.require_same_origin(made.id, as_url=resource_server, what="incoming payment")
        return made

    return operation(
        "create-incoming-payment",
        method="POST",
        url=urls.collection(resource_server, "incoming-payments"),
        token=token,
        body=body,
        expected_status=201,
        read=read,
    )


def get_incoming_payment(*, url: str, token: str) -> Operation[IncomingPayment]:
    """Read an incoming payment as its client.

    Spec: resource server, GET /incoming-payments/{id}.
    """
    urls.check_url(url)

    def read(document: object) -> IncomingPayment:
        found = IncomingPayment.from_json(document)
        urls.require_same_resource(found.id, asked=url, what="incoming payment")
        return found

    return operation("get-incoming-payment", method="GET", url=url, token=token, read=read)


def get_public_incoming_payment(*, url: str) -> Operation[PublicIncomingPayment]:
    """Read, without a token, how much has arrived.

    Spec: resource server, GET /incoming-payments/{id}, schema `public-incoming-payment`.
    """
    urls.check_url(url)

    def read(document: object) -> PublicIncomingPayment:
        found = PublicIncomingPayment.from_json(document)
        if urls.is_downgrade(url, found.auth_server):
            raise MismatchedResponse(
                "auth server", expected="an https URL", received=found.auth_server
            )
        return found

    return operation("get-public-incoming-payment", method="GET", url=url, read=read)


def list_incoming_payments(
    *,
    resource_server: str,
    token: str,
    wallet_address: str,
    first: int | None = None,
    last: int | None = None,
    cursor: str | None = None,
) -> ListOperation[IncomingPayment]:
    """List the wallet address's incoming payments that this client made.

    `first` items after `cursor`, or `last` items before it; None leaves the size to the wallet.

    Spec: resource server, GET /incoming-payments.
    """

    def read_item(document: object) -> IncomingPayment:
        found = IncomingPayment.from_json(document)
        require_wallet(found.wallet_address, asked=wallet_address)
        # It may become a `receiver`, and is asked with our token: it must be the payee's wallet.
        urls.require_same_origin(found.id, as_url=resource_server, what="incoming payment")
        return found

    return list_operation(
        "list-incoming-payments",
        url=urls.collection(resource_server, "incoming-payments"),
        token=token,
        wallet_address=wallet_address,
        first=first,
        last=last,
        cursor=cursor,
        read_item=read_item,
    )


def complete_incoming_payment(*, url: str, token: str) -> Operation[IncomingPayment]:
    """Close an incoming payment: money that comes later bounces.

    Safe to repeat: WrongState then means that it is closed or expired.

    Spec: resource server, POST /incoming-payments/{id}/complete.
    """
    urls.check_url(url)

    def read(document: object) -> IncomingPayment:
        closed = IncomingPayment.from_json(document)
        urls.require_same_resource(closed.id, asked=url, what="incoming payment")
        expect("completed", expected=True, received=closed.completed)
        return closed

    return operation(
        "complete-incoming-payment", method="POST", url=f"{url}/complete", token=token, read=read
    )


def require_wallet(received: str, *, asked: str) -> None:
    """Refuse a resource of another wallet address than the one it was asked for."""
    if not same_wallet_address(asked, received):
        raise MismatchedResponse("walletAddress", expected=asked, received=received)
