"""Payments: what they are for, everything that happened to them, and the two things to be done."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backend.back_office import attention
from backend.back_office.actions import act
from backend.back_office.deeds import DeedAdmin, DeedForm, Offer
from backend.back_office.timeline import timeline, written
from backend.clock import SYSTEM_CLOCK
from backend.funding.models import Funding, Payable
from backend.funding.queries import fundings_of_references
from backend.funding.returning import retry_payment
from backend.funding.status import PayableStatus
from backend.open_payments.types import Amount
from backend.payments.models import Payment, PaymentResolution
from backend.payments.resolving import (
    is_for_operators,
    open_proposal,
    resolve_unknown_payment,
)
from backend.payments.status import TERMINAL, PaymentStatus

# An end of the form's own: FAILED, with the sum that arrived.
A_PART = "PART"


class ResolveForm(DeedForm):
    """An operator's word, as `resolveUnknownPayment` takes it."""

    outcome = forms.ChoiceField(
        label=gettext_lazy("What became of it"),
        choices=[
            (PaymentStatus.COMPLETED.value, gettext_lazy("COMPLETED: all of it arrived")),
            (PaymentStatus.FAILED.value, gettext_lazy("FAILED: nothing did, and nothing can")),
            (A_PART, gettext_lazy("FAILED: only a part did, and no more can")),
        ],
        widget=forms.RadioSelect,
    )
    arrived = forms.IntegerField(
        label=gettext_lazy("Of a part: what arrived, in smallest units"),
        min_value=1,
        required=False,
    )
    debited = forms.IntegerField(
        label=gettext_lazy("Where it differs from the quote: what was debited, in smallest units"),
        min_value=1,
        required=False,
    )
    evidence_url = forms.CharField(
        label=gettext_lazy("Where that can be seen"),
        max_length=2048,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
    note = forms.CharField(
        label=gettext_lazy("What is to be seen there"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_arrived(self) -> int | None:
        """A part needs its sum, and nothing has none."""
        outcome, arrived = self.cleaned_data.get("outcome"), self.cleaned_data["arrived"]
        if outcome != PaymentStatus.COMPLETED and (outcome == A_PART) != (arrived is not None):
            raise forms.ValidationError(_("Say how much arrived of a part, and only of one."))
        return None if arrived is None else int(arrived)


class NeedsAttention(admin.SimpleListFilter):
    title = gettext_lazy("needs attention")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("unknown", gettext_lazy("UNKNOWN")),
            ("late", gettext_lazy("past its deadline")),
            ("stuck", gettext_lazy("failed, still owed")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payment]) -> QuerySet[Payment]:
        wanted = {
            "unknown": attention.unknown,
            "late": lambda: attention.late(now=SYSTEM_CLOCK.now()),
            "stuck": attention.stuck,
        }.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(id__in=wanted().values("id"))


@admin.register(Payment)
class PaymentAdmin(DeedAdmin):
    """One page for each payment: the timeline. Nothing of it can be edited."""

    list_display = ("id", "status", "purpose", "amount", "payer", "receiver", "updated_at")
    list_filter = (NeedsAttention, "status", "purpose")
    list_select_related = ("payer", "sender", "receiver")
    search_fields = ("id", "reference", "payer__email", "receiver__url")
    ordering = ("-id",)
    change_form_template = "back_office/payment.html"

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, row: Payment) -> str:
        return written(row.receive_amount or row.send_amount)

    def context_of(self, request: HttpRequest, row: Payment) -> dict[str, Any]:
        funding_id = fundings_of_references([row.reference]).get(row.reference)
        fundings = Funding.objects.select_related("job")
        return {
            "title": f"{written(row.receive_amount or row.send_amount)}, {row.status}",
            "subtitle": None,
            "payment": row,
            "funding": fundings.filter(id=funding_id).first() if funding_id else None,
            "delivered": written(row.delivered_amount),
            "debit": written(row.debit_amount),
            "is_late": row.status not in TERMINAL and row.deadline_at < SYSTEM_CLOCK.now(),
            "is_over": row.status in TERMINAL,
            "advice": _advice(row),
            "proposal": (proposal := _proposal(row)),
            "arrived": written(proposal.arrived) if proposal and proposal.arrived else "",
            "moments": timeline(row),
        }

    def offers(self, request: HttpRequest, row: Payment) -> list[Offer]:
        found = []
        if is_for_operators(row, now=SYSTEM_CLOCK.now()):
            found.append(
                Offer(
                    deed="resolve",
                    says=_("Say so"),
                    explained=_(
                        "When no wallet answers, two operators who have looked elsewhere say how "
                        "it ended. The first one proposes, the second one carries it out."
                    ),
                    form=ResolveForm(),
                )
            )
        payable = Payable.objects.filter(id=row.reference).first()
        owed = payable is not None and payable.status in {PayableStatus.OWED, PayableStatus.STUCK}
        if row.status == PaymentStatus.FAILED and owed:
            found.append(
                Offer(
                    deed="retry",
                    says=_("Pay again"),
                    explained=_what_paying_again_does(row),
                    form=DeedForm(),
                )
            )
        return found

    def resolve(self, request: HttpRequest, row: Payment, answers: dict[str, Any]) -> None:
        outcome, arrived = answers["outcome"], answers["arrived"]
        if outcome == A_PART:
            outcome = PaymentStatus.FAILED
        code, scale = row.receive_asset_code, row.receive_asset_scale
        debited = answers["debited"]
        act(
            request,
            row,
            _("Said that it is %(outcome)s") % {"outcome": answers["outcome"]},
            lambda operator: resolve_unknown_payment(
                user=operator,
                payment_id=row.id,
                outcome=PaymentStatus(outcome),
                arrived=arrived and Amount(value=arrived, asset_code=code, asset_scale=scale),
                debited=debited and row.in_sender_asset(debited),
                evidence_url=answers["evidence_url"],
                note=answers["note"],
                idempotency_key=answers["key"],
                now=SYSTEM_CLOCK.now(),
            ),
        )

    def retry(self, request: HttpRequest, row: Payment, answers: dict[str, Any]) -> None:
        act(
            request,
            row,
            _("Began another payment"),
            lambda operator: retry_payment(
                user=operator,
                payment_id=row.id,
                idempotency_key=answers["key"],
                now=SYSTEM_CLOCK.now(),
            ),
        )

    deeds: ClassVar = {"resolve": (ResolveForm, resolve), "retry": (DeedForm, retry)}


def _what_paying_again_does(row: Payment) -> str:
    if row.refused_receive_amount is None:
        return _("What it was for is still owed. This begins another payment.")
    return _(
        "What it was for is still owed. This pays it though no more than %(arrives)s would arrive."
    ) % {"arrives": written(row.refused_receive_amount)}


def _advice(payment: Payment) -> str:
    """What a payment that hangs is waiting for, and what its reader is to do."""
    now = SYSTEM_CLOCK.now()
    if payment.look_up_since is not None and is_for_operators(payment, now=now):
        return _(
            "A backup was restored, and the wallets do not say whether this had been paid by then: "
            "nothing is ordered before that is known. Look at both wallets, then say below what "
            "you saw."
        )
    if payment.status != PaymentStatus.UNKNOWN:
        return ""
    if payment.deadline_at < now:
        return _(
            "The order to pay went out, its answer was lost, and no wallet has said since how it "
            "ended: the money may have moved. Look at both wallets, then say below what you saw."
        )
    return _(
        "The order to pay went out and its answer was lost: the money may have moved. The wallets "
        "are asked again by themselves, and nobody is to pay this another way. If they have not "
        "answered at the deadline, two operators can say on this page how it ended."
    )


def _proposal(payment: Payment) -> PaymentResolution | None:
    attempt = payment.attempts.filter(dead_at=None).first()
    said = payment.resolutions.select_related("operator").order_by("at", "id")
    return None if payment.status in TERMINAL else open_proposal(said, payment, attempt)
