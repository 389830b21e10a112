"""What Django's admin looks for here: pages that act, or that show several domains."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from backend.admin_pages import ReadOnlyAdmin
from backend.back_office import grants, payments, people, webhooks
from backend.back_office.models import OperatorAction
from backend.payments.models import Discrepancy

__all__ = ["grants", "payments", "people", "webhooks"]


@admin.register(OperatorAction)
class OperatorActionAdmin(ReadOnlyAdmin):
    """The log of what operators did."""

    list_display = ("action_time", "user", "content_type", "object_repr", "said")
    list_select_related = ("user", "content_type")
    list_filter = ("content_type",)
    search_fields = ("=object_id", "user__email", "change_message")
    fields = (*list_display, "object_id")

    @admin.display(description=_("what"))
    def said(self, row: OperatorAction) -> str:
        return row.get_change_message()


@admin.register(Discrepancy)
class DiscrepancyAdmin(ReadOnlyAdmin):
    """What does not add up, with its evidence; the run that finds it gone resolves it."""

    list_display = ("kind", "subject", "expected", "actual", "first_seen_at", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "kind")
    search_fields = ("=subject",)
    ordering = ("first_seen_at",)
    fields = (*list_display, "last_seen_at", "payment", "shown_evidence")
    change_list_template = "back_office/discrepancies.html"

    @admin.display(description=_("evidence"))
    def shown_evidence(self, row: Discrepancy) -> str:
        lines = ((name, _as_link(value)) for name, value in row.evidence.items())
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", lines))


def _as_link(value: object) -> str:
    text = str(value)
    if text.startswith(("https://", "http://")):
        return format_html('<a href="{0}" rel="noreferrer">{0}</a>', text)
    return text
