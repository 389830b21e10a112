"""The public face of a wallet: its address document and its keys.

Spec: Open Payments wallet address server 1.3.0.
"""

from sandbox_wallet.bank import Bank, Call, Wallet
from sandbox_wallet.clients import local_keys
from sandbox_wallet.wire import Json, Refusal, WireResponse, json_response


def get_wallet_address(bank: Bank, call: Call) -> WireResponse:
    """Show currency and servers of a wallet address.

    Spec: GET / of the wallet address.
    """
    wallet = _asked(bank, call)
    document: Json = {
        "id": wallet.url,
        "assetCode": wallet.asset.code,
        "assetScale": wallet.asset.scale,
        "authServer": bank.auth_server(wallet.tenant),
        "resourceServer": bank.resource_server(wallet.tenant),
    }
    if wallet.public_name is not None:
        document["publicName"] = wallet.public_name
    return json_response(200, document)


def get_keys(bank: Bank, call: Call) -> WireResponse:
    """Show the keys that a wallet's client instances sign with.

    Spec: GET /jwks.json of the wallet address.
    """
    return json_response(200, {"keys": local_keys(bank, _asked(bank, call).name)})


def _asked(bank: Bank, call: Call) -> Wallet:
    # Wallet addresses are looked up in lower case, as in Rafiki.
    wallet = bank.wallet(call.args["wallet"].lower())
    if wallet is None:
        raise Refusal(404, {"error": {"code": "404", "description": "unknown wallet address"}})
    call.wallet = wallet.name
    return wallet
