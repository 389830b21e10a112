"""Deployment mistakes, found before the first request: Django system checks with ids.

Everything here is an error, because every one of them loses money or secrets quietly. Outside of
DEBUG all of them apply; with DEBUG only the ones about rhythm, files and the fee do.
`manage.py check` shows them; `refuse_unsafe_settings` stops a server that would start in spite of
them.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.core.exceptions import ImproperlyConfigured

from backend import encryption

DEVELOPMENT_KEY = b"development-only-000000000000000"
TAG = "faena"
SHORTEST_SECRET = 50
# As Django's own check of SECRET_KEY: fewer different characters are a pattern, not a secret.
FEWEST_CHARACTERS = 5
HIGHEST_FEE_BPS = 10_000
MOST_FEE_WALLETS = 99
APPS_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://")
# What browsers open themselves, or hand to what is no app of the platform's.
_BROWSERS = """
about blob content data file filesystem ftp http https intent javascript mailto sms tel vbscript
view-source ws wss
"""
BROWSERS_SCHEMES = frozenset(_BROWSERS.split())


def refuse_unsafe_settings() -> None:
    """Stop the process when a check of this project fails, naming every mistake at once.

    Checks named in SILENCED_SYSTEM_CHECKS do not count, as everywhere in Django.

    Raises:
        ImproperlyConfigured: at least one does; the message says what to do about each.
    """
    if mistakes := [found for found in run_checks(tags=[TAG]) if not found.is_silenced()]:
        lines = "\n".join(f"  {each.id} {each.msg} {each.hint}" for each in mistakes)
        raise ImproperlyConfigured(f"Faena does not start with these settings:\n{lines}")


@register(TAG, Tags.security)
def check_settings(app_configs: Sequence[AppConfig] | None, **_: Any) -> Iterable[CheckMessage]:
    """Report what must not go into production, impossible rhythms, and files without a place."""
    del app_configs
    found = [*_rhythm(), *_files(), *_fee()]
    if not settings.DEBUG:
        parts = (_secrets(), _addresses(), _wallet_client(), _database(), _bucket(), _operators())
        for part in parts:
            found.extend(part)
    return found


def _secrets() -> Iterator[Error]:
    if _can_be_guessed(_secret_key()):
        yield Error(
            "SECRET_KEY can be guessed.",
            hint=f"Set it to at least {SHORTEST_SECRET} random characters, known to nobody else.",
            id="faena.E001",
        )
    if any(_can_be_guessed(secret) for secret in settings.SECRET_KEY_FALLBACKS):
        yield Error(
            "SECRET_KEY_FALLBACKS has a key that can be guessed, and what it signs is taken.",
            hint="List whole keys, separated by blanks or commas, or leave it empty.",
            id="faena.E001",
        )
    if problem := _problem_of_encryption_keys():
        yield Error(
            problem,
            hint="Set ENCRYPTION_KEYS to kid:base64 of 32 random bytes.",
            id="faena.E002",
        )


def _can_be_guessed(secret: str) -> bool:
    return (
        len(secret) < SHORTEST_SECRET
        or len(set(secret)) < FEWEST_CHARACTERS
        or secret == settings.DEVELOPMENT_SECRET
        or secret.startswith("django-insecure-")
    )


def _secret_key() -> str:
    try:
        return str(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django's answer to an empty one, with no word of the others
        return ""


def _problem_of_encryption_keys() -> str | None:
    try:
        encryption.encrypt("probe", column="checks.probe", row=UUID(int=0))
    except ImproperlyConfigured as error:
        return str(error)
    kids = [entry.partition(":")[0] for entry in settings.ENCRYPTION_KEYS]
    if len(set(kids)) < len(kids):
        return "ENCRYPTION_KEYS has two keys of one name, so that one of them is lost."
    for entry in settings.ENCRYPTION_KEYS:
        key = base64.b64decode(entry.partition(":")[2])
        if key == DEVELOPMENT_KEY or len(set(key)) < FEWEST_CHARACTERS:
            return "ENCRYPTION_KEYS has a key that everybody knows."
    return None


def _addresses() -> Iterator[Error]:
    if not _is_https(settings.PUBLIC_URL):
        yield Error(
            "PUBLIC_URL is not an https address, so tokens and approvals would travel openly.",
            hint="Set it to the address browsers reach this server at, such as https://pay.example.",
            id="faena.E003",
        )
    hosts = settings.ALLOWED_HOSTS
    if not hosts or not all(hosts) or "*" in hosts:
        yield Error(
            "ALLOWED_HOSTS lets in every name, or none.",
            hint="List the exact host names of this server, or leave it to PUBLIC_URL.",
            id="faena.E004",
        )
    if settings.OP_DEV_ORIGINS:
        yield Error(
            "OP_DEV_ORIGINS lets requests past the rules for outgoing connections.",
            hint="Leave it empty outside of development.",
            id="faena.E005",
        )
    if wrong := sorted(each for each in settings.CORS_ORIGINS if not _is_origin(each)):
        yield Error(
            f"CORS_ORIGINS has {', '.join(wrong)}, which is not an exact https origin.",
            hint="Write https://host or https://host:port, without path and without *.",
            id="faena.E010",
        )
    if wrong := sorted(each for each in settings.RETURN_URLS if not _may_be_returned_to(each)):
        yield Error(
            f"RETURN_URLS has {', '.join(wrong)}, neither an https origin nor an app's own scheme.",
            hint="Write https://host or https://host:port, without path and without *; for a "
            "mobile app its scheme in lower case with :// and nothing behind, as example-app://.",
            id="faena.E010",
        )


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return False
    plain = f"https://{parts.hostname}{port}"
    return bool(parts.hostname) and "*" not in text and text == plain


def _may_be_returned_to(text: str) -> bool:
    scheme = APPS_SCHEME.fullmatch(text)
    return _is_origin(text) or (scheme is not None and scheme[1] not in BROWSERS_SCHEMES)


def _wallet_client() -> Iterator[Error]:
    missing = [
        name
        for name in ("OP_CLIENT_WALLET_ADDRESS", "OP_CLIENT_KEY_ID", "OP_CLIENT_PRIVATE_KEY")
        if not getattr(settings, name)
    ]
    if missing:
        yield Error(
            f"Without {', '.join(missing)} no wallet will talk to this server.",
            hint="Take all three from the wallet where the platform's key is registered.",
            id="faena.E006",
        )
    if settings.OP_CLIENT_PRIVATE_KEY and not _is_ed25519(settings.OP_CLIENT_PRIVATE_KEY):
        yield Error(
            "OP_CLIENT_PRIVATE_KEY is not an Ed25519 private key.",
            hint="Give it as unencrypted PKCS#8 PEM; OP_CLIENT_PRIVATE_KEY_FILE keeps its lines.",
            id="faena.E007",
        )


def _is_ed25519(pem: str) -> bool:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error):
        return False
    return isinstance(key, Ed25519PrivateKey)


def _database() -> Iterator[Error]:
    database = settings.DATABASES["default"]
    name = str(database["NAME"])
    if database["ENGINE"].endswith("sqlite3") and (
        not name or ":memory:" in name or "mode=memory" in name
    ):
        yield Error(
            "The database lives in memory: a restart would forget who was paid.",
            hint="Set DATABASE_URL to postgres://… or to sqlite:/// with the path of a file.",
            id="faena.E008",
        )


def _operators() -> Iterator[Error]:
    if not settings.OPERATORS_NEED_SECOND_FACTOR:
        yield Error(
            "OPERATORS_NEED_SECOND_FACTOR is off: a password alone opens the back office.",
            hint="Leave it out; only a developer's machine may say no.",
            id="faena.E012",
        )


def _rhythm() -> Iterator[Error]:
    # A lease is renewed between calls, not during one. A worker whose lease ran out during its call
    # would be joined by a second one, so it has room for the longest call (twice the budget) and
    # for saving it.
    if settings.WALLET_BUDGET_S <= 0 or settings.LEASE_S <= 2 * settings.WALLET_BUDGET_S:
        yield Error(
            f"LEASE_S is {settings.LEASE_S:g}, with WALLET_BUDGET_S {settings.WALLET_BUDGET_S:g}: "
            "two workers could hold one payment.",
            hint="Make LEASE_S more than twice WALLET_BUDGET_S, and both more than 0.",
            id="faena.E009",
        )
    if settings.TICK_S <= 0:
        yield Error(
            f"TICK_S is {settings.TICK_S:g}: the look for due payments would never rest.",
            hint="Set it to the seconds between two looks, such as 0.25.",
            id="faena.E011",
        )


def _files() -> Iterator[Error]:
    of_a_bucket = [
        name
        for name in ("FILES_ENDPOINT_URL", "FILES_ACCESS_KEY_ID", "FILES_SECRET_ACCESS_KEY")
        if getattr(settings, name)
    ]
    if of_a_bucket and not settings.FILES_BUCKET:
        yield Error(
            f"{', '.join(of_a_bucket)} without FILES_BUCKET: files would be kept on this machine.",
            hint="Name the bucket, or leave the settings of a bucket out.",
            id="faena.E020",
        )
    if bool(settings.FILES_ACCESS_KEY_ID) != bool(settings.FILES_SECRET_ACCESS_KEY):
        yield Error(
            "One half of the bucket's key is missing.",
            hint="Set FILES_ACCESS_KEY_ID and FILES_SECRET_ACCESS_KEY, or neither of them.",
            id="faena.E021",
        )
    # Sizes travel as GraphQL's Int, which ends there.
    if not 0 < settings.FILES_LARGEST_BYTES < 2**31 or (
        settings.FILES_BYTES_PER_USER < settings.FILES_LARGEST_BYTES
    ):
        yield Error(
            "FILES_LARGEST_BYTES has to be from 1 to 2147483647, and FILES_BYTES_PER_USER no less.",
            hint="Choose how large a file may be, and how much each person may keep.",
            id="faena.E022",
        )
    if settings.FILES_UNFINISHED_PER_USER < 1:
        yield Error(
            "With FILES_UNFINISHED_PER_USER below 1 nobody could upload anything.",
            hint="Set it to how many uploads a person may have unfinished, such as 20.",
            id="faena.E023",
        )


def _fee() -> Iterator[Error]:
    bps, wallets = settings.PLATFORM_FEE_BPS, settings.PLATFORM_FEE_WALLET_ADDRESS_URLS
    if not float(bps).is_integer() or not 0 <= bps <= HIGHEST_FEE_BPS:
        yield Error(
            f"PLATFORM_FEE_BPS is {bps:g}.",
            hint=f"Set it to a whole number from 0 to {HIGHEST_FEE_BPS}: 250 is 2.5 %.",
            id="faena.E033",
        )
    if bps and not wallets:
        yield Error(
            "PLATFORM_FEE_BPS is set, and there is no wallet that a fee could go to.",
            hint="Name one for each asset in PLATFORM_FEE_WALLET_ADDRESS_URLS, or set it to 0.",
            id="faena.E034",
        )
    # A seller's slug has two digits for it.
    if len(set(wallets)) < len(wallets) or len(wallets) > MOST_FEE_WALLETS:
        yield Error(
            "PLATFORM_FEE_WALLET_ADDRESS_URLS names a wallet twice, or too many of them.",
            hint=f"Name one wallet for each asset, at most {MOST_FEE_WALLETS}.",
            id="faena.E035",
        )


def _bucket() -> Iterator[Error]:
    address = settings.FILES_PUBLIC_ENDPOINT_URL
    if address and not _is_https(address):
        yield Error(
            "Browsers would reach the store of files without https, with permissions in the URLs.",
            hint="Set FILES_PUBLIC_ENDPOINT_URL to the store's https address.",
            id="faena.E024",
        )
