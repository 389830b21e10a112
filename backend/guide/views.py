"""The guide's addresses: each is one call into what GraphQL uses too."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from backend.accounts.models import User, WalletAddress
from backend.accounts.wallets import lookup_wallet, own_wallet
from backend.errors import ErrorCode, FaenaError, NotFound, ValidationFailed
from backend.events.threads import in_database
from backend.guide import escrow, offers, sellers
from backend.guide.answers import Answer, Ask, in_language_of
from backend.guide.offers import Wish
from backend.guide.shapes import FAILED, Json, shape_of, shapes_of, status_of
from backend.ids import read_global_id
from backend.payments import links
from backend.payments.models import Payment
from backend.payments.queries import payments_listed_for, payments_visible_to
from backend.payments.status import GrantStatus, PaymentStatus
from backend.payments.threads import asking_wallets

# The guide's clients give up after 10 s.
WAIT_SECONDS = 8.0
# Most are prepared within a second. Who waits for a slow wallet asks the database ever less often.
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.1, 1.0
MOST_LISTED = 100
# Before these the payer cannot be asked yet.
_PREPARED = frozenset(PaymentStatus) - {PaymentStatus.CREATED}


class NotPrepared(FaenaError):
    """The payer's wallet has not answered yet; the payment goes on being prepared."""

    code = ErrorCode.UPSTREAM_UNAVAILABLE
    retryable = True


class PaymentFailed(FaenaError):
    """The payment ended before its payer could be asked."""

    def __init__(self, payment: Payment) -> None:
        super().__init__(payment.failure_sentence() or _("The payment was not made."))
        self.code = ErrorCode(payment.failure_code or ErrorCode.WALLET_REJECTED)
        self.retryable = payment.failure_retryable


async def start_quote(ask: Ask, offer_id: str) -> Answer:
    """POST /offers/{offerId}/quotes/start: a payment, and where its payer approves it."""
    seller_id, amount = ask.text("sellerId"), _amount(ask)
    wish = _wish(ask, seller_id=seller_id, amount=amount, wallet=await _named_wallet(ask))
    payment = await in_database(offers.start_payment, wish, offer_id=offer_id)
    body = await _prepared(payment, ask)
    return Answer({"success": True, **body, "paymentUrl": body["redirectUrl"]})


async def set_aside(ask: Ask) -> Answer:
    """POST /api/payments/incoming: money kept for work, `success` once it is there."""
    amount, offer_id = _amount(ask), ask.optional_text("offerId")
    description = ask.text("description")
    if ask.body.get("buyerWalletAddressUrl"):
        wallet = await _named_wallet(ask)
    else:
        wallet = await _own_wallet(ask)
    wish = _wish(ask, seller_id=ask.optional_text("sellerId"), amount=amount, wallet=wallet)
    held = await in_database(escrow.set_aside, wish, offer_id=offer_id, description=description)
    if held.secured:
        body = await in_database(shape_of, held.payment, viewer=ask.caller.user)
        return Answer({"success": True, **_as_incoming(body, held.payment)}, status=201)
    body = await _prepared(held.payment, ask)
    with in_language_of(ask.caller):
        error = _why_not_yet(body["redirectUrl"])
    pending = {
        "success": False,
        "error": error,
        "code": body["state"],
        "details": {"retryable": True},
    }
    return Answer({**pending, **_as_incoming(body, held.payment)}, status=202)


def _why_not_yet(redirect_url: str | None) -> str:
    if redirect_url is None:
        return gettext("The money is on its way. Ask again in a moment.")
    sentence = gettext("The payer has to approve this at {url} first, then ask again.")
    return sentence.format(url=redirect_url)


def _as_incoming(body: Json, payment: Payment) -> Json:
    return {
        **body,
        "paymentId": str(payment.id),
        "payment_id": str(payment.id),
        "data": {
            "incomingPaymentId": body["incomingPaymentId"],
            "walletAddress": payment.receiver.url,
            "amount": body["amount"],
            "assetCode": body["assetCode"],
            "assetScale": body["assetScale"],
        },
    }


async def payment_status(ask: Ask, pending_id: str) -> Answer:
    """GET /payments/{pendingId}/status."""
    return Answer(await in_database(_status, ask.caller.user, pending_id))


def _status(user: User, pending_id: str) -> Json:
    return shape_of(_payment(user, pending_id), viewer=user)


async def offer_payments(ask: Ask, offer_id: str) -> Answer:
    """GET /offers/{offerId}/payments: the newest MOST_LISTED, newest first."""
    found = await in_database(_offer_payments, ask.caller.user, offer_id)
    return Answer({"offerId": offer_id, "payments": found})


def _offer_payments(user: User, offer_id: str) -> list[Json]:
    payments = offers.payments_of_offer(user, offer_id).order_by("-id")[:MOST_LISTED]
    return shapes_of(list(payments), viewer=user)


async def payments(ask: Ask) -> Answer:
    """GET /payments/pending: all payments that the caller sees, newest first, in pages.

    `?before=` the `next` of the last page leads on.
    """
    return Answer(await in_database(_payments, ask.caller.user, ask.query.get("before")))


def _payments(user: User, before: str | None) -> Json:
    found = payments_listed_for(user).order_by("-id")
    if before is not None:
        found = found.filter(id__lt=_payment(user, before).id)
    page = list(found[: MOST_LISTED + 1])
    more, page = len(page) > MOST_LISTED, page[:MOST_LISTED]
    return {
        "payments": shapes_of(page, viewer=user),
        "next": str(page[-1].id) if more else None,
    }


