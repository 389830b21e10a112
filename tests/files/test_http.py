"""/files/ on local disk, against whatever may arrive: nothing half, foreign or run."""

import base64
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.core import signing
from pytest_django import Settings

from backend.clock import SYSTEM_CLOCK
from backend.files import http as files_http
from backend.files import links
from backend.files.models import File
from backend.files.parts import PART_SIZE
from backend.ids import new_id
from backend.schema.nodes import decode_id
from tests.files.client import Client, put, text_of
from tests.files.people import a_file, a_person
from tests.schema.server import Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("disk")]

PAGE = "https://app.example"
CONTENT = text_of(PART_SIZE + 1000)
LATER = timedelta(hours=1)


@pytest.fixture
def client(server: Server) -> Client:
    return Client.of(server.graphql, a_person())


@pytest.fixture
def upload(client: Client) -> dict[str, Any]:
    return client.request(CONTENT)


@pytest.fixture
def ready(client: Client) -> dict[str, Any]:
    file: dict[str, Any] = client.upload(CONTENT)["file"]
    return file


def kept(disk: Path) -> list[Path]:
    return [path for path in disk.rglob("*") if path.is_file()]


def key_of(upload: dict[str, Any]) -> Any:
    return decode_id(upload["file"]["id"], type_name="File", path=())


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


def eventually_nothing_in(disk: Path) -> None:
    deadline = time.monotonic() + 10
    while kept(disk):
        assert time.monotonic() < deadline, kept(disk)
        time.sleep(0.02)


def eventually(status: int, ask: Callable[[], httpx.Response]) -> httpx.Response:
    deadline = time.monotonic() + 10
    while (answer := ask()).status_code != status:
        assert time.monotonic() < deadline, answer.status_code
        time.sleep(0.02)
    return answer


# --- bringing a part ---------------------------------------------------------------------------


def test_a_part_is_kept_far_above_the_limit_of_other_bodies(
    upload: dict[str, Any], disk: Path
) -> None:
    answer = put(upload["parts"][0], CONTENT)

    assert (answer.status_code, answer.content) == (204, b"")
    assert [path.stat().st_size for path in kept(disk)] == [PART_SIZE]


def test_a_part_may_come_in_chunks_of_unknown_number(upload: dict[str, Any], disk: Path) -> None:
    part = upload["parts"][1]

    def chunks() -> Iterator[bytes]:
        for start in range(part["offset"], len(CONTENT), 100):
            yield CONTENT[start : start + 100]

    assert httpx.put(part["url"], content=chunks()).status_code == 204
    assert [path.read_bytes() for path in kept(disk)] == [CONTENT[part["offset"] :]]


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize(("size", "status"), [(0, 400), (999, 400), (1001, 413), (900_000, 413)])
def test_a_part_of_another_length_is_refused_and_leaves_nothing(
    upload: dict[str, Any], disk: Path, chunked: bool, size: int, status: int
) -> None:
    body: Any = iter([b"x" * size]) if chunked else b"x" * size

    answer = httpx.put(upload["parts"][1]["url"], content=body)

    assert (answer.status_code, code_of(answer)) == (status, "BAD_REQUEST")
    assert "1000 bytes" in answer.text
    assert kept(disk) == []


def test_a_part_that_is_cut_leaves_nothing(upload: dict[str, Any], disk: Path) -> None:
    url = urlsplit(upload["parts"][0]["url"])
    head = f"PUT {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {PART_SIZE}\r\n\r\n"
    with socket.create_connection((url.hostname or "", url.port or 0)) as connection:
        connection.sendall(head.encode() + CONTENT[: PART_SIZE // 2])
        deadline = time.monotonic() + 10
        while not kept(disk):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    eventually_nothing_in(disk)


def test_a_line_that_falls_silent_is_cut(
    upload: dict[str, Any], disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_http, "SILENCE_SECONDS", 0.2)
    url = urlsplit(upload["parts"][0]["url"])
    head = f"PUT {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {PART_SIZE}\r\n\r\n"
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=10) as connection:
        connection.sendall(head.encode() + b"x")
        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 408")
    eventually_nothing_in(disk)


def test_a_line_that_only_trickles_is_cut(
    upload: dict[str, Any], disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_http, "SILENCE_SECONDS", 0.5)
    monkeypatch.setattr(files_http, "LEAST_BYTES_PER_SECOND", PART_SIZE)
    url = urlsplit(upload["parts"][0]["url"])
    head = f"PUT {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {PART_SIZE}\r\n\r\n"
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=0.1) as connection:
        connection.sendall(head.encode())
        began, answer = time.monotonic(), b""
        while not answer and time.monotonic() < began + 10:
            connection.sendall(b"x")
            with suppress(TimeoutError):
                answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began >= 1.5
    eventually_nothing_in(disk)


def test_a_failed_try_does_not_harm_the_part_that_is_kept(
    upload: dict[str, Any], client: Client
) -> None:
    put(upload["parts"][0], CONTENT)
    put(upload["parts"][1], CONTENT)

    httpx.put(upload["parts"][1]["url"], content=b"too short")

    assert client.complete(upload["file"]["id"])["errors"] == []


