"""The links in mails: at the end of every one, and in the one that asks whose the address is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from backend.notifications import confirming, unsubscribing
from backend.notifications.composing import CATEGORIES, language_of


# Mail programs post here with no cookie and no page before; the link itself is the permission.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button, and changes nothing: scanners of mails open links. POST unsubscribes.

    Spec: RFC 8058.
    """
    try:
        user, category = unsubscribing.read(token)
    except unsubscribing.BadLink:
        return _page(request, "unsubscribe", "bad", status=404)
    if request.method == "POST":
        unsubscribing.mute(user, category)
    with translation.override(language_of(user)):
        state = "done" if request.method == "POST" else "asks"
        return _page(request, "unsubscribe", state, category=CATEGORIES[category])


# As above: whoever has the link reads the mails to this address.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button, and changes nothing: scanners of mails open links. POST confirms."""
    try:
        user = confirming.read(token)
    except confirming.BadLink:
        return _page(request, "confirm", "bad", status=404)
    if request.method == "POST":
        confirming.confirm(user)
    with translation.override(language_of(user)):
        return _page(request, "confirm", "done" if request.method == "POST" else "asks")


def _page(
    request: HttpRequest, name: str, state: str, *, status: int = 200, **more: object
) -> HttpResponse:
    response = render(
        request, f"notifications/{name}.html", {"state": state, **more}, status=status
    )
    # The address is a permission, if a small one.
    response["Referrer-Policy"] = "no-referrer"
    return response
