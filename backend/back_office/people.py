"""People, whom operators may erase, and API keys, which they approve and revoke."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backend.accounts import api_keys
from backend.accounts.emails import normalise_email
from backend.accounts.erasing import erase_person, hindrances_to_erasing
from backend.accounts.models import ApiKey, User
from backend.admin_pages import ShowOnly
from backend.back_office.actions import act, note
from backend.back_office.deeds import DeedAdmin, DeedForm, Offer
from backend.clock import SYSTEM_CLOCK


class EraseForm(DeedForm):
    """Whom the operator means: nobody is erased by one press too many."""

    email = forms.CharField(label=gettext_lazy("their e-mail address"))


@admin.register(User)
class UserAdmin(DeedAdmin):
    """Names, locale and whether the account is open; the password hash stays out of sight.

    The one page with a form: who may change people is what Django's permissions say. What people
    are entrusted with only superusers change: else whoever changes people entrusts themselves.
    """

    list_display = ("email", "display_name", "is_active", "is_staff", "is_auditor", "created_at")
    list_filter = ("is_active", "is_staff", "is_auditor", ("erased_at", admin.EmptyFieldListFilter))
    search_fields = ("=id", "email", "display_name")
    fields = (
        "email",
        "display_name",
        "locale",
        "bio",
        "is_active",
        "is_staff",
        "is_auditor",
        "groups",
        "operator_since",
        "made_operator_by",
        "created_at",
        "email_unconfirmed_since",
        "erased_at",
    )
    entrusting: ClassVar = ("is_staff", "is_auditor", "groups")
    readonly_fields = (
        "email",
        "operator_since",
        "made_operator_by",
        "created_at",
        "email_unconfirmed_since",
        "erased_at",
    )
    change_form_template = "back_office/person.html"
    filter_horizontal = ("groups",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super(ShowOnly, self).has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return super(ShowOnly, self).has_view_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        if isinstance(obj, User) and obj.erased_at is not None:
            return False
        return super(ShowOnly, self).has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> list[str]:
        shown = [*super().get_readonly_fields(request, obj)]
        is_superuser = isinstance(request.user, User) and request.user.is_superuser
        return shown if is_superuser else [*shown, *self.entrusting]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Keep who made an operator of whom: the two do not count as two (resolving.py)."""
        if "is_staff" in form.changed_data:
            assert isinstance(request.user, User)
            obj.operator_since = SYSTEM_CLOCK.now() if obj.is_staff else None
            obj.made_operator_by = request.user if obj.is_staff else None
        super().save_model(request, obj, form, change)

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        """Note a change as every other deed is noted: without a name."""
        assert isinstance(request.user, User)
        return note(request.user, obj, message)

    def offers(self, request: HttpRequest, row: User) -> list[Offer]:
        if not self.has_change_permission(request, row):
            return []
        hindrances = hindrances_to_erasing(row)
        if hindrances:
            lines = [_("They cannot be erased yet."), *map(str, hindrances)]
            return [Offer(deed="erase", says="", explained="\n".join(lines), form=None)]
        explained = _(
            "Who they are is forgotten for good; books, receipts and paid work stay, without "
            "a name. Make sure that it is they who ask."
        )
        return [Offer(deed="erase", says=_("Erase"), explained=explained, form=EraseForm())]

    def erase(self, request: HttpRequest, row: User, answers: dict[str, Any]) -> None:
        if not self.has_change_permission(request, row):
            messages.error(request, _("Only who may change people can erase them."))
        elif normalise_email(answers["email"]) != row.email:
            messages.error(request, _("This is not their e-mail address."))
        else:
            now = SYSTEM_CLOCK.now()
            do = partial(erase_person, person_id=row.pk, now=now)
            act(request, row, _("Erased"), lambda operator: do())

    deeds: ClassVar = {"erase": (EraseForm, erase)}


@admin.register(ApiKey)
class ApiKeyAdmin(DeedAdmin):
    """Read-only, but for approving live keys and revoking any."""

    list_display = ("name", "owner", "prefix", "scopes", "created_at", "approved_at", "revoked_at")
    list_select_related = ("owner",)
    list_filter = ("test_mode", ("approved_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "prefix", "owner__email")
    fields = (*list_display, "test_mode", "approved_by", "last_used_at")

    def offers(self, request: HttpRequest, row: ApiKey) -> list[Offer]:
        if row.revoked_at is not None:
            return []
        revoke = Offer(
            deed="revoke",
            says=_("Revoke"),
            explained=_("Its program is refused at once, for good."),
            form=DeedForm(),
        )
        if row.approved_at is not None:
            return [revoke]
        explained = _("From then on its program can move real money, within its scopes.")
        approve = Offer(deed="approve", says=_("Approve"), explained=explained, form=DeedForm())
        return [approve, revoke]

    def approve(self, request: HttpRequest, row: ApiKey, answers: dict[str, Any]) -> None:
        do = partial(api_keys.approve_api_key, key_id=row.id, now=SYSTEM_CLOCK.now())
        act(request, row, _("Approved the key"), lambda operator: do(user=operator))

    def revoke(self, request: HttpRequest, row: ApiKey, answers: dict[str, Any]) -> None:
        do = partial(api_keys.revoke_api_key, key_id=row.id, now=SYSTEM_CLOCK.now())
        act(request, row, _("Revoked the key"), lambda operator: do(user=operator))

    deeds: ClassVar = {"approve": (DeedForm, approve), "revoke": (DeedForm, revoke)}