@pytest.mark.parametrize("most", ["MOST_ARRIVING_PER_FILE", "MOST_ARRIVING_PER_OWNER"])
def test_more_parts_at_once_than_a_client_needs_are_put_off(
    upload: dict[str, Any], monkeypatch: pytest.MonkeyPatch, most: str
) -> None:
    monkeypatch.setattr(files_http, most, 0)

    answer = put(upload["parts"][1], CONTENT)

    assert (answer.status_code, code_of(answer)) == (503, "UPSTREAM_UNAVAILABLE")


def test_whoever_has_taken_all_their_places_keeps_nobody_else_from_theirs(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_http, "MOST_ARRIVING_PER_OWNER", 2)
    theirs = Client.of(server.graphql, a_person("other")).request(CONTENT)
    with ExitStack() as lines:
        for upload in (client.request(CONTENT), client.request(CONTENT + b"x")):
            url = urlsplit(upload["parts"][0]["url"])
            line = socket.create_connection((url.hostname or "", url.port or 0), timeout=10)
            lines.enter_context(line)
            head = f"PUT {url.path} HTTP/1.1\r\nHost: {url.netloc}"
            line.sendall(f"{head}\r\nContent-Length: {PART_SIZE}\r\n\r\nx".encode())
        last = client.request(CONTENT + b"xx")

        put_off = eventually(503, lambda: put(last["parts"][1], CONTENT + b"xx"))
        taken = put(theirs["parts"][1], CONTENT)

    assert code_of(put_off) == "UPSTREAM_UNAVAILABLE"
    assert taken.status_code == 204
    assert eventually(204, lambda: put(last["parts"][1], CONTENT + b"xx"))


def test_a_disk_that_refuses_is_a_503_and_the_part_can_come_again(
    upload: dict[str, Any], disk: Path
) -> None:
    disk.mkdir()
    (disk / "parts").write_text("in the way")

    answer = put(upload["parts"][1], CONTENT)

    assert (answer.status_code, code_of(answer)) == (503, "UPSTREAM_UNAVAILABLE")
    (disk / "parts").unlink()
    assert put(upload["parts"][1], CONTENT).status_code == 204


def test_a_compressed_part_is_not_read(upload: dict[str, Any]) -> None:
    answer = httpx.put(
        upload["parts"][1]["url"], content=b"x" * 1000, headers={"Content-Encoding": "gzip"}
    )

    assert answer.status_code == 415


def test_a_part_of_a_finished_upload_is_refused_and_the_file_stays(
    upload: dict[str, Any], client: Client, disk: Path
) -> None:
    for part in upload["parts"]:
        put(part, CONTENT)
    done = client.complete(upload["file"]["id"])

    answer = put(upload["parts"][1], b"y" * len(CONTENT))

    assert (answer.status_code, code_of(answer)) == (404, "NOT_FOUND")
    assert httpx.get(done["file"]["downloadUrl"]).content == CONTENT
    assert len(kept(disk)) == 1


def test_a_part_that_arrives_while_its_upload_ends_is_cleaned_away(
    upload: dict[str, Any], disk: Path
) -> None:
    def slowly() -> Iterator[bytes]:
        yield CONTENT[:500]
        File.objects.all().delete()
        yield CONTENT[500:1000]

    answer = httpx.put(upload["parts"][1]["url"], content=slowly())

    assert answer.status_code == 404
    assert kept(disk) == []


# --- tokens ------------------------------------------------------------------------------------


def test_every_wrong_token_is_refused_alike(
    server: Server, upload: dict[str, Any], disk: Path
) -> None:
    now, token = SYSTEM_CLOCK.now(), upload["parts"][1]["url"].rpartition("/")[2]
    key = key_of(upload)
    payload = base64.urlsafe_b64encode(f'["{key.hex}",2,9999999999]'.encode()).decode().rstrip("=")
    wrong = {
        "empty": "",
        "nonsense": "nonsense",
        "tampered": f"{payload}:{token.partition(':')[2]}",
        "cut": token[:-1],
        "longer": token + "A",
        "another salt": signing.dumps([key.hex, 2, 9_999_999_999]),
        "expired": links.part_url(key, 2, until=now).rpartition("/")[2],
        "a download's": links.download_url(key, until=now + LATER).rpartition("/")[2],
        "encoded traversal": "..%2f..%2f..%2fetc%2fpasswd",
        "with a path": f"{token}%2f..%2fx",
        "NUL": "%00",
    }

    answers = {
        name: httpx.put(f"{server.http}/files/{token}", content=b"x" * 1000)
        for name, token in wrong.items()
    }

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        wrong, 403
    )
    assert len({answer.text for answer in answers.values()}) == 1
    assert kept(disk) == []


def test_a_path_that_climbs_is_a_token_that_is_wrong(server: Server) -> None:
    request = f"GET /files/../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request.encode())
        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 403")


