"""Files for operators to look at: never their bytes, and nothing to change."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from backend.files.models import File

if TYPE_CHECKING:
    _OfFiles = admin.ModelAdmin[File]
else:  # generic only for type checkers
    _OfFiles = admin.ModelAdmin


@admin.register(File)
class FileAdmin(_OfFiles):
    """Read-only: what was declared, and what became of it."""

    list_display = ("name", "owner", "status", "media_type", "size", "created_at", "expires_at")
    list_filter = ("status", "media_type")
    list_select_related = ("owner",)
    search_fields = ("id", "name", "owner__email", "sha256")
    exclude = ("storage_key", "upload_id")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: File | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: File | None = None) -> bool:
        return False
