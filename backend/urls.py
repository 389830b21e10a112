"""The URLs that Django serves. /graphql is served beside it: see asgi.py."""

from pathlib import Path

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView

from backend import health
from backend.accounts.downloads import PATH as EXPORTS
from backend.ledger import views as books
from backend.monitoring import views as monitoring
from backend.notifications import confirming, unsubscribing
from backend.notifications import views as notifications
from backend.payments import views as payments
from backend.profiles import views as profiles
from backend.profiles.downloads import PATH as OF_A_PERSON
from backend.receipts import views as receipts
from backend.schema import graphiql
from backend.webhooks import views as webhooks


def graphiql_asset(request: HttpRequest, name: str) -> HttpResponse:
    """A file of the built GraphiQL page."""
    assets_dir = Path(settings.VAR_DIR) / "graphiql"
    found = graphiql.asset(path=name, assets_dir=assets_dir) if settings.GRAPHIQL else None
    if found is None:
        raise Http404
    content_type, content = found
    # A worker lives under the policy of its own file, and loads others of the bundle.
    headers = {"Content-Security-Policy": graphiql.ASSETS_POLICY}
    return HttpResponse(content, content_type=content_type, headers=headers)


urlpatterns = [
    # Named here for the log's sake: health.Probes answers before hosts are checked.
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("health", health.health),
    path("metrics", monitoring.metrics),
    path("op/start/<str:opaque>", payments.start),
    path("op/finish/<str:opaque>", payments.finish),
    path(".well-known/receipts/jwks.json", receipts.published),
    path(receipts.VERIFY_PATH, receipts.check),
    path(f"{EXPORTS}<str:token>", books.export),
    path(f"{OF_A_PERSON}<str:token>", profiles.export),
    path(f"{unsubscribing.PATH}<str:token>", notifications.unsubscribe),
    path(f"{confirming.PATH}<str:token>", notifications.confirm),
    path("", include("backend.guide.urls")),
    path("api/webhooks/payments", webhooks.payments),
    path("graphiql/<path:name>", graphiql_asset),
    path("admin/", admin.site.urls),
]
if settings.GRAPHIQL:
    urlpatterns.append(path("", RedirectView.as_view(url="/graphql")))
