"""The two ways of refusing a badly signed request: the auth server's and the resource server's."""

from backend.open_payments.errors import SignatureInvalid
from sandbox_wallet import clients
from sandbox_wallet.bank import Bank, Call
from sandbox_wallet.clients import Client
from sandbox_wallet.wire import auth_refusal, resource_refusal


def check_for_auth_server(bank: Bank, call: Call, client: Client) -> None:
    """Check that `client` signed this request to an auth server.

    Raises:
        Refusal: the signature is missing, wrong, or of a key the client does not publish.
    """
    try:
        clients.verify(bank, call, client)
    except clients.SignatureMissing:
        raise auth_refusal(401, "invalid_client", "signature headers are missing") from None
    except SignatureInvalid as wrong:
        raise auth_refusal(401, "invalid_client", f"invalid signature: {wrong}") from wrong
    except clients.UnknownClient as unknown:
        reason = f"could not determine client: {unknown}"
        raise auth_refusal(400, "invalid_client", reason) from unknown


def check_for_resource_server(bank: Bank, call: Call, client: Client) -> None:
    """Check that `client` signed this request to a resource server.

    Raises:
        Refusal: the signature is missing, wrong, or of a key the client does not publish.
    """
    try:
        clients.verify(bank, call, client)
    except clients.SignatureMissing:
        reason = "Received error validating OpenAPI request: signature headers are required"
        raise resource_refusal(400, reason) from None
    except (SignatureInvalid, clients.UnknownClient) as wrong:
        raise resource_refusal(401, f"Signature validation error: {wrong}") from wrong
