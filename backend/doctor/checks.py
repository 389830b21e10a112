"""What is looked at, in the order it is told in."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from backend import outbound
from backend.clock import Clock
from backend.doctor import outside, payees, secrets, stores
from backend.doctor.examining import Check
from backend.doctor.wallet import ClientExam
from backend.payments.wallets import policy, signing_client

# Less than a check has, so that it can still say who did not answer.
WALLET_SECONDS = 4.0


@contextmanager
def all_checks(clock: Clock) -> Iterator[Mapping[str, Check]]:
    """Every check by its name. They change nothing, and need nothing of each other."""
    now = clock.now()
    with outbound.client(policy(total_timeout_seconds=WALLET_SECONDS)) as http:
        client = partial(signing_client, http)
        ours = ClientExam(client, clock=clock)
        yield {
            "database": stores.check_database,
            "migrations": stores.check_migrations,
            "triggers": stores.check_triggers,
            "redis": stores.check_redis,
            "broker": stores.check_broker,
            "tick": partial(stores.check_tick, now),
            "wallet_name": ours.name,
            "wallet_document": ours.document,
            "client_key": ours.key,
            "clock": ours.clock,
            "signature": ours.signature,
            "seller": partial(payees.check_seller, client),
            "treasury": partial(payees.check_treasury, client),
            "treasury_grant": partial(payees.check_treasury_grant, now),
            "fee_wallets": partial(payees.check_fee_wallets, client),
            "public_url": outside.check_public_url,
            "callback": outside.check_callback,
            "mail": outside.check_mail,
            "files": outside.check_files,
            "encryption": secrets.check_encryption,
            "receipt_key": secrets.check_receipts,
            "webhooks": outside.check_webhooks,
        }
