"""The books for operators to look at; nobody writes in them by hand."""

from django.contrib import admin

from backend.admin_pages import ReadOnlyAdmin, ReadOnlyInline
from backend.ledger.models import Account, Entry, Transfer


class EntryInline(ReadOnlyInline):
    model = Entry
    fields = ("account", "amount")


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "owner", "subject", "balance", "asset_code", "asset_scale")
    list_filter = ("kind", "asset_code")
    search_fields = ("=owner", "=subject")


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "reason", "payment", "subject")
    list_select_related = ("payment",)
    ordering = ("-seq",)
    search_fields = ("reason", "=subject", "=payment__id")
    inlines = (EntryInline,)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("transfer", "account", "amount")
    list_select_related = ("transfer", "account")
    ordering = ("-transfer__seq",)
    search_fields = ("=transfer__payment__id", "=transfer__subject", "=account__owner")