def test_a_parts_token_reads_nothing_and_an_expired_one_neither(
    server: Server, ready: dict[str, Any]
) -> None:
    now, key = SYSTEM_CLOCK.now(), key_of({"file": ready})

    for url in (
        links.part_url(key, 1, until=now + LATER),
        links.download_url(key, until=now),
        f"{server.http}/files/..%2f..%2fetc%2fpasswd",
    ):
        assert httpx.get(url).status_code == 403


def test_a_right_token_for_no_file_or_no_part_finds_nothing(upload: dict[str, Any]) -> None:
    until = SYSTEM_CLOCK.now() + LATER

    assert httpx.get(links.download_url(new_id(), until=until)).status_code == 404
    assert httpx.get(links.download_url(key_of(upload), until=until)).status_code == 404
    assert httpx.put(links.part_url(new_id(), 1, until=until), content=b"x").status_code == 404
    for number in (0, 3, -1):
        url = links.part_url(key_of(upload), number, until=until)
        assert httpx.put(url, content=b"x").status_code == 404


def test_no_name_of_a_client_becomes_a_path(client: Client, disk: Path) -> None:
    done = client.upload(b"hello", name="../../../../tmp/evil\\..\\notes.txt")

    assert done["file"]["name"] == "notes.txt"
    (path,) = kept(disk)
    assert path.parent.parent == disk
    assert "notes" not in str(path)


def test_with_a_bucket_nothing_is_served_here(upload: dict[str, Any], settings: Settings) -> None:
    settings.FILES_BUCKET = "elsewhere"

    assert put(upload["parts"][1], CONTENT).status_code == 404


# --- reading -----------------------------------------------------------------------------------


def test_a_file_is_read_as_an_attachment_that_no_browser_runs(ready: dict[str, Any]) -> None:
    answer = httpx.get(ready["downloadUrl"])

    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers.pop("x-request-id")
    assert {name: answer.headers[name] for name in sorted(answer.headers)} == {
        "accept-ranges": "bytes",
        "cache-control": "private",
        "content-disposition": 'attachment; filename="notes.txt"',
        "content-length": str(len(CONTENT)),
        "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "cross-origin-opener-policy": "same-origin",
        "content-type": "text/plain; charset=utf-8",
        "date": answer.headers["date"],
        "etag": answer.headers["etag"],
        "last-modified": answer.headers["last-modified"],
        "referrer-policy": "no-referrer",
        "server": answer.headers["server"],
        "vary": "Origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


@pytest.mark.parametrize(
    ("range_", "status", "expected"),
    [
        ("bytes=0-4", 206, slice(0, 5)),
        ("bytes=1000-", 206, slice(1000, None)),
        ("bytes=-7", 206, slice(len(CONTENT) - 7, None)),
        ("bytes=0-99999999999", 206, slice(0, None)),
        ("bytes=0-0,10-20", 200, slice(0, None)),
        (",".join(["bytes=0-0", *["0-0"] * 5000]), 200, slice(0, None)),
        (f"bytes={len(CONTENT)}-", 416, None),
    ],
)
def test_one_range_is_read(
    ready: dict[str, Any], range_: str, status: int, expected: slice | None
) -> None:
    answer = httpx.get(ready["downloadUrl"], headers={"Range": range_})

    assert answer.status_code == status
    if expected is None:
        assert answer.headers["content-range"] in {f"bytes */{len(CONTENT)}", f"*/{len(CONTENT)}"}
    else:
        assert answer.content == CONTENT[expected]


def test_head_says_what_get_would_give(ready: dict[str, Any]) -> None:
    answer = httpx.head(ready["downloadUrl"])

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(ready: dict[str, Any], method: str) -> None:
    assert httpx.request(method, ready["downloadUrl"]).status_code == 405


def test_a_host_that_is_not_ours_is_refused(ready: dict[str, Any]) -> None:
    answer = httpx.get(ready["downloadUrl"], headers={"Host": "evil.example"})

    assert answer.status_code == 400


def test_a_file_that_the_disk_has_lost_is_a_503(ready: dict[str, Any], disk: Path) -> None:
    for path in kept(disk):
        path.unlink()

    assert httpx.get(ready["downloadUrl"]).status_code == 503


def test_a_listed_page_may_put_and_get_and_others_may_not(
    ready: dict[str, Any], settings: Settings
) -> None:
    settings.CORS_ORIGINS = frozenset({PAGE})
    asking = {"Origin": PAGE, "Access-Control-Request-Method": "PUT"}

    preflight = httpx.options(ready["downloadUrl"], headers=asking)
    ours = httpx.get(ready["downloadUrl"], headers={"Origin": PAGE})
    theirs = httpx.get(ready["downloadUrl"], headers={"Origin": "https://evil.example"})

    assert preflight.status_code == 204
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert ours.headers["access-control-allow-origin"] == PAGE
    assert "Content-Range" in ours.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in ours.headers
    assert "access-control-allow-origin" not in theirs.headers


def test_a_rejected_file_is_not_served(server: Server) -> None:
    file = a_file(a_person())
    url = links.download_url(file.id, until=SYSTEM_CLOCK.now() + LATER)
    File.objects.filter(id=file.id).update(status="REJECTED", rejected_because="TYPE")

    assert httpx.get(url).status_code == 404
