"""Jobs and applications for operators to look at; statuses change only through `move_to`."""

from django.contrib import admin

from backend.jobs.models import Application, Job, StatusChange, Submission


class ShowOnly:
    """Pages that change nothing: an edit here would leave no transition and no event."""

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


class StatusChangeInline(ShowOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = StatusChange
    fields = ("at", "kind", "old", "new", "actor", "reason")


class SubmissionInline(ShowOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Submission
    fields = ("worker", "revision", "status", "accepted_value", "submitted_at", "review_by")


class ApplicationInline(ShowOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Application
    fields = ("applicant", "status", "payout_url", "created_at")


@admin.register(Job)
class JobAdmin(ShowOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("title", "owner", "status", "reward", "workers_needed", "created_at")
    list_filter = ("status",)
    list_select_related = ("owner",)
    search_fields = ("id", "title", "owner__email")
    inlines = (StatusChangeInline, ApplicationInline, SubmissionInline)
