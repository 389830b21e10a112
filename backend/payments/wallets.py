"""The protocol client for wallets: one per process, with the platform's key and budgets."""

import os
from functools import cache

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from backend import outbound
from backend.clock import SYSTEM_CLOCK
from backend.open_payments import Client, Ed25519Signer
from backend.wallet_calls import ObservedClient


def wallet_client() -> Client:
    """The client that signs as OP_CLIENT_WALLET_ADDRESS; threads share it, forks do not.

    Raises:
        ImproperlyConfigured: OP_CLIENT_KEY_ID or OP_CLIENT_PRIVATE_KEY is missing.
    """
    return _client_of(os.getpid())


@cache
def _client_of(pid: int) -> Client:
    del pid  # only the cache's key: a forked child must not share its parent's sockets
    return signing_client(outbound.client(policy(total_timeout_seconds=settings.WALLET_BUDGET_S)))


def policy(*, total_timeout_seconds: float) -> outbound.Policy:
    """Where wallets may be, as the settings say."""
    return outbound.Policy(
        allowed_origins=settings.OP_DEV_ORIGINS,
        ca_file=settings.OP_CA_FILE or None,
        total_timeout_seconds=total_timeout_seconds,
    )


def signing_client(http: httpx.Client) -> Client:
    """The client that signs with the platform's key and sends through `http`.

    Raises:
        ImproperlyConfigured: as `wallet_client`.
        InvalidValue: OP_CLIENT_PRIVATE_KEY is no Ed25519 key.
    """
    if not (settings.OP_CLIENT_KEY_ID and settings.OP_CLIENT_PRIVATE_KEY):
        raise ImproperlyConfigured("Set OP_CLIENT_KEY_ID and OP_CLIENT_PRIVATE_KEY.")
    signer = Ed25519Signer.from_pem(
        settings.OP_CLIENT_PRIVATE_KEY.encode(), settings.OP_CLIENT_KEY_ID
    )
    return ObservedClient(http, signer, clock=SYSTEM_CLOCK.now)
