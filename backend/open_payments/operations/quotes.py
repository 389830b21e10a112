"""What paying would cost: the sender's resource server.

Spec: Open Payments resource server 1.3.0, tag quote.
"""

from backend.open_payments import grants, urls
from backend.open_payments.errors import InvalidValue
from backend.open_payments.exchange import Operation, expect, operation
from backend.open_payments.operations.incoming_payments import require_wallet
from backend.open_payments.types import Amount, Quote

METHOD = "ilp"


def create_quote(
    *,
    resource_server: str,
    token: str,
    wallet_address: str,
    receiver: str,
    debit_amount: Amount | None = None,
    receive_amount: Amount | None = None,
) -> Operation[Quote]:
    """Ask the sender's wallet what paying the incoming payment `receiver` would cost.

    With `debit_amount` the sender's total is fixed, fees included; with `receive_amount` what
    arrives is; with neither, the receiver's whole incoming amount. Safe to repeat: an unused
    quote simply expires.

    Raises:
        InvalidValue: both amounts are given, one is zero, or `receiver` is no incoming payment.

    Spec: resource server, POST /quotes.
    """
    grants.check_receiver(receiver)
    if debit_amount is not None and receive_amount is not None:
        raise InvalidValue("a quote fixes what is debited or what arrives, not both")
    body: dict[str, object] = {
        "walletAddress": wallet_address,
        "receiver": receiver,
        "method": METHOD,
    }
    for name, amount in (("debitAmount", debit_amount), ("receiveAmount", receive_amount)):
        if amount is not None:
            require_positive(amount)
            body[name] = amount.to_json()

    def read(document: object) -> Quote:
        made = Quote.from_json(document)
        require_wallet(made.wallet_address, asked=wallet_address)
        expect("receiver", expected=receiver, received=made.receiver)
        expect("method", expected=METHOD, received=made.method)
        if debit_amount is not None:
            expect("debitAmount", expected=debit_amount, received=made.debit_amount)
        if receive_amount is not None:
            expect("receiveAmount", expected=receive_amount, received=made.receive_amount)
        urls.require_same_origin(made.id, as_url=resource_server, what="quote")
        return made

    return operation(
        "create-quote",
        method="POST",
        url=urls.collection(resource_server, "quotes"),
        token=token,
        body=body,
        expected_status=201,
        read=read,
    )


def get_quote(*, url: str, token: str) -> Operation[Quote]:
    """Read a quote.

    Spec: resource server, GET /quotes/{id}.
    """
    urls.check_url(url)

    def read(document: object) -> Quote:
        found = Quote.from_json(document)
        urls.require_same_resource(found.id, asked=url, what="quote")
        return found

    return operation("get-quote", method="GET", url=url, token=token, read=read)


def require_positive(amount: Amount) -> None:
    """Refuse to ask a wallet to move nothing."""
    if amount.value == 0:
        raise InvalidValue("an amount to pay is more than zero")
