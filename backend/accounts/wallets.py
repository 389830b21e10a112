"""From what somebody types to a wallet that money can move to."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Protocol
from uuid import UUID

import httpx
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from backend import open_payments, outbound, rate_limits
from backend.accounts.errors import WalletUnusable
from backend.accounts.models import User, WalletAddress
from backend.accounts.suspending import refuse_suspended
from backend.connections import let_go
from backend.errors import AssetMismatch, NotFound, Text, ValidationFailed, WalletRequired
from backend.open_payments import operations
from backend.wallet_calls import ObservedClient

# A person waits for this one.
LOOKUP_SECONDS = 5.0
# Balances have 64 bits: nine places leave nine thousand million units to each account of the books.
# With eighteen there would be nine, and a payment could arrive that cannot be booked any more.
FINEST_SCALE = 9
_MAX_ASSET_CODE_LENGTH = 32
_MAX_PUBLIC_NAME_LENGTH = 200


class WalletDirectory(Protocol):
    """Whatever can fetch a wallet's own document."""

    def fetch(self, url: str) -> open_payments.WalletAddress:
        """Read the document at a normalised wallet address.

        Raises:
            OpenPaymentsError: there is none, or it breaks the specification.
        """


class HttpWallets:
    """Fetches over `http`, which decides where one may go (`outbound.client`)."""

    def __init__(self, http: httpx.Client) -> None:
        self._client = ObservedClient(http)

    def fetch(self, url: str) -> open_payments.WalletAddress:
        return self._client.send(operations.get_wallet_address(url=url))


def wallet_directory() -> WalletDirectory:
    """This process's directory, over the guarded client; threads share it, forks do not."""
    policy = outbound.Policy(
        allowed_origins=settings.OP_DEV_ORIGINS,
        ca_file=settings.OP_CA_FILE or None,
        total_timeout_seconds=min(LOOKUP_SECONDS, settings.WALLET_BUDGET_S),
        max_body_bytes=64 * 1024,
    )
    return _directory_of(os.getpid(), policy)


@cache
def _directory_of(pid: int, policy: outbound.Policy) -> WalletDirectory:
    del pid  # only part of the key: a forked child must not share its parent's sockets
    http = outbound.client(policy)
    atexit.register(http.close)
    return HttpWallets(http)


def lookup_wallet(
    *, address: str, principal: str, now: datetime, wallets: WalletDirectory | None = None
) -> WalletAddress:
    """Read the wallet at `address` (URL, host/path or $pointer) without saving it.

    `principal` is who asks, for the rate limit: a user's id, or a visitor's network. `wallets`
    None means the process's own directory. The result is not in the database.

    Raises:
        ValidationFailed: `address` is not spelt like a wallet address, or its units are smaller
            than FINEST_SCALE.
        WalletUnusable: nobody answered there as a wallet, whatever the reason.
        RateLimited: this principal looks up too many wallets.
    """
    rate_limits.hit("wallets", principal)
    try:
        url = open_payments.normalise_wallet_address(address, settings.OP_DEV_ORIGINS)
    except open_payments.InvalidWalletAddress as error:
        raise ValidationFailed(_(str(error)), path=("address",)) from None
    directory = wallet_directory() if wallets is None else wallets
    let_go()
    try:
        document = directory.fetch(url)
    except (open_payments.OpenPaymentsError, httpx.HTTPError):
        raise WalletUnusable from None
    _check_usable(document)
    if document.asset_scale > FINEST_SCALE:
        raise ValidationFailed(
            _("This wallet holds {asset} with scale {scale}. At most {most} can be counted here."),
            path=("address",),
            asset=_printable(document.asset_code),
            scale=document.asset_scale,
            most=FINEST_SCALE,
        )
    return WalletAddress(
        url=document.id,
        public_name=_printable(document.public_name or ""),
        asset_code=document.asset_code,
        asset_scale=document.asset_scale,
        auth_server=document.auth_server,
        resource_server=document.resource_server,
        checked_at=now,
    )


def add_wallet(
    *,
    user: User,
    address: str,
    make_default: bool,
    now: datetime,
    wallets: WalletDirectory | None = None,
) -> WalletAddress:
    """Save the wallet at `address` for `user`; the first one becomes the default by itself.

    Safe to repeat: a wallet that is already there is refreshed from its document. `wallets` None
    means the process's own directory.

    Raises:
        ValidationFailed, WalletUnusable, RateLimited: see `lookup_wallet`.
        AssetMismatch: the wallet changed its asset since it was added.
        WalletHostSuspended: an operator has suspended its provider.
    """
    found = lookup_wallet(address=address, principal=str(user.id), now=now, wallets=wallets)
    refuse_suspended([found], path=("address",))
    found.owner = user
    with _wallets_of(user):
        wallet = _save(found)
        if make_default or not kept_wallets(user).filter(is_default=True).exists():
            _make_default(wallet)
    return wallet


