"""The addresses of the guide's contract. `/health` is the process's own."""

from django.urls import path

from backend.accounts.models import Scope
from backend.guide import views
from backend.guide.answers import endpoint
from backend.payments.links import FINISHED_PATH

urlpatterns = [
    path("offers/<str:offer_id>/quotes/start", endpoint(POST=(Scope.MONEY, views.start_quote))),
    path("offers/<str:offer_id>/payments", endpoint(GET=(Scope.READ, views.offer_payments))),
    path("payments/pending", endpoint(GET=(Scope.READ, views.payments))),
    path(FINISHED_PATH, views.finished),
    path("payments/<str:pending_id>/status", endpoint(GET=(Scope.READ, views.payment_status))),
    path("api/payments/incoming", endpoint(POST=(Scope.MONEY, views.set_aside))),
    path("api/wallet/profile", endpoint(POST=(Scope.READ, views.wallet_profile))),
    path(
        "sellers",
        endpoint(
            GET=(Scope.SELLERS, views.list_sellers), POST=(Scope.SELLERS, views.register_seller)
        ),
    ),
]
