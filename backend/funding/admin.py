from django.contrib import admin

from backend.admin_pages import ReadOnlyAdmin
from backend.funding.models import Funding, Seller


@admin.register(Funding)
class FundingAdmin(ReadOnlyAdmin):
    list_display = ("id", "job", "payer", "mode", "status", "total_value", "asset_code")
    list_filter = ("status", "mode")


@admin.register(Seller)
class SellerAdmin(ReadOnlyAdmin):
    list_display = ("slug", "wallet", "active")
