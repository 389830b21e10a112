"""Files for operators to look at: never their bytes, and nothing to change."""

from django.contrib import admin

from backend.admin_pages import ReadOnlyAdmin
from backend.files.models import File


@admin.register(File)
class FileAdmin(ReadOnlyAdmin):
    """What was declared, and what became of it."""

    list_display = ("name", "owner", "status", "media_type", "size", "created_at", "expires_at")
    list_filter = ("status", "media_type")
    list_select_related = ("owner",)
    search_fields = ("id", "name", "owner__email", "sha256")
    exclude = ("storage_key", "upload_id")
