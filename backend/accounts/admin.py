"""Operators look at wallets here, and never edit them. People are in the back office."""

from django.contrib import admin

from backend.accounts.models import WalletAddress
from backend.admin_pages import ReadOnlyAdmin


@admin.register(WalletAddress)
class WalletAddressAdmin(ReadOnlyAdmin):
    """A wallet's row says what its own document said."""

    list_display = ("url", "owner", "asset_code", "asset_scale", "is_default", "checked_at")
    list_select_related = ("owner",)
    search_fields = ("url", "owner__email")
