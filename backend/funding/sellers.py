"""The registry of payees, and the default one that the environment names."""

import logging
from datetime import datetime

from django.conf import settings

from backend.accounts import wallets
from backend.funding.models import Seller
from backend.open_payments import normalise_wallet_address

log = logging.getLogger(__name__)


def register_default_seller(*, now: datetime) -> bool:
    """Make SELLER_ID a seller with the wallet SELLER_WALLET_ADDRESS_URL; say whether it is one.

    Safe to repeat, as `register` is.

    Raises:
        WalletUnusable: the wallet cannot be read now.
    """
    address = settings.SELLER_WALLET_ADDRESS_URL
    return bool(address) and register(settings.SELLER_ID, address, now=now).active


def register(
    slug: str,
    address: str,
    *,
    is_treasury: bool = False,
    is_fee_wallet: bool = False,
    now: datetime,
) -> Seller:
    """Make the wallet at `address` the payee that is called `slug`.

    Reads the wallet's document once, and again only when the address changes. Safe to repeat and
    to run in many processes.

    Raises:
        WalletUnusable: the wallet cannot be read now.
    """
    url = normalise_wallet_address(address, settings.OP_DEV_ORIGINS)
    known = Seller.objects.filter(slug=slug).select_related("wallet").first()
    if known and known.wallet.url.lower() == url.lower():
        return known
    wallet = wallets.add_platform_wallet(address=url, now=now)
    values = {
        "wallet": wallet,
        "active": True,
        "is_treasury": is_treasury,
        "is_fee_wallet": is_fee_wallet,
    }
    seller, _new = Seller.objects.update_or_create(
        slug=slug, defaults=values, create_defaults={**values, "created_at": now}
    )
    log.info("seller %s is %s", slug, url)
    return seller
