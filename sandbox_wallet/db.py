"""The sandbox's whole state: one SQLite file, or memory."""

import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS wallets (
    name TEXT PRIMARY KEY, tenant TEXT NOT NULL, public_name TEXT, asset TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS client_keys (
    wallet TEXT NOT NULL, kid TEXT NOT NULL, x TEXT NOT NULL, PRIMARY KEY (wallet, kid)
);

CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, wallet TEXT, asset TEXT NOT NULL,
    balance INTEGER NOT NULL DEFAULT 0,
    CHECK (kind NOT IN ('user', 'hold') OR balance >= 0)
);
CREATE TABLE IF NOT EXISTS movements (
    id INTEGER PRIMARY KEY, t INTEGER NOT NULL, kind TEXT NOT NULL,
    source TEXT NOT NULL, target TEXT NOT NULL, asset TEXT NOT NULL,
    value INTEGER NOT NULL CHECK (value > 0),
    outgoing TEXT, quote TEXT, receiver TEXT, client TEXT
);
CREATE INDEX IF NOT EXISTS movements_by_receiver ON movements (receiver);

CREATE TABLE IF NOT EXISTS grants (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, client TEXT NOT NULL, client_jwk TEXT,
    client_name TEXT, access TEXT NOT NULL, subject TEXT,
    state TEXT NOT NULL, created_at INTEGER NOT NULL,
    continue_token TEXT NOT NULL, continue_after INTEGER NOT NULL,
    interact_id TEXT UNIQUE, redirect_nonce TEXT, interact_nonce TEXT, interact_ref TEXT,
    interact_until INTEGER, finished INTEGER NOT NULL DEFAULT 0,
    finish_uri TEXT, client_nonce TEXT
);
CREATE TABLE IF NOT EXISTS tokens (
    value TEXT PRIMARY KEY, manage_id TEXT NOT NULL UNIQUE, grant_id TEXT NOT NULL,
    expires_at INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS tokens_by_grant ON tokens (grant_id);

CREATE TABLE IF NOT EXISTS incoming (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, wallet TEXT NOT NULL, client TEXT NOT NULL,
    incoming_value INTEGER, received_value INTEGER NOT NULL DEFAULT 0,
    completed INTEGER NOT NULL DEFAULT 0, expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL, metadata TEXT, shared_secret TEXT NOT NULL,
    CHECK (incoming_value IS NULL OR received_value <= incoming_value)
);
CREATE INDEX IF NOT EXISTS incoming_by_wallet ON incoming (wallet, seq);

CREATE TABLE IF NOT EXISTS quotes (
    id TEXT PRIMARY KEY, wallet TEXT NOT NULL, client TEXT NOT NULL, receiver TEXT NOT NULL,
    debit_value INTEGER NOT NULL, receive_value INTEGER NOT NULL, receive_asset TEXT NOT NULL,
    fee_value INTEGER NOT NULL, slack_value INTEGER NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS outgoing (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, wallet TEXT NOT NULL, client TEXT NOT NULL,
    grant_id TEXT NOT NULL, period INTEGER NOT NULL, quote TEXT NOT NULL, receiver TEXT NOT NULL,
    state TEXT NOT NULL, debit_value INTEGER NOT NULL, receive_value INTEGER NOT NULL,
    receive_asset TEXT NOT NULL, sent_value INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL, metadata TEXT, mischief TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS outgoing_by_wallet ON outgoing (wallet, client, seq);

CREATE TABLE IF NOT EXISTS spending (
    grant_id TEXT NOT NULL, period INTEGER NOT NULL,
    debit_value INTEGER NOT NULL DEFAULT 0,
    receive_value INTEGER NOT NULL DEFAULT 0, receive_asset TEXT NOT NULL,
    PRIMARY KEY (grant_id, period)
);

CREATE TABLE IF NOT EXISTS agenda (
    seq INTEGER PRIMARY KEY, due INTEGER NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS agenda_by_due ON agenda (due, seq);
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY, call TEXT NOT NULL, wallet TEXT, nth INTEGER, probability REAL,
    occurs TEXT NOT NULL, act TEXT NOT NULL, remaining INTEGER, arguments TEXT NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0, fired INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, t INTEGER NOT NULL, call TEXT NOT NULL, method TEXT NOT NULL,
    path TEXT NOT NULL, client TEXT, wallet TEXT, status INTEGER NOT NULL, refused TEXT,
    fault TEXT, digest TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS refusals (reason TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""

TABLES = [
    "wallets",
    "client_keys",
    "accounts",
    "movements",
    "grants",
    "tokens",
    "incoming",
    "quotes",
    "outgoing",
    "spending",
    "agenda",
    "faults",
    "requests",
    "refusals",
]


def connect(path: str) -> sqlite3.Connection:
    """Open the database at `path` (`:memory:` for none), creating what it lacks."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    # The state has to outlive our process, also a killed one, but not a power cut.
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(SCHEMA)
    return connection


def wipe(connection: sqlite3.Connection) -> None:
    """Forget everything but `meta`, inside the caller's transaction."""
    for table in TABLES:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 -- names from the list above
