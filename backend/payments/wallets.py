"""The protocol client for wallets: one per process, with the platform's key and budgets."""

import os
from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from backend import outbound
from backend.clock import SYSTEM_CLOCK
from backend.open_payments import Client, Ed25519Signer


def wallet_client() -> Client:
    """The client that signs as OP_CLIENT_WALLET_ADDRESS; threads share it, forks do not.

    Raises:
        ImproperlyConfigured: OP_CLIENT_KEY_ID or OP_CLIENT_PRIVATE_KEY is missing.
    """
    return _client_of(os.getpid())


@cache
def _client_of(pid: int) -> Client:
    del pid  # only the cache's key: a forked child must not share its parent's sockets
    if not (settings.OP_CLIENT_KEY_ID and settings.OP_CLIENT_PRIVATE_KEY):
        raise ImproperlyConfigured("Set OP_CLIENT_KEY_ID and OP_CLIENT_PRIVATE_KEY.")
    policy = outbound.Policy(
        allowed_origins=settings.OP_DEV_ORIGINS,
        ca_file=settings.OP_CA_FILE or None,
        total_timeout_seconds=settings.WALLET_BUDGET_S,
    )
    signer = Ed25519Signer.from_pem(
        settings.OP_CLIENT_PRIVATE_KEY.encode(), settings.OP_CLIENT_KEY_ID
    )
    return Client(outbound.client(policy), signer, clock=SYSTEM_CLOCK.now)
