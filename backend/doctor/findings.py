"""What can be found, how bad it is, and its cure: the table that docs/op-doctor.md shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """A problem stops money or loses something; a warning will, or stops something smaller."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Code(StrEnum):
    """Stable: programs decide by these, and new ones may come."""

    OK = "OK"
    TOOK_TOO_LONG = "TOOK_TOO_LONG"
    CHECK_BROKE = "CHECK_BROKE"
    CLIENT_NOT_SET = "CLIENT_NOT_SET"
    WALLET_NAME_UNKNOWN = "WALLET_NAME_UNKNOWN"
    WALLET_NAME_PRIVATE = "WALLET_NAME_PRIVATE"
    WALLET_UNREACHABLE = "WALLET_UNREACHABLE"
    WALLET_DOCUMENT_WRONG = "WALLET_DOCUMENT_WRONG"
    CLIENT_KEY_NOT_PUBLISHED = "CLIENT_KEY_NOT_PUBLISHED"
    CLIENT_KEY_DIFFERS = "CLIENT_KEY_DIFFERS"
    CLOCK_UNKNOWN = "CLOCK_UNKNOWN"
    CLOCK_SKEWED = "CLOCK_SKEWED"
    CLOCK_WRONG = "CLOCK_WRONG"
    SIGNATURE_REFUSED = "SIGNATURE_REFUSED"
    GRANT_REFUSED = "GRANT_REFUSED"
    PAYEE_NOT_REGISTERED = "PAYEE_NOT_REGISTERED"
    PAYEE_ASSET_CHANGED = "PAYEE_ASSET_CHANGED"
    TREASURY_NOT_APPROVED = "TREASURY_NOT_APPROVED"
    TREASURY_NEARLY_SPENT = "TREASURY_NEARLY_SPENT"
    DATABASE_UNREACHABLE = "DATABASE_UNREACHABLE"
    DATABASE_TOO_OLD = "DATABASE_TOO_OLD"
    DATABASE_ISOLATION = "DATABASE_ISOLATION"
    MIGRATIONS_MISSING = "MIGRATIONS_MISSING"
    TRIGGERS_MISSING = "TRIGGERS_MISSING"
    REDIS_UNREACHABLE = "REDIS_UNREACHABLE"
    BROKER_UNREACHABLE = "BROKER_UNREACHABLE"
    TICK_NEVER = "TICK_NEVER"
    TICK_LATE = "TICK_LATE"
    TICK_STOPPED = "TICK_STOPPED"
    STOOD_STILL = "STOOD_STILL"
    PUBLIC_URL_NOT_SET = "PUBLIC_URL_NOT_SET"
    PUBLIC_URL_UNREACHABLE = "PUBLIC_URL_UNREACHABLE"
    PUBLIC_URL_NOT_OURS = "PUBLIC_URL_NOT_OURS"
    MAIL_UNREACHABLE = "MAIL_UNREACHABLE"
    FILES_UNUSABLE = "FILES_UNUSABLE"
    FILES_NEARLY_FULL = "FILES_NEARLY_FULL"
    RECEIPT_KEY_UNUSABLE = "RECEIPT_KEY_UNUSABLE"
    RECEIPT_KEY_LOST = "RECEIPT_KEY_LOST"
    ENCRYPTION_KEYS_UNUSABLE = "ENCRYPTION_KEYS_UNUSABLE"
    ENCRYPTION_KEY_LOST = "ENCRYPTION_KEY_LOST"
    ENCRYPTION_KEY_OLD = "ENCRYPTION_KEY_OLD"
    WEBHOOKS_FAILING = "WEBHOOKS_FAILING"


@dataclass(frozen=True, slots=True)
class Kind:
    """How bad a finding of this code is, and its cure."""

    level: Level
    cure: str


