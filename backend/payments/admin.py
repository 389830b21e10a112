from django.contrib import admin

from backend.payments.models import Discrepancy, Payment, PaymentResolution, PaymentTransition


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Money is never changed by hand: these pages only show."""

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


class TransitionInline(admin.TabularInline):  # type: ignore[type-arg]
    model = PaymentTransition
    fields = ("at", "old", "new", "reason")
    extra = 0
    can_delete = False


class ResolutionInline(admin.TabularInline):  # type: ignore[type-arg]
    model = PaymentResolution
    fields = ("at", "operator", "outcome", "evidence_url", "note", "confirms")
    extra = 0
    can_delete = False


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = ("id", "status", "purpose", "sender", "receiver", "receive_value", "updated_at")
    list_filter = ("status", "purpose")
    search_fields = ("id", "reference")
    inlines = (TransitionInline, ResolutionInline)
    exclude = ("pending_call",)


@admin.register(Discrepancy)
class DiscrepancyAdmin(ReadOnlyAdmin):
    list_display = ("kind", "subject", "expected", "actual", "first_seen_at", "resolved_at")
    list_filter = ("kind", ("resolved_at", admin.EmptyFieldListFilter))
