"""Operators look at people and wallets here; wallets are never edited by hand."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from backend.accounts import api_keys
from backend.accounts.models import ApiKey, User, WalletAddress
from backend.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from django.db.models import QuerySet

    _OfKeys = admin.ModelAdmin[ApiKey]
    _OfUsers = admin.ModelAdmin[User]
    _OfWallets = admin.ModelAdmin[WalletAddress]
else:  # generic only for type checkers
    _OfKeys = _OfUsers = _OfWallets = admin.ModelAdmin


@admin.register(User)
class UserAdmin(_OfUsers):
    """Names, locale and whether the account is open; the password hash stays out of sight."""

    list_display = ("email", "display_name", "is_active", "is_staff", "is_auditor", "created_at")
    list_filter = ("is_active", "is_staff", "is_auditor")
    search_fields = ("email", "display_name")
    fields = (
        "email",
        "display_name",
        "locale",
        "bio",
        "is_active",
        "is_staff",
        "is_auditor",
        "groups",
        "created_at",
    )
    readonly_fields = ("email", "created_at")
    filter_horizontal = ("groups",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(WalletAddress)
class WalletAddressAdmin(_OfWallets):
    """Read-only: a wallet's row says what its own document said."""

    list_display = ("url", "owner", "asset_code", "asset_scale", "is_default", "checked_at")
    list_select_related = ("owner",)
    search_fields = ("url", "owner__email")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: WalletAddress | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: WalletAddress | None = None) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(_OfKeys):
    """Read-only, but for approving live keys and revoking any."""

    list_display = ("name", "owner", "prefix", "scopes", "created_at", "approved_at", "revoked_at")
    list_select_related = ("owner",)
    list_filter = ("test_mode",)
    search_fields = ("name", "prefix", "owner__email")
    fields = (*list_display, "test_mode", "approved_by", "last_used_at")
    actions = ("approve", "revoke")

    @admin.action(description="Let the selected keys work", permissions=["view"])
    def approve(self, request: HttpRequest, queryset: "QuerySet[ApiKey]") -> None:
        for key in queryset.filter(revoked_at=None):
            assert isinstance(request.user, User)
            api_keys.approve_api_key(user=request.user, key_id=key.id, now=SYSTEM_CLOCK.now())

    @admin.action(description="Revoke the selected keys", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: "QuerySet[ApiKey]") -> None:
        for key in queryset.filter(revoked_at=None):
            assert isinstance(request.user, User)
            api_keys.revoke_api_key(user=request.user, key_id=key.id, now=SYSTEM_CLOCK.now())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False
