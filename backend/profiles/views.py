"""GET /exports/person/<token>: what is kept of somebody, as JSON."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from backend import web
from backend.accounts.downloads import BadLink
from backend.clock import SYSTEM_CLOCK
from backend.errors import RateLimited
from backend.events.threads import in_database
from backend.profiles import downloads


@require_GET
async def export(request: HttpRequest, token: str) -> HttpResponseBase:
    """The whole file: what one person has written is not much."""
    cors = web.download_cors_headers(request.headers.get("origin"))
    try:
        document = await in_database(downloads.document_of, token, now=SYSTEM_CLOCK.now())
    except BadLink:
        return web.bad_link(cors)
    except RateLimited as error:
        return web.too_often(error, cors)
    return HttpResponse(
        document,
        content_type="application/json; charset=utf-8",
        headers={**web.download_headers("person.json"), **cors},
    )
