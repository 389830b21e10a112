"""What accounts keep of people: who they are, what opens their doors, and their wallets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from django.contrib.auth.hashers import make_password
from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from backend.accounts import personal
from backend.accounts.models import ApiKey, BearerToken, IdempotencyKey, User, WalletAddress
from backend.accounts.personal import (
    ERASED,
    KEPT,
    Hindrance,
    PersonalData,
    by_page,
    not_referred_to,
)
from backend.accounts.signals import tell_revoked


def address_of_nobody(person: User) -> str:
    """Where no mail arrives. `signUp` takes no address without a dot, so it is nobody else's."""
    return f"erased-{person.pk.hex}@invalid"


class AccountData(PersonalData):
    """Columns of accounts.User, tokens, keys and wallets."""

    relations: ClassVar[Mapping[str, str]] = {
        "accounts.BearerToken.user": ERASED,
        "accounts.ApiKey.owner": ERASED,
        "accounts.ApiKey.approved_by": f"{KEPT}which operator let a program in, by its id",
        "accounts.User.made_operator_by": f"{KEPT}who made an operator of somebody, by its id",
        "accounts.WalletAddress.owner": f"{ERASED}, or {KEPT}money went through it",
        "accounts.IdempotencyKey.caller": ERASED,
        "accounts.User_groups.user": ERASED,
        "accounts.User_user_permissions.user": ERASED,
    }

    def hindrances(self, person: User) -> Iterable[Hindrance]:
        return personal.hindrance(
            "OPERATOR",
            _("They are entrusted with this platform. Take their rights as operator or auditor."),
            User.objects.filter(Q(is_staff=True) | Q(is_auditor=True), pk=person.pk),
        )

    def erase(self, person: User, *, now: datetime) -> None:
        _forget_wallets(person, now=now)
        BearerToken.objects.filter(user=person).delete()
        ApiKey.objects.filter(owner=person).delete()
        IdempotencyKey.objects.filter(caller=person).delete()
        tell_revoked(person.pk)
        person.groups.clear()
        person.user_permissions.clear()
        User.objects.filter(pk=person.pk).update(
            email=address_of_nobody(person),
            display_name="",
            locale="",
            password=make_password(None),
            last_login=None,
            email_unconfirmed_since=None,
            is_active=False,
            is_superuser=False,
            erased_at=Coalesce("erased_at", Value(now)),
        )
        person.refresh_from_db()

    def export(self, person: User) -> Mapping[str, object]:
        sessions = BearerToken.objects.filter(user=person)
        keys = ApiKey.objects.filter(owner=person).order_by("id")
        wallets = WalletAddress.objects.filter(owner=person)
        return {
            "account": {
                "id": person.pk,
                "email": person.email,
                "displayName": person.display_name,
                "locale": person.locale,
                "createdAt": person.created_at,
                "lastLogInAt": person.last_login,
            },
            "sessions": (
                {"device": each.label, "createdAt": each.created_at, "usedAt": each.last_used_at}
                for each in by_page(sessions)
            ),
            "apiKeys": [
                {"name": each.name, "scopes": each.scopes, "createdAt": each.created_at}
                for each in keys
            ],
            "wallets": (
                {
                    "address": each.url,
                    "publicName": each.public_name,
                    "assetCode": each.asset_code,
                    "assetScale": each.asset_scale,
                    "isDefault": each.is_default,
                    "removedAt": each.removed_at,
                }
                for each in by_page(wallets)
            ),
        }


def _forget_wallets(person: User, *, now: datetime) -> None:
    """Delete wallets; of those that rows name keep the row, and the address if money needs it."""
    mine = WalletAddress.objects.filter(owner=person)
    mine.filter(not_referred_to(WalletAddress)).delete()
    mine.update(public_name="", is_default=False, removed_at=Coalesce("removed_at", Value(now)))
    for wallet in mine.exclude(pk__in=personal.kept_wallets_of(person).values("pk")):
        # Each of its own: an owner has an address once.
        nowhere = f"erased:{wallet.pk}"
        mine.filter(pk=wallet.pk).update(url=nowhere, auth_server="", resource_server="")
