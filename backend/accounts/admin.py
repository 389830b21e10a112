"""Operators look at people and wallets here; wallets are never edited by hand."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from backend.accounts.models import User, WalletAddress
from backend.admin_pages import ReadOnlyAdmin

if TYPE_CHECKING:
    _OfUsers = admin.ModelAdmin[User]
else:  # generic only for type checkers
    _OfUsers = admin.ModelAdmin


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
class WalletAddressAdmin(ReadOnlyAdmin):
    """A wallet's row says what its own document said."""

    list_display = ("url", "owner", "asset_code", "asset_scale", "is_default", "checked_at")
    list_select_related = ("owner",)
    search_fields = ("url", "owner__email")
