"""What payments keep of people: what they paid and were paid, and what they consented to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain
from typing import ClassVar

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User
from backend.accounts.personal import KEPT, Hindrance, PersonalData, by_page, hindrance
from backend.payments.models import Grant, HeldGrant, HeldGrantLine, Payment
from backend.payments.status import HELD_GRANT_OVER, TERMINAL, GrantKind


class PaymentData(PersonalData):
    """Payments and consents, which are evidence: they stay, without where a browser went after."""

    relations: ClassVar[Mapping[str, str]] = {
        "payments.Payment.payer": f"{KEPT}whose money it was, by id",
        "payments.HeldGrant.payer": f"{KEPT}who consented, by id",
        "payments.PaymentResolution.operator": f"{KEPT}which operator ended a payment, by id",
    }

    def hindrances(self, person: User) -> Iterable[Hindrance]:
        return [
            *hindrance(
                "PAYMENT_OPEN",
                _("Payments from or to them are under way: {count}. Wait until they have ended."),
                Payment.objects.filter(_of(person)).exclude(status__in=sorted(TERMINAL)),
            ),
            *hindrance(
                "CONSENT_HELD",
                _(
                    "Consents of theirs can still pay, or are being given back: {count}. They "
                    "cancel what they fund, or take the consent back at their wallet."
                ),
                HeldGrant.objects.filter(payer=person).exclude(status__in=sorted(HELD_GRANT_OVER)),
            ),
        ]

    def wallets_money_went_through(self) -> Q:
        this = OuterRef("pk")
        return (
            Q(Exists(Payment.objects.filter(Q(sender=this) | Q(receiver=this))))
            | Q(Exists(HeldGrant.objects.filter(sender=this)))
            | Q(Exists(HeldGrantLine.objects.filter(receiver=this)))
        )

    def erase(self, person: User, *, now: datetime) -> None:
        Payment.objects.filter(payer=person).update(return_url="")
        HeldGrant.objects.filter(payer=person).update(return_url="")

    def export(self, person: User) -> Mapping[str, object]:
        paid = Payment.objects.filter(_of(person)).select_related("sender", "receiver")
        single = Grant.objects.filter(payment__payer=person, kind=GrantKind.OUTGOING_PAYMENT)
        held = HeldGrant.objects.filter(payer=person).select_related("sender")
        return {
            "payments": (_payment(each, person) for each in by_page(paid)),
            "consents": chain(
                (_consent(each) for each in by_page(single.select_related("payment__sender"))),
                (_held_consent(each) for each in by_page(held)),
            ),
        }


def _of(person: User) -> Q:
    return Q(payer=person) | Q(sender__owner=person) | Q(receiver__owner=person)


def _payment(row: Payment, person: User) -> dict[str, object]:
    mine = [each.url for each in (row.sender, row.receiver) if each.owner_id == person.pk]
    return {
        "id": row.pk,
        "purpose": row.purpose,
        "status": row.status,
        "delivered": row.delivered_amount.to_json(),
        "wallets": mine,
        "createdAt": row.created_at,
    }


def _consent(row: Grant) -> dict[str, object]:
    payment, most = row.payment, row.max_debit_value
    assert payment is not None
    return {
        "payment": payment.pk,
        "status": row.status,
        "wallet": payment.sender.url,
        "limit": None if most is None else payment.in_sender_asset(most).to_json(),
        "askedAt": row.created_at,
    }


def _held_consent(row: HeldGrant) -> dict[str, object]:
    return {
        "heldFor": row.reference,
        "scope": row.scope,
        "status": row.status,
        "wallet": row.sender.url,
        "limit": row.limit and row.limit.to_json(),
        "endsAt": row.ends_at,
        "askedAt": row.created_at,
    }
