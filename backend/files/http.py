"""/files/<token> for files on local disk: PUT brings a part, GET reads a finished file.

An ASGI application of its own, because Django would read a whole body before it looks at it. The
token in the URL is the permission (`links`); there are no cookies and no bearer tokens here.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO
from uuid import UUID, uuid4

from django.conf import settings
from django.utils.http import content_disposition_header
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from backend import outages, web
from backend.clock import SYSTEM_CLOCK
from backend.errors import ErrorCode
from backend.events.threads import in_database
from backend.files import links
from backend.files.errors import StorageUnavailable
from backend.files.local import LocalStore
from backend.files.models import File
from backend.files.parts import Part, parts_of
from backend.files.status import FileStatus
from backend.files.threads import in_storage

log = logging.getLogger(__name__)

# Nothing arrived for so long: the line is dead, and the client can send the part again.
SILENCE_SECONDS = 60.0
# Whoever is slower than this in all, beyond a minute, only holds a place.
LEAST_BYTES_PER_SECOND = 10_000
# At a time, in this process: each may hold a part on disk and a buffer in memory.
MOST_ARRIVING = 256
MOST_ARRIVING_PER_OWNER = 16
MOST_ARRIVING_PER_FILE = 8
_BUFFER_BYTES = 256 * 1024
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


class _Refusal(Exception):
    def __init__(self, status: int, reason: str, *, code: ErrorCode, closing: bool = False) -> None:
        super().__init__(reason)
        self.status, self.reason, self.code, self.closing = status, reason, code, closing


class _Download(FileResponse):
    # More than one range at a time is answered with the whole file.
    max_ranges = 1


class FilesApp:
    """PUT and GET below /files/; nothing is here when a bucket holds the files."""

    def __init__(self) -> None:
        self._per_file: Counter[UUID] = Counter()
        self._per_owner: Counter[UUID] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._respond(request)
        for name, value in {**_HEADERS, **_cors(request)}.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            if not web.is_our_host(request.headers):
                raise _bad_request("This host is not served here.")
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"Allow": "GET, HEAD, PUT, OPTIONS"})
            if settings.FILES_BUCKET:
                raise _not_found("Files are not kept here.")
            token = request.scope["path"].removeprefix(links.PATH)
            if request.method == "PUT":
                return await self._take(request, token)
            if request.method in {"GET", "HEAD"}:
                return await _give(token)
            raise _Refusal(405, "PUT a part or GET a file.", code=ErrorCode.BAD_REQUEST)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except _Refusal as refusal:
            return _refused(refusal)
        except StorageUnavailable as error:
            return _refused(_Refusal(503, str(error), code=error.code, closing=True))
        except outages.AWAY as error:
            outages.note(error)
            away = outages.DatabaseAway()
            return _refused(_Refusal(503, away.message, code=away.code, closing=True))
        except Exception:
            log_id = uuid4().hex
            log.exception("Files request %s", log_id, extra={"log_id": log_id})
            reason = f"Internal error {log_id}."
            return _refused(_Refusal(500, reason, code=ErrorCode.INTERNAL, closing=True))

    async def _take(self, request: Request, token: str) -> Response:
        try:
            link = links.read_part(token, now=SYSTEM_CLOCK.now())
        except links.BadLink:
            raise _forbidden() from None
        file = await in_database(_unfinished, link.file_id)
        part = next((each for each in parts_of(file) if each.number == link.number), None)
        if part is None:
            raise _not_found("The file has no such part.")
        _check_headers(request, part)
        with self._counted(file):
            async with _receiving(_store(), file, part) as arriving:
                await _write(request, arriving, size=part.size)
        try:
            await in_database(_unfinished, file.id)
        except _Refusal:
            # It ended while this part was on its way: whoever ended it has cleaned up before.
            await in_storage(_store().close, file)
            raise
        return Response(status_code=204)

    @contextmanager
    def _counted(self, file: File) -> Iterator[None]:
        counted = ((self._per_file, file.id), (self._per_owner, file.owner_id))
        if (
            self._per_file[file.id] >= MOST_ARRIVING_PER_FILE
            or self._per_owner[file.owner_id] >= MOST_ARRIVING_PER_OWNER
            or self._per_owner.total() >= MOST_ARRIVING
        ):
            reason = "Too many parts are arriving at once. Try again in a moment."
            raise _Refusal(503, reason, code=ErrorCode.UPSTREAM_UNAVAILABLE, closing=True)
        for arriving, key in counted:
            arriving[key] += 1
        try:
            yield
        finally:
            for arriving, key in counted:
                arriving[key] -= 1
                if not arriving[key]:
                    del arriving[key]


async def _give(token: str) -> Response:
    try:
        file_id = links.read_download(token, now=SYSTEM_CLOCK.now())
    except links.BadLink:
        raise _forbidden() from None
    file = await in_database(_finished, file_id)
    path = _store().path_of(file)
    try:
        stat = await in_storage(path.stat)
    except OSError as error:
        raise StorageUnavailable from error
    media_type = file.media_type
    return _Download(
        path,
        media_type=f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type,
        stat_result=stat,
        headers={
            "Cache-Control": "private",
            "Content-Disposition": str(content_disposition_header(True, file.name)),
        },
    )


def _store() -> LocalStore:
    return LocalStore(Path(settings.FILES_DIR))


def _unfinished(file_id: UUID) -> File:
    uploading = File.objects.filter(
        id=file_id, status=FileStatus.UPLOADING, expires_at__gt=SYSTEM_CLOCK.now()
    )
    if (file := uploading.first()) is None:
        raise _not_found("This upload is over.")
    return file


def _finished(file_id: UUID) -> File:
    if (file := File.objects.filter(id=file_id, status=FileStatus.READY).first()) is None:
        raise _not_found("There is no such file.")
    return file


def _check_headers(request: Request, part: Part) -> None:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        reason = "Send the bytes without Content-Encoding."
        raise _Refusal(415, reason, code=ErrorCode.BAD_REQUEST, closing=True)
    announced = request.headers.get("content-length")
    if announced is not None and announced != str(part.size):
        raise _wrong_length(part.size, too_long=announced.isdigit() and int(announced) > part.size)


@asynccontextmanager
async def _receiving(store: LocalStore, file: File, part: Part) -> AsyncIterator[IO[bytes]]:
    """`store.receiving`, with its disk work off the event loop."""
    opened = store.receiving(file, part)
    arriving = await in_storage(opened.__enter__)
    try:
        yield arriving
    except BaseException as error:
        # Shielded: a task that is cancelled here would leave the temporary file behind.
        await asyncio.shield(in_storage(_leave, opened, error))
        raise
    else:
        await asyncio.shield(in_storage(_leave, opened, None))


def _leave(opened: AbstractContextManager[IO[bytes]], error: BaseException | None) -> None:
    try:
        opened.__exit__(type(error) if error else None, error, None)
    except BaseException as raised:
        if raised is not error:
            raise


async def _write(request: Request, arriving: IO[bytes], *, size: int) -> None:
    """Write the body as it comes, never more than `size` and a buffer of it in memory."""
    received = 0
    buffer = bytearray()
    stream = request.stream().__aiter__()
    clock = asyncio.get_running_loop()
    over = clock.time() + SILENCE_SECONDS + size / LEAST_BYTES_PER_SECOND
    while True:
        try:
            async with asyncio.timeout_at(min(clock.time() + SILENCE_SECONDS, over)):
                chunk = await anext(stream)
        except StopAsyncIteration:
            break
        except TimeoutError:
            reason = "Nothing has arrived for a while, or too little. Send the part again."
            raise _Refusal(408, reason, code=ErrorCode.BAD_REQUEST, closing=True) from None
        received += len(chunk)
        if received > size:
            raise _wrong_length(size, too_long=True)
        buffer += chunk
        if len(buffer) >= _BUFFER_BYTES:
            await in_storage(arriving.write, bytes(buffer))
            buffer.clear()
    if received < size:
        raise _wrong_length(size, too_long=False)
    await in_storage(arriving.write, bytes(buffer))


def _cors(request: Request) -> dict[str, str]:
    headers = web.cors_headers(
        request.headers.get("origin"),
        methods=("GET", "HEAD", "PUT"),
        allowed_headers=("content-type", "range"),
        exposed_headers=("Accept-Ranges", "Content-Disposition", "Content-Length", "Content-Range"),
    )
    return {"Vary": "Origin", **headers}


def _forbidden() -> _Refusal:
    reason = "This link does not work, or not any more. Ask for a fresh one."
    return _Refusal(403, reason, code=ErrorCode.FORBIDDEN, closing=True)


def _not_found(reason: str) -> _Refusal:
    return _Refusal(404, reason, code=ErrorCode.NOT_FOUND, closing=True)


def _bad_request(reason: str) -> _Refusal:
    return _Refusal(400, reason, code=ErrorCode.BAD_REQUEST, closing=True)


def _wrong_length(size: int, *, too_long: bool) -> _Refusal:
    reason = f"This part has {size} bytes."
    return _Refusal(413 if too_long else 400, reason, code=ErrorCode.BAD_REQUEST, closing=True)


def _refused(refusal: _Refusal) -> Response:
    body = {"errors": [{"message": refusal.reason, "extensions": {"code": refusal.code}}]}
    headers = {"Cache-Control": "no-store"}
    if refusal.status == 503:
        headers |= outages.RETRY_AFTER
    if refusal.closing:
        # The rest of the body is not read, so the connection cannot be used again.
        headers["Connection"] = "close"
    return JSONResponse(body, refusal.status, headers)
