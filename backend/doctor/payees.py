"""The wallets that the platform is paid to, and the consent that it pays out of."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from backend.doctor.findings import Code, Found
from backend.doctor.wallet import read_wallet
from backend.funding.models import Seller
from backend.funding.treasury import SLUG as TREASURY
from backend.funding.treasury import paying_grants_of
from backend.open_payments import Client, WalletAddress, same_wallet_address
from backend.payments.models import HeldGrant
from backend.payments.paying import NEARLY_SPENT

MakeClient = Callable[[], Client]


def check_seller(client: MakeClient) -> str:
    """The default seller's wallet can be read, and is the one that is registered."""
    address = settings.SELLER_WALLET_ADDRESS_URL
    if not address:
        return "There is no default seller."
    _check_registered(settings.SELLER_ID, read_wallet(client(), address))
    return f"{settings.SELLER_ID} is {address}."


def check_treasury(client: MakeClient) -> str:
    """The same of the treasury."""
    address = settings.TREASURY_WALLET_ADDRESS_URL
    if not address:
        return "This installation holds no money."
    _check_registered(TREASURY, read_wallet(client(), address))
    return f"The treasury is {address}."


def check_fee_wallets(client: MakeClient) -> str:
    """Each wallet of the platform's fee can be read."""
    addresses = settings.PLATFORM_FEE_WALLET_ADDRESS_URLS
    for address in addresses:
        read_wallet(client(), address)
    return f"{len(addresses)} can be read." if addresses else "No fee is taken."


def check_treasury_grant(now: datetime) -> str:
    """An operator has consented to payouts, and there is room left in the period."""
    if not settings.TREASURY_WALLET_ADDRESS_URL:
        return "This installation holds no money."
    found = Seller.objects.filter(is_treasury=True, active=True).select_related("wallet").first()
    held = list(paying_grants_of(found).select_related("sender")) if found else []
    if not held:
        raise Found(
            Code.TREASURY_NOT_APPROVED, "No operator has approved payments out of the treasury."
        )
    best = max(held, key=lambda grant: grant.room(at=now))
    said = f"{_in_words(best, now)}; {len(held) - 1} to spare."
    if best.room(at=now) < (best.limit_value or 0) * (1 - NEARLY_SPENT):
        raise Found(Code.TREASURY_NEARLY_SPENT, said)
    return said


def _check_registered(slug: str, found: WalletAddress) -> None:
    seller = Seller.objects.filter(slug=slug, active=True).select_related("wallet").first()
    if seller is None or not same_wallet_address(seller.wallet.url, found.id):
        raise Found(Code.PAYEE_NOT_REGISTERED, f"{found.id} is not registered as {slug} yet.")
    if seller.wallet.asset != (found.asset_code, found.asset_scale):
        raise Found(
            Code.PAYEE_ASSET_CHANGED,
            f"{found.id} held {seller.wallet.asset_code} and now holds {found.asset_code}.",
        )


def _in_words(grant: HeldGrant, now: datetime) -> str:
    limit = grant.limit_value or 0
    taken = limit - grant.room(at=now)
    asset = f"{grant.sender.asset_code} (scale {grant.sender.asset_scale})"
    words = f"{taken} of {limit} {asset} are taken"
    until = grant.period_until or grant.ends_at
    return words if until is None else f"{words}, with {max(0, (until - now).days)} days to go"
