"""The payer's way to the wallet and back: RFC 9635 interact.start and interact.finish.

Neither view calls the network, and both may be opened any number of times. The finish view only
records what came back; the workflow does the rest.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from backend.clock import SYSTEM_CLOCK, Clock
from backend.open_payments import HashMismatch, verify_finish_hash
from backend.payments import links, services
from backend.payments.models import Grant
from backend.payments.status import GrantStatus

log = logging.getLogger(__name__)

REDIRECT = 303
COOKIE_LIFE = timedelta(hours=1)


@never_cache
@require_GET
def start(request: HttpRequest, opaque: str) -> HttpResponse:
    """Mark this browser as the one that approves, and send it on to the payer's wallet."""
    grant = _grant(links.grant_of_start(opaque))
    if grant is None:
        return _page(request, _("This approval link is not valid."), status=404)
    redirect = grant.open_secrets().redirect
    if grant.status != GrantStatus.AWAITING_APPROVAL or not redirect:
        return _back_to_client(grant)
    response = _redirect(redirect)
    name, value = links.browser_cookie(grant.id)
    response.set_cookie(
        name,
        value,
        max_age=COOKIE_LIFE,
        path="/op/finish/",
        secure=settings.PUBLIC_URL.startswith("https://"),
        httponly=True,
        samesite="Lax",
    )
    return response


@never_cache
@require_GET
def finish(request: HttpRequest, opaque: str, clock: Clock = SYSTEM_CLOCK) -> HttpResponse:
    """Record what the wallet's redirect says, if it is genuine, and go back to the client."""
    grant = _grant(links.grant_of_finish(opaque))
    if grant is None:
        return _page(request, _("This approval link is not valid."), status=404)
    if grant.status == GrantStatus.AWAITING_APPROVAL:
        _record(request, grant, clock.now())
        grant.refresh_from_db()
    return _back_to_client(grant)


def _grant(grant_id: UUID | None) -> Grant | None:
    if grant_id is None:
        return None
    return Grant.objects.filter(id=grant_id).select_related("payment", "held_grant").first()


def _record(request: HttpRequest, grant: Grant, now: datetime) -> None:
    name, _value = links.browser_cookie(grant.id)
    same_browser = links.is_browser_cookie(grant.id, request.COOKIES.get(name))
    refs, hashes = request.GET.getlist("interact_ref"), request.GET.getlist("hash")
    if not refs and not hashes:
        # Rejections carry no hash, so anybody could forge one: only the browser that started
        # the approval may withdraw it, and withdrawing moves no money.
        if same_browser and request.GET.get("result") == "grant_rejected":
            services.record_rejection(grant_id=grant.id, now=now)
        return
    if len(refs) != 1 or len(hashes) != 1:
        log.warning("finish of grant %s with %d refs, %d hashes", grant.id, len(refs), len(hashes))
        return
    secrets = grant.open_secrets()
    try:
        verify_finish_hash(
            hashes[0],
            client_nonce=secrets.client_nonce,
            interact_nonce=secrets.interact_nonce,
            interact_ref=refs[0],
            grant_endpoint=grant.auth_server,
        )
    except HashMismatch:
        log.warning("finish of grant %s with a hash that does not match", grant.id)
        return
    services.record_approval(
        grant_id=grant.id,
        interact_ref=refs[0],
        same_browser=same_browser,
        now=now,
    )


def _back_to_client(grant: Grant) -> HttpResponse:
    # The return URL was checked against the allow-list when consent was asked for.
    status = str(grant.status)
    if grant.status == GrantStatus.APPROVED and not grant.confirmed:
        status = links.CONFIRMATION_REQUIRED
    about = {"paymentId": str(grant.payment_id)} if grant.payment_id else {}
    return _redirect(
        links.return_url_with(
            grant.asked_by.return_url, **about, grantId=str(grant.id), grantStatus=status
        )
    )


def _redirect(url: str) -> HttpResponse:
    # Not HttpResponseRedirect's default: a mobile app's own scheme is allowed here, and 303
    # turns every method into GET.
    response = _Redirect(url, status=REDIRECT)
    response["Referrer-Policy"] = "no-referrer"
    return response


class _Redirect(HttpResponseRedirect):
    def __init__(self, url: str, *, status: int) -> None:
        scheme = url.split(":", 1)[0].lower()
        self.allowed_schemes = [scheme]
        super().__init__(url)
        self.status_code = status


def _page(request: HttpRequest, message: str, *, status: int) -> HttpResponse:
    return render(request, "payments/message.html", {"message": message}, status=status)
