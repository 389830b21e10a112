"""The public documents of a wallet address; neither is signed."""

from backend.open_payments import urls
from backend.open_payments.errors import MismatchedResponse
from backend.open_payments.exchange import Operation, operation
from backend.open_payments.types import JsonWebKeySet, WalletAddress
from backend.open_payments.wallet_addresses import same_wallet_address


def get_wallet_address(*, url: str) -> Operation[WalletAddress]:
    """Ask a wallet address for its servers and its asset.

    Use the answer's `id` from then on: servers compare it as an exact text.

    Spec: wallet address server, GET /.
    """
    urls.check_url(url)

    def read(document: object) -> WalletAddress:
        found = WalletAddress.from_json(document)
        if not same_wallet_address(url, found.id):
            raise MismatchedResponse("wallet address", expected=url, received=found.id)
        for name, server in (
            ("auth server", found.auth_server),
            ("resource server", found.resource_server),
        ):
            if urls.is_downgrade(url, server):
                raise MismatchedResponse(name, expected="an https URL", received=server)
        return found

    return operation("get-wallet-address", method="GET", url=url, read=read)


def get_keys(*, wallet_address: str) -> Operation[JsonWebKeySet]:
    """Ask for the keys with which a client signs.

    Spec: wallet address server, GET /jwks.json.
    """
    urls.check_url(wallet_address)
    url = f"{wallet_address.removesuffix('/')}/jwks.json"
    return operation("get-keys", method="GET", url=url, read=JsonWebKeySet.from_json)
