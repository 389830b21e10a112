"""Who lives in a fresh sandbox, and with how much money."""

from collections.abc import Mapping

from sandbox_wallet.bank import Bank
from sandbox_wallet.ledger import account
from sandbox_wallet.money import Asset

PLATFORM = "platform"
PLATFORM_KEY_ID = "platform-key-1"
_RICH = 10_000_000_00
# Two banks, so that clients meet more than one auth server.
_NORTH, _SUR = "north", "sur"
_WALLETS = (
    ("alice", _NORTH, "Alice", Asset("USD", 2), _RICH),
    ("bob", _NORTH, "Bob", Asset("EUR", 2), _RICH),
    ("carmen", _SUR, "Carmen", Asset("MXN", 2), _RICH),
    ("diego", _SUR, "Diego", Asset("MXN", 2), _RICH),
    ("treasury", _NORTH, "Treasury", Asset("USD", 2), _RICH),
    ("shop", _NORTH, "Shop", Asset("USD", 2), _RICH),
    ("shop-mxn", _SUR, "Tienda", Asset("MXN", 2), _RICH),
    ("pobre", _NORTH, "Pobre", Asset("USD", 2), 0),
    (PLATFORM, _NORTH, "Sandbox Marketplace", Asset("USD", 2), 0),
)


def populate(bank: Bank) -> None:
    """Open the wallets and give them their money."""
    for name, tenant, public_name, asset, money in _WALLETS:
        bank.db.execute(
            "INSERT INTO wallets (name, tenant, public_name, asset) VALUES (?, ?, ?, ?)",
            (name, tenant, public_name, str(asset)),
        )
        for kind in ("settlement", "fee", "fx", "hold"):
            bank.ledger.open(kind, asset)
        bank.ledger.open("user", asset, wallet=name)
        bank.ledger.move(
            "deposit",
            source=account("settlement", asset),
            target=account("user", name),
            asset=asset,
            value=money,
            t=bank.now(),
        )


def publish_keys(bank: Bank, keys: Mapping[str, str]) -> None:
    """Have the client's jwks.json show these keys, `x` by `kid`, and no others."""
    bank.db.execute("DELETE FROM client_keys WHERE wallet = ?", (PLATFORM,))
    bank.db.executemany(
        "INSERT INTO client_keys (wallet, kid, x) VALUES (?, ?, ?)",
        [(PLATFORM, kid, x) for kid, x in keys.items()],
    )


def publish_platform_key(bank: Bank, x: str) -> None:
    """Make `x` the client's public key, also where an older one was; safe to repeat."""
    bank.db.execute(
        "INSERT OR REPLACE INTO client_keys (wallet, kid, x) VALUES (?, ?, ?)",
        (PLATFORM, PLATFORM_KEY_ID, x),
    )
