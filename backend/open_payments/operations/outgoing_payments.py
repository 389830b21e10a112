"""Instructions to pay: the sender's resource server.

Spec: Open Payments resource server 1.3.0, tag outgoing-payment.
"""

from collections.abc import Callable

from backend.open_payments import documents, grants, urls
from backend.open_payments.exchange import ListOperation, Operation, expect, operation
from backend.open_payments.operations.incoming_payments import require_wallet
from backend.open_payments.operations.lists import list_operation
from backend.open_payments.operations.quotes import require_positive
from backend.open_payments.types import Amount, OutgoingPayment, Quote, SpentAmounts


def create_outgoing_payment(
    *,
    resource_server: str,
    token: str,
    wallet_address: str,
    quote: Quote | str,
    metadata: documents.JsonObject | None = None,
) -> Operation[OutgoingPayment]:
    """Instruct the sender's wallet to pay as quoted; the answer means stored, not paid.

    With a `Quote` the answer is checked against all of it, with a quote's URL only against that.
    Not repeatable: after a lost answer look for the quote's payment first. A quote works once.

    Spec: resource server, POST /outgoing-payments.
    """
    quote_url = quote.id if isinstance(quote, Quote) else quote
    urls.check_url(quote_url, what="quote")

    def check(made: OutgoingPayment) -> None:
        if made.quote_id is not None:
            urls.require_same_resource(made.quote_id, asked=quote_url, what="quoteId")
        if isinstance(quote, Quote):
            expect("receiver", expected=quote.receiver, received=made.receiver)
            expect("debitAmount", expected=quote.debit_amount, received=made.debit_amount)
            expect("receiveAmount", expected=quote.receive_amount, received=made.receive_amount)

    return _create(
        resource_server=resource_server,
        token=token,
        wallet_address=wallet_address,
        instruction={"quoteId": quote_url},
        metadata=metadata,
        check=check,
    )


def create_outgoing_payment_to(
    *,
    resource_server: str,
    token: str,
    wallet_address: str,
    incoming_payment: str,
    debit_amount: Amount,
    metadata: documents.JsonObject | None = None,
) -> Operation[OutgoingPayment]:
    """Instruct the sender's wallet to debit a fixed sum at whatever rate it then has.

    Not repeatable, and nothing names the payment after a lost answer: prefer a quote.

    Spec: resource server, POST /outgoing-payments, variant without a quote.
    """
    grants.check_receiver(incoming_payment)
    require_positive(debit_amount)

    def check(made: OutgoingPayment) -> None:
        expect("receiver", expected=incoming_payment, received=made.receiver)
        expect("debitAmount", expected=debit_amount, received=made.debit_amount)

    return _create(
        resource_server=resource_server,
        token=token,
        wallet_address=wallet_address,
        instruction={"incomingPayment": incoming_payment, "debitAmount": debit_amount.to_json()},
        metadata=metadata,
        check=check,
    )


def get_outgoing_payment(*, url: str, token: str) -> Operation[OutgoingPayment]:
    """Read an outgoing payment.

    Spec: resource server, GET /outgoing-payments/{id}.
    """
    urls.check_url(url)

    def read(document: object) -> OutgoingPayment:
        found = OutgoingPayment.from_json(document)
        urls.require_same_resource(found.id, asked=url, what="outgoing payment")
        return found

    return operation("get-outgoing-payment", method="GET", url=url, token=token, read=read)


def list_outgoing_payments(
    *,
    resource_server: str,
    token: str,
    wallet_address: str,
    first: int | None = None,
    last: int | None = None,
    cursor: str | None = None,
) -> ListOperation[OutgoingPayment]:
    """List the wallet address's outgoing payments that this client made.

    `first` items after `cursor`, or `last` items before it; None leaves the size to the wallet.

    Spec: resource server, GET /outgoing-payments.
    """

    def read_item(document: object) -> OutgoingPayment:
        found = OutgoingPayment.from_json(document)
        require_wallet(found.wallet_address, asked=wallet_address)
        # It is asked with our token, as what is made here is.
        urls.require_same_origin(found.id, as_url=resource_server, what="outgoing payment")
        return found

    return list_operation(
        "list-outgoing-payments",
        url=urls.collection(resource_server, "outgoing-payments"),
        token=token,
        wallet_address=wallet_address,
        first=first,
        last=last,
        cursor=cursor,
        read_item=read_item,
    )


def get_spent_amounts(*, resource_server: str, token: str) -> Operation[SpentAmounts]:
    """Ask what the token's grant has spent, in the current interval if it has one.

    Spec: resource server 1.3.0, GET /outgoing-payment-grant.
    """
    return operation(
        "get-spent-amounts",
        method="GET",
        url=urls.collection(resource_server, "outgoing-payment-grant"),
        token=token,
        read=SpentAmounts.from_json,
    )


def _create(
    *,
    resource_server: str,
    token: str,
    wallet_address: str,
    instruction: documents.JsonObject,
    metadata: documents.JsonObject | None,
    check: Callable[[OutgoingPayment], None],
) -> Operation[OutgoingPayment]:
    body: dict[str, object] = {"walletAddress": wallet_address, **instruction}
    if metadata is not None:
        body["metadata"] = metadata

    def read(document: object) -> OutgoingPayment:
        made = OutgoingPayment.from_json(document)
        require_wallet(made.wallet_address, asked=wallet_address)
        urls.require_same_origin(made.id, as_url=resource_server, what="outgoing payment")
        check(made)
        return made

    return operation(
        "create-outgoing-payment",
        method="POST",
        url=urls.collection(resource_server, "outgoing-payments"),
        token=token,
        body=body,
        expected_status=201,
        read=read,
        repeatable=False,
    )
