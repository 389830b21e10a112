"""The wallet in which the platform holds money for others, and the consent it pays out with."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from backend.accounts.idempotency import claim
from backend.accounts.models import User
from backend.accounts.wallets import add_platform_wallet
from backend.errors import AssetMismatch, Forbidden, NotFound
from backend.funding.errors import ModeUnavailable
from backend.funding.models import Seller
from backend.funding.sellers import register
from backend.ids import new_id
from backend.open_payments import normalise_wallet_address
from backend.open_payments.types import Amount
from backend.payments.links import check_return_url
from backend.payments.models import HeldGrant
from backend.payments.services import close_held_grant, hold_grant
from backend.payments.status import GrantScope, HeldGrantStatus

SLUG = "treasury"
PERIOD_DAYS = 30


def register_treasury(*, now: datetime) -> bool:
    """Make TREASURY_WALLET_ADDRESS_URL the treasury; say whether there is one.

    Safe to repeat, as `register` is. Without the setting it stays known, and holds nothing new; so
    does the one whose place another wallet takes: what a wallet holds is paid out of that wallet.

    Raises:
        WalletUnusable: the wallet cannot be read now.
    """
    if not settings.TREASURY_WALLET_ADDRESS_URL:
        Seller.objects.filter(slug=SLUG).update(active=False)
        return False
    _make_way_for(settings.TREASURY_WALLET_ADDRESS_URL, now=now)
    seller = register(SLUG, settings.TREASURY_WALLET_ADDRESS_URL, is_treasury=True, now=now)
    if not seller.active:
        Seller.objects.filter(id=seller.id).update(active=True)
    return True


def _make_way_for(address: str, *, now: datetime) -> None:
    """Give the slug to the treasury at `address`, where another one has it."""
    url = normalise_wallet_address(address, settings.OP_DEV_ORIGINS)
    another = Seller.objects.filter(slug=SLUG).exclude(wallet__url__iexact=url)
    if not another.exists():
        return
    # Its wallet is read first: until that can be, nothing changes.
    wallet = add_platform_wallet(address=url, now=now)
    with transaction.atomic():
        former = another.select_for_update().first()
        if former is None:
            return  # another process was quicker
        Seller.objects.filter(id=former.id).update(
            slug=f"{SLUG}-{former.id.hex[-12:]}", active=False
        )
        came_back = Seller.objects.filter(is_treasury=True, wallet=wallet)
        if not came_back.update(slug=SLUG, active=True):
            Seller.objects.create(slug=SLUG, wallet=wallet, is_treasury=True, created_at=now)


def treasury() -> Seller:
    """The treasury, which can pay out.

    Raises:
        ModeUnavailable: this installation has none, or its operator has not consented yet.
    """
    found = Seller.objects.select_related("wallet").filter(is_treasury=True, active=True).first()
    if found is None:
        raise ModeUnavailable(_("This installation does not hold money."), path=("mode",))
    if not paying_grants_of(found).exists():
        raise ModeUnavailable(
            _("The operator has not approved payments out of the treasury yet."), path=("mode",)
        )
    return found


def paying_grants_of(treasury: Seller) -> QuerySet[HeldGrant]:
    """The consents to pay out of the treasury that can be used, oldest first."""
    return HeldGrant.objects.filter(
        scope=GrantScope.TREASURY, sender=treasury.wallet, status=HeldGrantStatus.HELD
    ).order_by("id")


def paying_grant_of(
    treasury: Seller, *, too_small: Collection[UUID] = (), at: datetime
) -> HeldGrant | None:
    """The one of them that has most room at this time; None when there is none.

    One of those that were `too_small` only if there is no other.
    """
    grants = paying_grants_of(treasury).select_related("sender")
    return max(grants, key=lambda each: (each.id not in too_small, each.room(at=at)), default=None)


def authorize_treasury(
    *,
    user: User,
    limit: Amount,
    return_url: str,
    idempotency_key: UUID,
    now: datetime,
) -> HeldGrant:
    """Ask, as an operator, for the consent to pay out of the treasury `limit` every 30 days.

    The treasury's wallet asks whoever holds it; a second consent is a spare. Safe to repeat with
    the same `idempotency_key`: the same grant is returned.

    Raises:
        Forbidden: the user is no operator.
        ModeUnavailable: this installation has no treasury.
        AssetMismatch: the limit is not in the treasury's asset.
        WalletHostSuspended: another operator has suspended the provider of its wallet.
        ReturnUrlRefused, IdempotencyConflict: as they say.
    """
    if not user.is_staff:
        raise Forbidden(_("Only an operator can do this."))
    check_return_url(return_url)
    with transaction.atomic():
        grant_id = new_id()
        done_before = claim(
            caller=user,
            operation="authorizeTreasury",
            key=idempotency_key,
            inputs={"limit": limit.to_json(), "return": return_url},
            result_id=grant_id,
            now=now,
        )
        if done_before is not None:
            return HeldGrant.objects.select_related("sender").get(id=done_before)
        found = Seller.objects.filter(is_treasury=True, active=True).first()
        if found is None:
            raise ModeUnavailable(_("This installation does not hold money."), path=("limit",))
        if found.wallet.asset != (limit.asset_code, limit.asset_scale):
            raise AssetMismatch(
                _("The treasury holds {asset} with scale {scale}."),
                path=("limit",),
                asset=found.wallet.asset_code,
                scale=found.wallet.asset_scale,
            )
        return hold_grant(
            id=grant_id,
            scope=GrantScope.TREASURY,
            reference=found.id,
            payer=user,
            sender=found.wallet,
            limit=limit.value,
            period_days=PERIOD_DAYS,
            return_url=return_url,
            now=now,
        )


def revoke_treasury_grant(*, user: User, grant_id: UUID, now: datetime) -> HeldGrant:
    """Begin no more payments under a consent, and give it back at the wallet after the last one.

    Safe to repeat.

    Raises:
        Forbidden: the user is no operator.
        NotFound: there is no such consent to pay out of the treasury.
    """
    if not user.is_staff:
        raise Forbidden(_("Only an operator can do this."))
    found = HeldGrant.objects.select_related("sender").filter(
        id=grant_id, scope=GrantScope.TREASURY
    )
    grant = found.first()
    if grant is None:
        raise NotFound(_("There is no such consent of the treasury."), path=("grantId",))
    with transaction.atomic():
        close_held_grant(held_grant=grant, now=now)
    return grant
