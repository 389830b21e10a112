"""Jobs and applications for operators to look at; statuses change only through `move_to`."""

from django.contrib import admin

from backend.admin_pages import ReadOnlyAdmin, ReadOnlyInline
from backend.jobs.models import Application, Dispute, Job, StatusChange, Submission


class StatusChangeInline(ReadOnlyInline):
    model = StatusChange
    fields = ("at", "kind", "old", "new", "actor", "reason")


class SubmissionInline(ReadOnlyInline):
    model = Submission
    fields = ("worker", "revision", "status", "accepted_value", "submitted_at", "review_by")


class ApplicationInline(ReadOnlyInline):
    model = Application
    fields = ("applicant", "status", "payout_url", "created_at")


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("title", "owner", "status", "reward", "workers_needed", "created_at")
    list_filter = ("status",)
    list_select_related = ("owner",)
    search_fields = ("id", "title", "owner__email")
    inlines = (StatusChangeInline, ApplicationInline, SubmissionInline)


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ("id", "status", "job", "amount_value", "created_at", "answer_by")
    list_filter = ("status",)
    list_select_related = ("submission__job",)
    search_fields = ("id", "submission__job__id", "submission__job__title")

    @admin.display(description="job")
    def job(self, dispute: Dispute) -> str:
        """What the disputed work was done for."""
        return dispute.submission.job.title
