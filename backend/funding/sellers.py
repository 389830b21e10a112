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

    Reads the wallet's document once, and again only when the setting changes. Safe to repeat and
    to run in many processes.

    Raises:
        WalletUnusable: the wallet cannot be read now.
    """
    if not settings.SELLER_WALLET_ADDRESS_URL:
        return False
    url = normalise_wallet_address(settings.SELLER_WALLET_ADDRESS_URL, settings.OP_DEV_ORIGINS)
    known = Seller.objects.filter(slug=settings.SELLER_ID).select_related("wallet").first()
    if known and known.wallet.url.lower() == url.lower():
        return known.active
    wallet = wallets.add_platform_wallet(address=url, now=now)
    Seller.objects.update_or_create(
        slug=settings.SELLER_ID,
        defaults={"wallet": wallet, "active": True},
        create_defaults={"wallet": wallet, "active": True, "created_at": now},
    )
    log.info("seller %s is %s", settings.SELLER_ID, wallet.url)
    return True
