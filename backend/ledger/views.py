"""GET /exports/<token>: the entries that a signed link is for, as CSV."""

from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from backend import web
from backend.clock import SYSTEM_CLOCK
from backend.errors import ErrorCode
from backend.events.threads import in_database
from backend.ledger import downloads
from backend.ledger.export import HEAD, Selection, lines_of, part_of

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Disposition": 'attachment; filename="books.csv"',
    "Referrer-Policy": "no-referrer",
    "Vary": "Origin",
    "X-Content-Type-Options": "nosniff",
}


@require_GET
async def export(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file, a part at a time: neither its length nor a slow reader costs memory."""
    cors = web.cors_headers(
        request.headers.get("origin"),
        methods=("GET",),
        allowed_headers=(),
        exposed_headers=("Content-Disposition",),
    )
    try:
        selection = await in_database(downloads.selection_of, token, now=SYSTEM_CLOCK.now())
    except downloads.BadLink:
        return _refused(cors)
    return StreamingHttpResponse(
        pieces(selection),
        content_type="text/csv; charset=utf-8; header=present",
        headers={**HEADERS, **cors},
    )


async def pieces(selection: Selection) -> AsyncIterator[bytes]:
    """The file in pieces of some hundred kilobytes."""
    rows, place = await in_database(part_of, selection)
    yield "".join([HEAD, *lines_of(rows)]).encode()
    while place is not None:
        rows, place = await in_database(part_of, selection, after=place)
        yield "".join(lines_of(rows)).encode()


def _refused(cors: dict[str, str]) -> HttpResponse:
    message = "This link does not work, or not any more. Ask for a fresh one."
    body = {"errors": [{"message": message, "extensions": {"code": ErrorCode.FORBIDDEN}}]}
    headers = {"Cache-Control": "no-store", "Vary": "Origin", **cors}
    return JsonResponse(body, status=403, headers=headers)
