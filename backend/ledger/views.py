"""GET /exports/<token>: the entries that a signed link is for, as CSV."""

from collections.abc import AsyncIterator

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from backend import web
from backend.accounts.downloads import BadLink
from backend.clock import SYSTEM_CLOCK
from backend.events.threads import in_database
from backend.ledger import downloads
from backend.ledger.export import HEAD, Selection, lines_of, part_of


@require_GET
async def export(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file, a part at a time: neither its length nor a slow reader costs memory."""
    cors = web.download_cors_headers(request.headers.get("origin"))
    try:
        selection = await in_database(downloads.selection_of, token, now=SYSTEM_CLOCK.now())
    except BadLink:
        return web.bad_link(cors)
    return StreamingHttpResponse(
        pieces(selection),
        content_type="text/csv; charset=utf-8; header=present",
        headers={**web.download_headers("books.csv"), **cors},
    )


async def pieces(selection: Selection) -> AsyncIterator[bytes]:
    """The file in pieces of some hundred kilobytes."""
    rows, place = await in_database(part_of, selection)
    yield "".join([HEAD, *lines_of(rows)]).encode()
    while place is not None:
        rows, place = await in_database(part_of, selection, after=place)
        yield "".join(lines_of(rows)).encode()
