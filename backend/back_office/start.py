"""The first page: what needs an operator now, and how the money moves."""

from typing import Any

from django.contrib import messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import reverse
from django.utils.translation import gettext as _

from backend.accounts.models import User
from backend.back_office import attention
from backend.back_office.actions import act
from backend.back_office.flows import flows
from backend.back_office.grants import RenewForm, ask_for_consent
from backend.back_office.plot import plot
from backend.back_office.timeline import written
from backend.clock import SYSTEM_CLOCK, Clock
from backend.open_payments.types import Amount
from backend.payments.models import Payment
from backend.payments.status import PaymentStatus
from backend.reconciliation.tasks import reconcile_soon


def page(clock: Clock = SYSTEM_CLOCK) -> dict[str, Any]:
    """What the template of the start page shows; a fixed number of queries."""
    now = clock.now()
    lag = attention.lag(now=now)
    behind = [
        (_("Payments that nobody works on"), lag.payments),
        (_("Events that are not passed on"), lag.outbox),
        (_("Webhooks that are overdue"), lag.webhooks),
    ]
    return {
        "now": now,
        "pressing": [_row(payment) for payment in attention.pressing(now=now)],
        "numbers": {
            "unknown": attention.unknown().count(),
            "late": attention.late(now=now).count(),
            "stuck": attention.stuck().count(),
        },
        "disputes": list(attention.escalated()[: attention.SHOWN]),
        "discrepancies": attention.discrepancies(),
        "treasury": [
            (each, written(each.grant.taken(at=now)), written(each.grant.limit))
            for each in attention.treasury(now=now)
        ],
        **_consent_to_ask_for(),
        "endpoints": list(attention.failing_endpoints()[: attention.SHOWN]),
        "behind": [(what, since) for what, since in behind if since is not None],
        "plots": [plot(flow) for flow in flows(now=now)],
    }


def _consent_to_ask_for() -> dict[str, Any]:
    found = attention.treasury_of_ours()
    if found is None:
        return {"treasury_cannot_pay": False}
    code, scale = found.wallet.asset
    unit = 10**scale
    return {
        "treasury_cannot_pay": attention.treasury_cannot_pay(),
        "treasury_unit": str(unit),
        "treasury_example": written(Amount(value=unit, asset_code=code, asset_scale=scale)),
        "treasury_form": RenewForm(),
    }


def _row(payment: Payment) -> dict[str, Any]:
    # Since when it needs somebody: UNKNOWN from its change on, late from its deadline on.
    moving = payment.status in {PaymentStatus.UNKNOWN, PaymentStatus.FAILED}
    return {
        "payment": payment,
        "since": payment.updated_at if moving else payment.deadline_at,
        "amount": written(payment.receive_amount or payment.send_amount),
        "why": payment.failure_sentence(),
    }


def reconcile(request: HttpRequest) -> HttpResponse:
    """Have a worker compare rows, books and wallets now."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    assert isinstance(request.user, User)
    asked = _("Asked for a reconciliation: what it finds is here in some minutes")
    act(request, request.user, asked, lambda operator: reconcile_soon())
    return HttpResponseRedirect(reverse("admin:payments_discrepancy_changelist"))


def ask_treasury(request: HttpRequest) -> HttpResponse:
    """Have the treasury's wallet ask for a consent, and go to where it stands."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    found, form = attention.treasury_of_ours(), RenewForm(request.POST)
    if found is None:
        raise Http404
    if not form.is_valid():
        messages.error(request, _("Say how much may be paid out in 30 days: a whole number."))
        return HttpResponseRedirect(reverse("admin:index"))
    asked = ask_for_consent(request, found, found.wallet, form.cleaned_data)
    if asked is None:
        return HttpResponseRedirect(reverse("admin:index"))
    return HttpResponseRedirect(reverse("admin:payments_heldgrant_change", args=[asked.pk]))
