"""Pages of rows with buttons: what a button does is a service of the row's domain."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http import HttpResponseRedirect as Redirect
from django.urls import URLPattern, path, reverse

from backend.admin_pages import ReadOnlyAdmin


class DeedForm(forms.Form):
    """What a deed asks the operator, besides the key that makes pressing twice harmless."""

    key = forms.UUIDField(widget=forms.HiddenInput(attrs={"id": None}), initial=uuid.uuid4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A button that is there now: the deed's name, what the button says, and what will follow.

    Without a form it is not there, and `explained` says why not.
    """

    deed: str
    says: Any
    explained: Any = ""
    form: DeedForm | None


class DeedAdmin(ReadOnlyAdmin):
    """Shows a row, and offers what can be done about it now. Deeds come by POST only."""

    change_form_template = "back_office/row.html"
    # By name: what to ask, and what to do with the answers.
    deeds: ClassVar[
        Mapping[str, tuple[type[DeedForm], Callable[[Any, HttpRequest, Any, Any], Any]]]
    ]

    def offers(self, request: HttpRequest, row: Any) -> Sequence[Offer]:
        """What can be done about `row` now; the services judge again."""
        # Each page says. Django's classes have a metaclass of their own, so this is no ABC.
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        do = self.admin_site.admin_view(self.do)
        return [
            path("<path:object_id>/do/<slug:deed>/", do, name=self._url_name("do")),
            *super().get_urls(),
        ]

    def do(self, request: HttpRequest, object_id: str, deed: str) -> HttpResponse:
        """Carry a deed out and come back to the row."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None or deed not in self.deeds:
            raise Http404
        form_class, carry_out = self.deeds[deed]
        form = form_class(request.POST)
        if form.is_valid():
            carry_out(self, request, row, form.cleaned_data)
        else:
            for name, problems in form.errors.items():
                label = form.fields[name].label or name if name in form.fields else ""
                messages.error(request, f"{label}: {' '.join(map(str, problems))}")
        return Redirect(reverse(f"admin:{self._url_name('change')}", args=[row.pk]))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = dict(extra_context or {})
        if object_id is not None and (row := self.get_object(request, object_id)) is not None:
            context |= {"offers": self.offers(request, row), **self.context_of(request, row)}
        return super().changeform_view(request, object_id, form_url, context)

    def context_of(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of `row` shows besides its columns."""
        return {}

    def _url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"
