"""Consents that are held for many payments; those of the treasury are the operators' own."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backend.accounts.models import WalletAddress
from backend.admin_pages import ReadOnlyInline
from backend.back_office import attention
from backend.back_office.actions import act
from backend.back_office.deeds import DeedAdmin, DeedForm, Offer
from backend.back_office.timeline import written
from backend.clock import SYSTEM_CLOCK
from backend.funding.treasury import authorize_treasury, revoke_treasury_grant
from backend.open_payments.types import Amount
from backend.payments import links
from backend.payments.models import HeldGrant, HeldGrantTransition
from backend.payments.status import (
    HELD_GRANT_OVER,
    HELD_GRANT_TRANSITIONS,
    GrantKind,
    GrantScope,
    GrantStatus,
    HeldGrantStatus,
)


class RenewForm(DeedForm):
    """How much the next consent allows in every period."""

    limit = forms.IntegerField(label=gettext_lazy("Limit, in smallest units"), min_value=1)


def ask_for_consent(
    request: HttpRequest, subject: Model, wallet: WalletAddress, answers: dict[str, Any]
) -> HeldGrant | None:
    """Have the treasury's `wallet` ask for a consent, noted at `subject`; None when refused."""
    code, scale = wallet.asset
    amount = Amount(value=answers["limit"], asset_code=code, asset_scale=scale)
    made: list[HeldGrant] = []
    act(
        request,
        subject,
        _("Asked for a consent of %(limit)s") % {"limit": written(amount)},
        lambda operator: made.append(
            authorize_treasury(
                user=operator,
                limit=amount,
                return_url=settings.PUBLIC_URL + reverse("admin:payments_heldgrant_changelist"),
                idempotency_key=answers["key"],
                now=SYSTEM_CLOCK.now(),
            )
        ),
    )
    return made[0] if made else None


class TransitionInline(ReadOnlyInline):
    model = HeldGrantTransition
    fields = ("at", "old", "new", "reason")


@admin.register(HeldGrant)
class HeldGrantAdmin(DeedAdmin):
    """What is taken of each consent and for how long it holds. Tokens are on no page."""

    list_display = ("id", "scope", "status", "payer", "limit", "taken", "days_left", "updated_at")
    list_filter = ("scope", "status")
    list_select_related = ("payer", "sender")
    search_fields = ("id", "reference", "payer__email")
    ordering = ("-id",)
    inlines = (TransitionInline,)
    exclude = ("pending_call", "fence", "lease_until", "limit_value", "reserved_value")
    readonly_fields = ("limit", "taken", "days_left")

    @admin.display(description=gettext_lazy("limit"))
    def limit(self, row: HeldGrant) -> str:
        return written(row.limit)

    @admin.display(description=gettext_lazy("taken"))
    def taken(self, row: HeldGrant) -> str:
        now = SYSTEM_CLOCK.now()
        percent = attention.allowance(row, now=now).percent
        return f"{written(row.taken(at=now))} ({percent} %)"

    @admin.display(description=gettext_lazy("days left"))
    def days_left(self, row: HeldGrant) -> int | None:
        over = row.status in HELD_GRANT_OVER
        return None if over else attention.allowance(row, now=SYSTEM_CLOCK.now()).days_left

    def context_of(self, request: HttpRequest, row: HeldGrant) -> dict[str, Any]:
        asked = row.grants.filter(
            kind=GrantKind.OUTGOING_PAYMENT, status=GrantStatus.AWAITING_APPROVAL
        )
        waiting = asked.order_by("created_at").last() if row.payer_id == request.user.pk else None
        return {
            "approve_url": links.start_url(waiting.id) if waiting else "",
            "is_being_asked": row.status == HeldGrantStatus.CREATED,
        }

    def offers(self, request: HttpRequest, row: HeldGrant) -> list[Offer]:
        if row.scope != GrantScope.TREASURY:
            return []
        found = [
            Offer(
                deed="renew",
                says=_("Ask for another consent"),
                explained=_(
                    "The treasury's wallet asks you. The one that is there stays until it is "
                    "revoked or used up."
                ),
                form=RenewForm(initial={"limit": row.limit_value}),
            )
        ]
        if HeldGrantStatus.CLOSING in HELD_GRANT_TRANSITIONS[HeldGrantStatus(row.status)]:
            found.append(
                Offer(
                    deed="revoke",
                    says=_("Revoke"),
                    explained=_("No payment begins under it any more; those on their way end."),
                    form=DeedForm(),
                )
            )
        return found

    def renew(self, request: HttpRequest, row: HeldGrant, answers: dict[str, Any]) -> None:
        ask_for_consent(request, row, row.sender, answers)

    def revoke(self, request: HttpRequest, row: HeldGrant, answers: dict[str, Any]) -> None:
        act(
            request,
            row,
            _("Revoked the consent"),
            lambda operator: revoke_treasury_grant(
                user=operator, grant_id=row.id, now=SYSTEM_CLOCK.now()
            ),
        )

    deeds: ClassVar = {"renew": (RenewForm, renew), "revoke": (DeedForm, revoke)}
