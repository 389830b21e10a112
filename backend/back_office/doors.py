"""The pages before the back office: the second factor, to be set up and to be shown."""

import segno
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from backend.accounts.models import User
from backend.back_office import second_factor
from backend.back_office.actions import note
from backend.clock import SYSTEM_CLOCK, Clock
from backend.errors import FaenaError


def ask(
    request: HttpRequest, context: dict[str, object], clock: Clock = SYSTEM_CLOCK
) -> HttpResponse:
    """Ask an operator who has shown a password for the code, or let them set it up first."""
    user = request.user
    if not isinstance(user, User) or not user.is_active or not user.is_staff:
        return HttpResponseRedirect(reverse("admin:login"))
    if second_factor.is_shown(request):
        return HttpResponseRedirect(_next(request))
    context = {**context, "next": _next(request), "username": user.email}
    if not second_factor.is_set_up(user):
        return _set_up(request, user, context, clock)
    if request.method == "POST":
        try:
            factor = second_factor.check(user, request.POST.get("code", ""), now=clock.now())
        except FaenaError as refusal:
            context["refusal"] = refusal.message
        else:
            second_factor.remember(request, factor)
            return HttpResponseRedirect(_next(request))
    context["title"] = _("Second factor")
    return TemplateResponse(request, "back_office/second_factor.html", context)


def _set_up(
    request: HttpRequest, user: User, context: dict[str, object], clock: Clock
) -> HttpResponse:
    context["title"] = _("Set up your second factor")
    if request.method == "POST":
        try:
            factor, codes = second_factor.confirm(
                user, request.POST.get("code", ""), now=clock.now()
            )
        except FaenaError as refusal:
            context["refusal"] = refusal.message
        else:
            second_factor.remember(request, factor)
            note(user, user, _("Set up a second factor"))
            context |= {"title": _("Recovery codes"), "codes": codes}
            return TemplateResponse(request, "back_office/recovery_codes.html", context)
    # After a slip the app's key stays the one that was scanned.
    begun = second_factor.begun(user) if request.method == "POST" else None
    factor = begun or second_factor.begin(user, now=clock.now())
    code = segno.make(second_factor.uri_of(factor), micro=False)
    context |= {
        # Our own SVG, of black squares.
        "picture": mark_safe(code.svg_inline(scale=4, border=4, light="white")),  # noqa: S308
        "key": second_factor.key_to_type(factor),
    }
    return TemplateResponse(request, "back_office/set_up.html", context)


def _next(request: HttpRequest) -> str:
    """Where they wanted to go, if that is here."""
    wanted = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""
    here = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if here else reverse("admin:index")
