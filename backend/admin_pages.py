"""What the admin pages of every domain begin with."""

from django.contrib import admin
from django.http import HttpRequest


def is_operator(request: HttpRequest) -> bool:
    """Whether this is somebody who sees everything, as in the API."""
    return bool(request.user.is_active and getattr(request.user, "is_staff", False))


class ShowOnly:
    """Shows its rows to every operator, and changes none: money is never changed by hand."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return is_operator(request)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class ReadOnlyAdmin(ShowOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The pages of rows that are looked at."""


class ReadOnlyInline(ShowOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Rows that belong to the row of a page."""

    extra = 0
