"""The log of what operators did."""

from django.contrib import admin

from backend.back_office.models import OperatorAction
from backend.payments.admin import ReadOnlyAdmin


@admin.register(OperatorAction)
class OperatorActionAdmin(ReadOnlyAdmin):
    list_display = ("action_time", "user", "content_type", "object_repr", "change_message")
    list_select_related = ("user", "content_type")
    list_filter = ("content_type",)
    search_fields = ("=object_id", "user__email", "change_message")
