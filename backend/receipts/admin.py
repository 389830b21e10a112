from django.contrib import admin

from backend.admin_pages import ReadOnlyAdmin
from backend.receipts.models import Receipt


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    list_display = ("number", "payment", "issued_at")
    search_fields = ("number", "payment__id")
    # The receipt itself is for its parties, who may pass it on.
    exclude = ("jws",)