P, W = Level.PROBLEM, Level.WARNING
KINDS: Mapping[Code, Kind] = {
    Code.OK: Kind(Level.OK, ""),
    Code.TOOK_TOO_LONG: Kind(
        P, "Look at what this check asks: it may be up and overloaded, or behind a wall."
    ),
    Code.CHECK_BROKE: Kind(P, "Run it again with LOG_LEVEL=DEBUG and report what is logged."),
    Code.CLIENT_NOT_SET: Kind(
        P,
        "Set OP_CLIENT_WALLET_ADDRESS, OP_CLIENT_KEY_ID and OP_CLIENT_PRIVATE_KEY as the wallet "
        "gave them.",
    ),
    Code.WALLET_NAME_UNKNOWN: Kind(
        P, "Look for a mistake in the wallet address; if there is none, repair this machine's DNS."
    ),
    Code.WALLET_NAME_PRIVATE: Kind(
        P,
        "Only public addresses are connected to. Use a public wallet; in development name its "
        "origin in OP_DEV_ORIGINS.",
    ),
    Code.WALLET_UNREACHABLE: Kind(
        P, "Let this machine out to the wallet by https, or wait until the wallet is back."
    ),
    Code.WALLET_DOCUMENT_WRONG: Kind(
        P, "Compare the address with the one the wallet shows; then ask the wallet's operator."
    ),
    Code.CLIENT_KEY_NOT_PUBLISHED: Kind(
        P,
        "Register the public key at the wallet, or set OP_CLIENT_KEY_ID to the id it is "
        "registered under.",
    ),
    Code.CLIENT_KEY_DIFFERS: Kind(
        P,
        "OP_CLIENT_PRIVATE_KEY belongs to another public key: restore the right one, or register "
        "this one under an id of its own.",
    ),
    Code.CLOCK_UNKNOWN: Kind(
        W, "The wallet's answers carry no date. See that this machine keeps time with NTP."
    ),
    Code.CLOCK_SKEWED: Kind(W, "Have this machine keep time with NTP."),
    Code.CLOCK_WRONG: Kind(
        P, "Set this machine's clock and have it keep time with NTP: wallets refuse our signatures."
    ),
    Code.SIGNATURE_REFUSED: Kind(
        P, "Cure the findings about the key and the clock first; then ask the wallet's operator."
    ),
    Code.GRANT_REFUSED: Kind(
        P,
        "The signature is fine, the request is not: ask the wallet's operator what it objects to.",
    ),
    Code.PAYEE_NOT_REGISTERED: Kind(
        W, "It is registered once its wallet can be read and beat runs: see those findings."
    ),
    Code.PAYEE_ASSET_CHANGED: Kind(
        P, "Name another wallet address: sums were agreed on in the asset that it had."
    ),
    Code.TREASURY_NOT_APPROVED: Kind(
        W, "Ask for it on the admin's first page, and approve it in the treasury's wallet."
    ),
    Code.TREASURY_NEARLY_SPENT: Kind(
        W, "Ask for a spare consent in the admin, or let payouts wait for the next period."
    ),
    Code.DATABASE_UNREACHABLE: Kind(P, "Start the database, or correct DATABASE_URL."),
    Code.DATABASE_TOO_OLD: Kind(P, "Move to PostgreSQL 15 or newer."),
    Code.DATABASE_ISOLATION: Kind(
        P,
        "Set default_transaction_isolation back to 'read committed' for this role and database.",
    ),
    Code.MIGRATIONS_MISSING: Kind(P, "Run manage.py migrate."),
    Code.TRIGGERS_MISSING: Kind(
        P,
        "Find out who took the guards away and what was changed meanwhile (manage.py "
        "verify_chain); then restore them as docs/op-doctor.md says.",
    ),
    Code.REDIS_UNREACHABLE: Kind(
        W,
        "Start Redis, or correct REDIS_URL. Nothing is lost meanwhile, but where it is the broker "
        "too, no payment, webhook or mail moves without manage.py pump --loop.",
    ),
    Code.BROKER_UNREACHABLE: Kind(
        P, "Start the broker, or correct BROKER_URL; manage.py pump --loop does without one."
    ),
    Code.TICK_NEVER: Kind(
        P, "Start Celery's beat and a worker of the queue money, or manage.py pump --loop."
    ),
    Code.TICK_LATE: Kind(W, "Look at the worker of the queue money: it may have too much to do."),
    Code.TICK_STOPPED: Kind(
        P,
        "Nothing looks for due payments: start Celery's beat and a worker of the queue money, or "
        "manage.py pump --loop.",
    ),
    Code.STOOD_STILL: Kind(
        W,
        "Payments go on once their wallets were asked. If a backup was restored, do what "
        "docs/backups.md says; payments that wait for days have a discrepancy that says why.",
    ),
    Code.PUBLIC_URL_NOT_SET: Kind(
        P, "Set PUBLIC_URL to the address browsers reach this server at."
    ),
    Code.PUBLIC_URL_UNREACHABLE: Kind(
        W,
        "If this machine cannot reach its own public address but others can, ignore it; otherwise "
        "look at DNS, the proxy and its certificate.",
    ),
    Code.PUBLIC_URL_NOT_OURS: Kind(
        P,
        "Something else answers there: have the proxy pass /healthz and /op/ on to this server, "
        "with its Host.",
    ),
    Code.MAIL_UNREACHABLE: Kind(W, "Correct EMAIL_URL, or start the mail server. Mails wait."),
    Code.FILES_UNUSABLE: Kind(
        P, "Make FILES_DIR writable, or correct the FILES_ settings of the bucket."
    ),
    Code.FILES_NEARLY_FULL: Kind(W, "Make room on the disk of FILES_DIR."),
    Code.RECEIPT_KEY_UNUSABLE: Kind(
        P, "Correct RECEIPT_PRIVATE_KEY: without it no payment can be completed."
    ),
    Code.RECEIPT_KEY_LOST: Kind(
        P, "Put its public key into RECEIPT_RETIRED_KEYS: receipts signed with it no longer verify."
    ),
    Code.ENCRYPTION_KEYS_UNUSABLE: Kind(P, "Correct ENCRYPTION_KEYS."),
    Code.ENCRYPTION_KEY_LOST: Kind(
        P, "Put the missing key back at the end of ENCRYPTION_KEYS: what it sealed cannot be read."
    ),
    Code.ENCRYPTION_KEY_OLD: Kind(
        W, "Run manage.py rekey, and take the old key away when it says that none is left."
    ),
    Code.WEBHOOKS_FAILING: Kind(
        W,
        "See Webhook endpoints in the admin and tell their owners; replays bring what they missed.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check came to: a sentence with the particulars, never with a secret."""

    check: str
    code: Code
    message: str

    @property
    def level(self) -> Level:
        return KINDS[self.code].level

    @property
    def cure(self) -> str:
        return KINDS[self.code].cure

    def to_json(self) -> dict[str, str]:
        """The shape of `op_doctor --json`."""
        return {
            "check": self.check,
            "level": self.level.value,
            "code": self.code.value,
            "message": self.message,
            "cure": self.cure,
        }


class Found(Exception):
    """A check found this instead of what it hoped for."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