def set_default_wallet(*, user: User, wallet_id: UUID) -> WalletAddress:
    """Use this wallet of `user` where none is named. Safe to repeat.

    Raises:
        NotFound: it is not one that this user has.
    """
    with _wallets_of(user):
        wallet = kept_wallets(user).filter(id=wallet_id).first()
        if wallet is None:
            raise NotFound(_("There is no such wallet."), path=("walletId",))
        _make_default(wallet)
    return wallet


def remove_wallet(*, user: User, wallet_id: UUID, now: datetime) -> WalletAddress:
    """Offer this wallet of `user` no more. What was agreed on with it stays. Safe to repeat.

    When it was the default, the oldest of the others becomes it. Adding the same address again
    brings the wallet back.

    Raises:
        NotFound: it is not this user's.
    """
    with _wallets_of(user):
        wallet = WalletAddress.objects.filter(owner=user, id=wallet_id).first()
        if wallet is None:
            raise NotFound(_("There is no such wallet."), path=("walletId",))
        if wallet.removed_at is None:
            was_default, wallet.is_default, wallet.removed_at = wallet.is_default, False, now
            wallet.save(update_fields=["is_default", "removed_at"])
            next_one = kept_wallets(user).order_by("id").first()
            if was_default and next_one is not None:
                _make_default(next_one)
    return wallet


def kept_wallets(user: User) -> QuerySet[WalletAddress]:
    """The wallets of `user` that they have not removed."""
    return WalletAddress.objects.filter(owner=user, removed_at__isnull=True)


@contextmanager
def _wallets_of(user: User) -> Iterator[None]:
    # One at a time per user, or two first wallets would both become the default.
    with transaction.atomic():
        User.objects.select_for_update().get(id=user.id)
        yield


def _make_default(wallet: WalletAddress) -> None:
    others = WalletAddress.objects.filter(owner=wallet.owner, is_default=True)
    others.exclude(id=wallet.id).update(is_default=False)
    wallet.is_default = True
    wallet.save(update_fields=["is_default"])


def add_platform_wallet(
    *, address: str, now: datetime, wallets: WalletDirectory | None = None
) -> WalletAddress:
    """Save the wallet at `address` as one of the platform's or its sellers'. Safe to repeat.

    Raises:
        ValidationFailed, WalletUnusable, RateLimited: see `lookup_wallet`.
        AssetMismatch: the wallet changed its asset since it was added.
    """
    found = lookup_wallet(address=address, principal="platform", now=now, wallets=wallets)
    with transaction.atomic():
        return _save(found)


def own_wallet(*, user: User, wallet_id: UUID | None, path: str, to_do: Text) -> WalletAddress:
    """The wallet of `user` with this id; None means their default one.

    `path` is the input field that named it, `to_do` the sentence for somebody who has none.

    Raises:
        NotFound: it is not this user's.
        WalletRequired: they have no wallet at all.
    """
    mine = kept_wallets(user)
    if wallet_id is not None:
        wallet = mine.filter(id=wallet_id).first()
        if wallet is None:
            raise NotFound(_("There is no such wallet."), path=(path,))
        return wallet
    wallet = mine.order_by("-is_default", "id").first()
    if wallet is None:
        raise WalletRequired(to_do, path=(path,))
    return wallet


def _save(found: WalletAddress) -> WalletAddress:
    known, created = WalletAddress.objects.get_or_create(
        owner=found.owner,
        url=found.url,
        defaults={
            "public_name": found.public_name,
            "asset_code": found.asset_code,
            "asset_scale": found.asset_scale,
            "auth_server": found.auth_server,
            "resource_server": found.resource_server,
            "checked_at": found.checked_at,
        },
    )
    if created:
        return known
    if known.asset != found.asset:
        # Amounts that were agreed on in the old asset refer to this row.
        raise AssetMismatch(
            _("This wallet was added with {old} and now holds {new}. Add another wallet address."),
            path=("address",),
            old=known.asset_code,
            new=found.asset_code,
        )
    known.public_name = found.public_name
    known.auth_server = found.auth_server
    known.resource_server = found.resource_server
    known.checked_at = found.checked_at
    known.removed_at = None
    known.save(
        update_fields=["public_name", "auth_server", "resource_server", "checked_at", "removed_at"]
    )
    return known


def _check_usable(document: open_payments.WalletAddress) -> None:
    # Servers named by a stranger's document are strangers' URLs too. The guarded client would
    # refuse them at the first payment; better now, while the person is here to fix it.
    if len(document.asset_code) > _MAX_ASSET_CODE_LENGTH:
        raise WalletUnusable
    allowed = outbound.Policy(allowed_origins=settings.OP_DEV_ORIGINS).allowed_origins
    for server in (document.auth_server, document.resource_server, document.id):
        try:
            outbound.check_url(server, allowed_origins=allowed)
        except outbound.DestinationRefused:
            raise WalletUnusable from None


def _printable(public_name: str) -> str:
    kept = "".join(letter for letter in public_name if letter.isprintable())
    return kept.strip()[:_MAX_PUBLIC_NAME_LENGTH]
