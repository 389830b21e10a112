"""Our admin site: who may enter, and what they find first."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect


class BackOffice(AdminSite):
    """Django's admin behind a second factor."""

    site_header = site_title = "Faena"
    index_title = _("What needs you")
    index_template = "back_office/start.html"
    site_url = None

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether this is an operator who has shown both factors."""
        # The registry imports this module before there are models.
        from backend.back_office import second_factor

        return super().has_permission(request) and second_factor.is_shown(request)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        ours: list[URLPattern | URLResolver] = [
            path("reconcile/", self.admin_view(self.reconcile), name="reconcile"),
            path("treasury/", self.admin_view(self.ask_treasury), name="ask_treasury"),
            path("second-factor/", self.second_factor, name="second_factor"),
            # Also for who has not shown the second factor.
            path("logout/", never_cache(csrf_protect(self.logout)), name="logout"),
        ]
        return [*ours, *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Ask for the password, and go on to the second factor whoever has shown it."""
        if request.method == "GET" and super().has_permission(request):
            wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
            query = f"?{urlencode({REDIRECT_FIELD_NAME: wanted})}" if wanted else ""
            return HttpResponseRedirect(reverse("admin:second_factor") + query)
        return super().login(request, extra_context)

    @method_decorator([never_cache, csrf_protect])
    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Ask for the code, or let it be set up."""
        from backend.back_office import doors

        return doors.ask(request, self.each_context(request))

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Show what needs an operator, before the list of all pages."""
        from backend.back_office import start

        return super().index(request, {**start.page(), **(extra_context or {})})

    def reconcile(self, request: HttpRequest) -> HttpResponse:
        """Compare rows, books and wallets soon; by POST."""
        from backend.back_office import start

        return start.reconcile(request)

    def ask_treasury(self, request: HttpRequest) -> HttpResponse:
        """Ask for the consent to pay out of the treasury; by POST."""
        from backend.back_office import start

        return start.ask_treasury(request)
