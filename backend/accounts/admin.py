"""Operators look at wallets here, and suspend their providers. People are in the back office."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import SuspendedHost, WalletAddress
from backend.accounts.suspending import host_in
from backend.admin_pages import ReadOnlyAdmin, is_operator


@admin.register(WalletAddress)
class WalletAddressAdmin(ReadOnlyAdmin):
    """A wallet's row says what its own document said."""

    list_display = ("url", "owner", "asset_code", "asset_scale", "is_default", "checked_at")
    list_select_related = ("owner",)
    search_fields = ("url", "owner__email")


class SuspendedHostForm(forms.ModelForm):  # type: ignore[type-arg]
    """Which provider, and why."""

    class Meta:
        model = SuspendedHost
        fields: ClassVar = ["host", "reason"]

    def clean_host(self) -> str:
        host = host_in(self.cleaned_data["host"])
        if not host:
            raise ValidationError(_("Give a host, like wallet.example."))
        return host


@admin.register(SuspendedHost)
class SuspendedHostAdmin(ReadOnlyAdmin):
    """Adding a row suspends a provider, deleting it lifts that; Django's log says who did it."""

    form = SuspendedHostForm
    list_display = ("host", "reason", "suspended_at")
    search_fields = ("host",)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return is_operator(request)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return is_operator(request)
