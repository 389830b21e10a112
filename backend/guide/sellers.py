"""The registry of payees, for operators."""

import logging
import re
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User
from backend.accounts.wallets import add_platform_wallet
from backend.errors import Forbidden, ValidationFailed
from backend.funding.models import Seller

log = logging.getLogger(__name__)

_SLUG = re.compile(r"[A-Za-z0-9_-]{1,60}", re.ASCII)
MOST_LISTED = 1000


def sellers_for(user: User) -> list[Seller]:
    """The payees, the first MOST_LISTED by name.

    Raises:
        Forbidden: `user` is no operator.
    """
    _require_operator(user)
    return list(Seller.objects.select_related("wallet").order_by("slug")[:MOST_LISTED])


def register_seller(*, user: User, slug: str, address: str, now: datetime) -> Seller:
    """Make a new payee. Reads the wallet's document. Safe to repeat with the same wallet.

    Raises:
        Forbidden: `user` is no operator; or there is a payee of this name with another wallet, to
            whom money would no longer go.
        ValidationFailed, WalletUnusable, RateLimited, AssetMismatch: see `add_platform_wallet`.
    """
    _require_operator(user)
    if not _SLUG.fullmatch(slug):
        raise ValidationFailed(
            _("The id of a seller has 1 to 60 letters, digits, hyphens or underscores."),
            path=("id",),
        )
    wallet = add_platform_wallet(address=address, now=now)
    with transaction.atomic():
        seller, created = Seller.objects.select_related("wallet").get_or_create(
            slug=slug, defaults={"wallet": wallet, "created_at": now}
        )
    if seller.wallet_id != wallet.id:
        raise Forbidden(
            _("There is a seller {seller} with another wallet. Register one with a new id."),
            path=("walletAddressUrl",),
            seller=slug,
        )
    if created:
        log.info("seller %s is %s, registered by %s", slug, wallet.url, user.id)
    return seller


def _require_operator(user: User) -> None:
    if not user.is_staff:
        raise Forbidden(_("Only an operator can see and register sellers."))
