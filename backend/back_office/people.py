"""API keys, which operators approve and revoke."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _

from backend.accounts import api_keys
from backend.accounts.models import ApiKey
from backend.back_office.actions import act
from backend.back_office.deeds import DeedAdmin, DeedForm, Offer
from backend.clock import SYSTEM_CLOCK


@admin.register(ApiKey)
class ApiKeyAdmin(DeedAdmin):
    """Read-only, but for approving live keys and revoking any."""

    list_display = ("name", "owner", "prefix", "scopes", "created_at", "approved_at", "revoked_at")
    list_select_related = ("owner",)
    list_filter = ("test_mode", ("approved_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "prefix", "owner__email")
    fields = (*list_display, "test_mode", "approved_by", "last_used_at")

    def offers(self, request: HttpRequest, row: ApiKey) -> list[Offer]:
        if row.revoked_at is not None:
            return []
        revoke = Offer(
            deed="revoke",
            says=_("Revoke"),
            explained=_("Its program is refused at once, for good."),
            form=DeedForm(),
        )
        if row.approved_at is not None:
            return [revoke]
        explained = _("From then on its program can move real money, within its scopes.")
        approve = Offer(deed="approve", says=_("Approve"), explained=explained, form=DeedForm())
        return [approve, revoke]

    def approve(self, request: HttpRequest, row: ApiKey, answers: dict[str, Any]) -> None:
        do = partial(api_keys.approve_api_key, key_id=row.id, now=SYSTEM_CLOCK.now())
        act(request, row, _("Approved the key"), lambda operator: do(user=operator))

    def revoke(self, request: HttpRequest, row: ApiKey, answers: dict[str, Any]) -> None:
        do = partial(api_keys.revoke_api_key, key_id=row.id, now=SYSTEM_CLOCK.now())
        act(request, row, _("Revoked the key"), lambda operator: do(user=operator))

    deeds: ClassVar = {"approve": (DeedForm, approve), "revoke": (DeedForm, revoke)}
