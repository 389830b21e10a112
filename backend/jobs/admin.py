"""Jobs and applications for operators to look at; statuses change only through `move_to`."""

from django.contrib import admin

from backend.jobs.models import Application, Job, JobTransition


class ShowOnly:
    """Pages that change nothing: an edit here would leave no transition and no event."""

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


class TransitionInline(ShowOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = JobTransition
    fields = ("at", "old", "new", "actor")


class ApplicationInline(ShowOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Application
    fields = ("applicant", "status", "payout_url", "created_at")


@admin.register(Job)
class JobAdmin(ShowOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("title", "owner", "status", "reward", "workers_needed", "created_at")
    list_filter = ("status",)
    list_select_related = ("owner",)
    search_fields = ("id", "title", "owner__email")
    inlines = (TransitionInline, ApplicationInline)