async def wallet_profile(ask: Ask) -> Answer:
    """POST /api/wallet/profile: what stands at a wallet address; it is not kept."""
    wallet = await asking_wallets(
        str(ask.caller.user.id),
        lookup_wallet,
        address=ask.text("walletAddressUrl"),
        principal=str(ask.caller.user.id),
        now=ask.now,
    )
    return Answer({"success": True, "wallet": _wallet(wallet)})


async def list_sellers(ask: Ask) -> Answer:
    """GET /sellers, for operators: where the money of each goes. There are no keys to be read."""
    found = await in_database(sellers.sellers_for, ask.caller.user)
    return Answer(
        {
            "sellers": [
                {
                    "id": each.slug,
                    "walletAddressUrl": each.wallet.url,
                    "active": each.active,
                }
                for each in found
            ]
        }
    )


async def register_seller(ask: Ask) -> Answer:
    """POST /sellers, for operators. `keyId` and `privateKeyPath` are not looked at."""
    seller = await asking_wallets(
        str(ask.caller.user.id),
        sellers.register_seller,
        user=ask.caller.user,
        slug=ask.text("id"),
        address=ask.text("walletAddressUrl"),
        now=ask.now,
    )
    return Answer({"ok": True, "id": seller.slug}, status=201)


@never_cache
@require_GET
def finished(request: HttpRequest) -> HttpResponse:
    """GET /payments/finish: where a payer comes out whose marketplace named no `returnUrl`.

    It says what the address says, and nothing of what we know: anybody can open it.
    """
    status = request.GET.get("grantStatus")
    approved = status == GrantStatus.APPROVED
    if approved:
        message = gettext(
            "The payment is approved, and goes on by itself. You can close this tab, or go back "
            "to the marketplace."
        )
    elif status == links.CONFIRMATION_REQUIRED:
        message = gettext(
            "The approval came back to another browser than the one it began in, and has to be "
            "confirmed. Go back to the marketplace."
        )
    elif status == GrantStatus.ENDED:
        message = gettext("The payment is over. The marketplace shows what became of it.")
    else:
        message = gettext("The payment is not approved. Go back to the marketplace to try again.")
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse({"ok": approved, "message": message})
    return render(request, "guide/finished.html", {"message": message})


# --- shared ---------------------------------------------------------------------------------------


async def _prepared(payment: Payment, ask: Ask) -> Json:
    """The payment once its payer can be asked.

    Raises:
        NotPrepared: that takes too long; the same request may find it done.
        PaymentFailed: it never will be.
    """
    until, pause = time.monotonic() + WAIT_SECONDS, FIRST_LOOK_SECONDS
    while True:
        body: Json | None = await in_database(_if_prepared, ask.caller.user, payment.id)
        if body is not None:
            return body
        if time.monotonic() > until:
            raise NotPrepared(_("The payer's wallet takes long. Send the same request again."))
        await asyncio.sleep(pause)
        pause = min(1.3 * pause, LONGEST_LOOK_SECONDS)


def _if_prepared(user: User, payment_id: UUID) -> Json | None:
    payment = payments_visible_to(user).get(id=payment_id)
    if status_of(payment) == FAILED:
        raise PaymentFailed(payment)
    return shape_of(payment, viewer=user) if payment.status in _PREPARED else None


def _payment(user: User, pending_id: str) -> Payment:
    found = read_global_id(pending_id)
    try:
        key = UUID(pending_id) if found is None else found[1]
    except ValueError:
        key = None
    payment = payments_visible_to(user).filter(id=key).first() if key else None
    if payment is None or (found is not None and found[0] != "Payment"):
        raise NotFound(_("There is no such payment."), path=("pendingId",))
    return payment


def _amount(ask: Ask) -> object:
    if ask.body.get("amount") in (None, ""):
        raise ValidationFailed(_("{name} is missing."), path=("amount",), name="amount")
    return ask.body["amount"]


async def _named_wallet(ask: Ask) -> WalletAddress:
    owner, url = ask.caller.user, offers.payer_url(ask.body.get("buyerWalletAddressUrl"))
    known = await in_database(offers.known_payer, owner=owner, url=url)
    if known is not None:
        return known
    return await asking_wallets(str(owner.id), offers.new_payer, owner=owner, url=url, now=ask.now)


async def _own_wallet(ask: Ask) -> WalletAddress:
    return await in_database(
        own_wallet,
        user=ask.caller.user,
        wallet_id=None,
        path="buyerWalletAddressUrl",
        to_do=_("Send the wallet address of whoever pays."),
    )


def _wish(ask: Ask, *, seller_id: str | None, amount: object, wallet: WalletAddress) -> Wish:
    return Wish(
        owner=ask.caller.user,
        wallet=wallet,
        amount=amount,
        seller_id=seller_id,
        return_url=ask.optional_text("returnUrl") or links.finished_url(),
        now=ask.now,
    )


def _wallet(wallet: WalletAddress) -> Json:
    return {
        "id": wallet.url,
        "assetCode": wallet.asset_code,
        "assetScale": wallet.asset_scale,
        "authServer": wallet.auth_server,
        "resourceServer": wallet.resource_server,
    }
