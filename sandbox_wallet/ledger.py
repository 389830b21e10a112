"""Double-entry book-keeping: every movement takes from one account and gives to another.

Within an asset all balances therefore add up to zero. Money enters from `settlement`, which
alone starts out negative; `fx` holds what exchanges took in and gave out; `hold` is money of
payments on their way; `fee` is what the wallets earned. User accounts never go below zero:
the database refuses it.
"""

import sqlite3

from sandbox_wallet.money import Asset
from sandbox_wallet.wire import Json


class NotEnoughMoney(Exception):
    """The account does not hold this much."""


def account(kind: str, owner: object) -> str:
    """Return the id of an account: `user:alice`, `fee:USD/2`."""
    return f"{kind}:{owner}"


class Ledger:
    """The accounts and movements of one sandbox; callers hold the transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def open(self, kind: str, asset: Asset, wallet: str | None = None) -> None:
        """Create an account with nothing in it; safe to repeat."""
        self._db.execute(
            "INSERT OR IGNORE INTO accounts (id, kind, wallet, asset) VALUES (?, ?, ?, ?)",
            (account(kind, wallet or asset), kind, wallet, str(asset)),
        )

    def balance(self, account_id: str) -> int:
        """Return the balance of an account in its smallest unit."""
        row = self._db.execute("SELECT balance FROM accounts WHERE id = ?", (account_id,))
        return int(row.fetchone()[0])

    def move(
        self,
        kind: str,
        *,
        source: str,
        target: str,
        asset: Asset,
        value: int,
        t: int,
        outgoing: str | None = None,
        quote: str | None = None,
        receiver: str | None = None,
        client: str | None = None,
    ) -> None:
        """Move `value` and record why; moving nothing records nothing.

        Raises:
            NotEnoughMoney: `source` is a user's and holds less; nothing moved.
        """
        if value == 0:
            return
        if source.startswith("user:") and self.balance(source) < value:
            raise NotEnoughMoney(source)
        self._db.execute("UPDATE accounts SET balance = balance - ? WHERE id = ?", (value, source))
        self._db.execute("UPDATE accounts SET balance = balance + ? WHERE id = ?", (value, target))
        self._db.execute(
            "INSERT INTO movements (t, kind, source, target, asset, value, outgoing, quote,"
            " receiver, client) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (t, kind, source, target, str(asset), value, outgoing, quote, receiver, client),
        )

    def accounts(self) -> list[Json]:
        """Return every account with its balance."""
        rows = self._db.execute("SELECT * FROM accounts ORDER BY kind, id")
        return [
            {
                "account": row["id"],
                "kind": row["kind"],
                "wallet": row["wallet"],
                "asset": row["asset"],
                "balance": row["balance"],
            }
            for row in rows
        ]

    def movements(self, receiver: str | None = None) -> list[sqlite3.Row]:
        """Return the movements in order; only those towards `receiver` unless it is None."""
        if receiver is None:
            return self._db.execute("SELECT * FROM movements ORDER BY id").fetchall()
        return self._db.execute(
            "SELECT * FROM movements WHERE receiver = ? ORDER BY id", (receiver,)
        ).fetchall()
