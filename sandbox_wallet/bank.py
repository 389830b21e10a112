"""What all endpoints share: the database, the clock, chance, the options and the URLs."""

import base64
import hashlib
import json
import random
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox_wallet.clock import SECOND, to_micros
from sandbox_wallet.ledger import Ledger
from sandbox_wallet.money import Asset
from sandbox_wallet.options import Options
from sandbox_wallet.wire import WireRequest

CONTROL = "/__ctl"


@dataclass(frozen=True, slots=True)
class Wallet:
    """One wallet address and the account behind it."""

    name: str
    tenant: str
    public_name: str | None
    asset: Asset
    url: str

    @property
    def account(self) -> str:
        """The id of its account in the ledger."""
        return f"user:{self.name}"


@dataclass(slots=True, kw_only=True)
class Call:
    """One request on its way through the sandbox, and what was learnt about it."""

    request: WireRequest
    operation: str
    args: Mapping[str, str]
    now: int
    # When it came by the real clock, which signatures follow; `now` may have been advanced.
    arrived: int
    # A `late` call was authenticated when it arrived; only its effect was waiting.
    late: bool = False
    mischief: Mapping[str, Any] = field(default_factory=dict)
    documents: Mapping[str, Any] = field(default_factory=dict)
    wallet: str | None = None
    client: str | None = None


class Bank:
    """The state of the sandbox; `World` holds its lock and its transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        base_url: str,
        clock: Callable[[], datetime],
        rng: random.Random,
        options: Options,
    ) -> None:
        self.db = connection
        self.ledger = Ledger(connection)
        self.base_url = base_url
        self.rng = rng
        self._clock = clock
        self._first_options = options
        self.options = options
        self._advanced = 0
        self.recall()

    # -- time, chance, memory -------------------------------------------------------------

    def now(self) -> int:
        """Return the sandbox's time in microseconds: the clock plus what control advanced."""
        return self.real_now() + self._advanced

    def real_now(self) -> int:
        """Return the clock's time in microseconds, which signatures are made by."""
        return to_micros(self._clock())

    def advance(self, seconds: float) -> None:
        """Move the sandbox's time forward."""
        self.remember("advanced", self._advanced + round(seconds * SECOND))
        self.recall()

    def set_options(self, options: Options) -> None:
        """Use `options` from now on, also after a restart."""
        self.remember("options", options.to_json())
        self.options = options

    def remember(self, name: str, value: object) -> None:
        """Store a small JSON value."""
        self.db.execute(
            "INSERT INTO meta (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )

    def remembered(self, name: str, default: Any = None) -> Any:
        """Return what `remember` stored, or `default`."""
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row["value"])

    def recall(self) -> None:
        """Take clock and options from the database: at start, after a reset or a roll-back."""
        self._advanced = self.remembered("advanced", 0)
        self.options = self._first_options
        if (stored := self.remembered("options")) is not None:
            # What the command line allows holds whatever an earlier run has stored.
            origins = [*self._first_options.client_origins, *stored["client_origins"]]
            stored["client_origins"] = list(dict.fromkeys(origins))
            self.options = self._first_options.changed(stored)

    def new_id(self) -> str:
        """Return a random UUID."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def new_secret(self) -> str:
        """Return 160 random bits as 32 letters and digits."""
        return base64.b32encode(self.rng.randbytes(20)).decode()

    # -- wallets and URLs -----------------------------------------------------------------

    def wallet(self, name: str) -> Wallet | None:
        """Return the wallet called `name`, or None."""
        row = self.db.execute("SELECT * FROM wallets WHERE name = ?", (name,)).fetchone()
        return None if row is None else self._wallet_of(row)

    def wallets(self) -> list[Wallet]:
        """Return every wallet in the order it was opened."""
        rows = self.db.execute("SELECT * FROM wallets ORDER BY rowid")
        return [self._wallet_of(row) for row in rows]

    def wallet_at(self, url: object) -> Wallet | None:
        """Return the wallet whose address is exactly `url`, or None."""
        if not isinstance(url, str) or not url.startswith(f"{self.base_url}/"):
            return None
        return self.wallet(url[len(self.base_url) + 1 :])

    def _wallet_of(self, row: sqlite3.Row) -> Wallet:
        return Wallet(
            name=row["name"],
            tenant=row["tenant"],
            public_name=row["public_name"],
            asset=Asset.parse(row["asset"]),
            url=f"{self.base_url}/{row['name']}",
        )

    def auth_server(self, tenant: str) -> str:
        """Return the grant endpoint of `tenant`."""
        return f"{self.base_url}/auth/{tenant}"

    def resource_server(self, tenant: str) -> str:
        """Return the resource server of `tenant`, without a trailing slash."""
        return f"{self.base_url}/{tenant}"

    def resource_url(self, wallet: Wallet, collection: str, resource_id: str) -> str:
        """Return the URL of one incoming payment, quote or outgoing payment."""
        return f"{self.base_url}/{wallet.tenant}/{collection}/{resource_id}"

    def resource_id(self, url: object, collection: str) -> str | None:
        """Return the id in the URL of one of our resources, or None when it is not one."""
        if not isinstance(url, str) or not url.startswith(f"{self.base_url}/"):
            return None
        parts = url[len(self.base_url) + 1 :].split("/")
        return parts[2] if len(parts) == 3 and parts[1] == collection else None


def digest_of(request: WireRequest) -> str:
    """Return the SHA-256 of method, URL and body: the same for the same request sent again."""
    base = f"{request.method}\n{request.url}\n".encode() + request.body
    return hashlib.sha256(base).hexdigest()
