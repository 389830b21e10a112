"""GET /exports/person/<token>: what is kept of somebody, as JSON."""

from collections.abc import AsyncIterator, Iterator
from itertools import islice

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from backend import web
from backend.accounts.downloads import BadLink
from backend.clock import SYSTEM_CLOCK
from backend.errors import RateLimited
from backend.events.threads import in_database
from backend.profiles import downloads

PIECES = 100


@require_GET
async def export(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file, a part at a time: who owns all jobs of a marketplace takes much away."""
    cors = web.download_cors_headers(request.headers.get("origin"))
    try:
        document = await in_database(downloads.document_of, token, now=SYSTEM_CLOCK.now())
    except BadLink:
        return web.bad_link(cors)
    except RateLimited as error:
        return web.too_often(error, cors)
    return StreamingHttpResponse(
        parts(document),
        content_type="application/json; charset=utf-8",
        headers={**web.download_headers("person.json"), **cors},
    )


async def parts(document: Iterator[str]) -> AsyncIterator[bytes]:
    """The pieces of a document, some at a time."""
    while part := await in_database(_next_part, document):
        yield part.encode()


def _next_part(document: Iterator[str]) -> str:
    return "".join(islice(document, PIECES))
