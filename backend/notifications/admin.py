from django.contrib import admin

from backend.admin_pages import ReadOnlyAdmin
from backend.notifications.models import Mail


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("kind", "recipient", "status", "skipped_because", "event_at", "ended_at")
    list_filter = ("status", "skipped_because", "kind")
    search_fields = ("id", "event_id", "recipient__email")
