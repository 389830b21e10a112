"""The contract of an upload, on local disk and in a bucket: the same test for both."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
import httpx
import pytest
from django.conf import settings as live_settings
from django.db import transaction

from backend.clock import SYSTEM_CLOCK
from backend.files.attaching import attach
from backend.files.models import File
from backend.files.parts import PART_SIZE
from backend.files.status import FileStatus
from backend.files.sweeping import forget, sweep
from backend.files.uploads import UPLOAD_LIVES
from backend.schema.nodes import decode_id
from tests.files.client import Client, put, text_of
from tests.files.conftest import KEY
from tests.files.people import a_person
from tests.schema.server import Server

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("either_store"),
]

THREE_PARTS = text_of(2 * PART_SIZE + 1000)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(100)
TOMORROW = timedelta(hours=25)


@pytest.fixture
def client(server: Server) -> Client:
    return Client.of(server.graphql, a_person())


def key_of(file: dict[str, Any]) -> UUID:
    return decode_id(file["id"], type_name="File", path=())


def everything_kept() -> list[str]:
    """What the store holds, finished or not."""
    if not live_settings.FILES_BUCKET:
        root = Path(live_settings.FILES_DIR)
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    s3 = boto3.client(
        "s3", endpoint_url=live_settings.FILES_ENDPOINT_URL, region_name="us-east-1", **KEY
    )
    objects = s3.list_objects_v2(Bucket=live_settings.FILES_BUCKET).get("Contents", [])
    uploads = s3.list_multipart_uploads(Bucket=live_settings.FILES_BUCKET).get("Uploads", [])
    return sorted([each["Key"] for each in objects] + [each["UploadId"] for each in uploads])


def test_what_was_uploaded_in_parts_is_downloaded_whole(client: Client) -> None:
    done = client.upload(THREE_PARTS, name="Diario día 1.txt")

    assert done["errors"] == []
    assert (done["file"]["status"], done["file"]["size"]) == ("READY", len(THREE_PARTS))
    answer = httpx.get(done["file"]["downloadUrl"])
    assert answer.content == THREE_PARTS
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["content-disposition"] == (
        "attachment; filename*=utf-8''Diario%20d%C3%ADa%201.txt"
    )
    assert len(everything_kept()) == 1


def test_the_parts_cover_the_file_without_gaps(client: Client) -> None:
    upload = client.request(THREE_PARTS)

    assert upload["partSize"] == PART_SIZE
    assert [part["number"] for part in upload["parts"]] == [1, 2, 3]
    end = 0
    for part in upload["parts"]:
        assert part["offset"] == end
        end += part["size"]
    assert end == len(THREE_PARTS)
    assert upload["file"]["downloadUrl"] is None


def test_a_resumed_upload_asks_only_for_what_is_missing(client: Client) -> None:
    upload = client.request(THREE_PARTS)
    put(upload["parts"][1], THREE_PARTS)

    resumed = client.resume(upload["file"]["id"])

    assert [part["number"] for part in resumed["parts"]] == [1, 3]
    for part in resumed["parts"]:
        assert put(part, THREE_PARTS).is_success
    assert client.resume(upload["file"]["id"])["parts"] == []
    assert client.complete(upload["file"]["id"])["file"]["status"] == "READY"


def test_a_client_that_forgot_the_id_asks_again_and_goes_on(client: Client) -> None:
    first = client.request(THREE_PARTS)
    put(first["parts"][0], THREE_PARTS)

    again = client.request(THREE_PARTS)

    assert again["file"]["id"] == first["file"]["id"]
    assert [part["number"] for part in again["parts"]] == [2, 3]
    assert File.objects.count() == 1


def test_parts_may_come_twice_and_in_any_order(client: Client) -> None:
    upload = client.request(THREE_PARTS)
    for part in [*reversed(upload["parts"]), *upload["parts"]]:
        assert put(part, THREE_PARTS).is_success

    done = client.complete(upload["file"]["id"])

    assert httpx.get(done["file"]["downloadUrl"]).content == THREE_PARTS


def test_completing_too_early_refuses_nothing_for_good(client: Client) -> None:
    upload = client.request(THREE_PARTS)
    put(upload["parts"][0], THREE_PARTS)

    early = client.complete(upload["file"]["id"])

    assert early["file"] is None
    assert early["errors"][0]["code"] == "VALIDATION"
    assert "2" in early["errors"][0]["message"]
    for part in client.resume(upload["file"]["id"])["parts"]:
        put(part, THREE_PARTS)
    assert client.complete(upload["file"]["id"])["errors"] == []


def test_completing_again_and_resuming_a_finished_file_change_nothing(client: Client) -> None:
    done = client.upload(b"hello")

    again = client.complete(done["file"]["id"])
    resumed = client.resume(done["file"]["id"])

    assert (again["errors"], again["file"]["status"]) == ([], "READY")
    assert (resumed["errors"], resumed["parts"]) == ([], [])
    assert httpx.get(again["file"]["downloadUrl"]).content == b"hello"


def test_many_complete_at_once_and_all_hear_the_same(client: Client) -> None:
    upload = client.request(THREE_PARTS)
    for part in upload["parts"]:
        put(part, THREE_PARTS)

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(client.complete, [upload["file"]["id"]] * 8))

    assert [each["errors"] for each in done] == [[]] * 8
    assert {each["file"]["status"] for each in done} == {"READY"}
    assert httpx.get(done[0]["file"]["downloadUrl"]).content == THREE_PARTS
    assert len(everything_kept()) == 1


def test_many_complete_a_wrong_file_at_once_and_all_hear_the_same(client: Client) -> None:
    upload = client.request(b"hello")
    put(upload["parts"][0], b"jello")

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(client.complete, [upload["file"]["id"]] * 8))

    assert len({str(each["errors"]) for each in done}) == 1
    assert "SHA-256" in done[0]["errors"][0]["message"]
    assert everything_kept() == []


@pytest.mark.parametrize(
    ("content", "declared", "sentence"),
    [
        (b"hello", {"sha256": "0" * 64}, "its SHA-256 differs"),
        (b"hello", {"mediaType": "image/png", "name": "a.png"}, "was declared as image/png"),
        (PNG, {"mediaType": "text/plain"}, "was declared as text/plain"),
        (PNG, {"mediaType": "image/jpeg"}, "was declared as image/jpeg"),
        (b"<html><script>alert(1)</script>", {}, "not accepted"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {"mediaType": "image/png"}, "not accepted"),
        (b"MZ\x90\0" + bytes(100), {"mediaType": "application/pdf"}, "not accepted"),
    ],
)
def test_what_is_not_what_was_declared_is_refused_for_good_and_its_bytes_go(
    client: Client, content: bytes, declared: dict[str, Any], sentence: str
) -> None:
    refused = client.upload(content, **declared)

    assert refused["file"] is None
    assert (refused["errors"][0]["code"], refused["errors"][0]["path"]) == (
        "VALIDATION",
        ["fileId"],
    )
    assert sentence in refused["errors"][0]["message"]
    file = File.objects.get()
    assert file.status == FileStatus.REJECTED
    assert everything_kept() == []


def test_a_refused_file_stays_refused_with_the_same_sentence(client: Client) -> None:
    upload = client.request(b"hello", sha256="0" * 64)
    put(upload["parts"][0], b"hello")
    first = client.complete(upload["file"]["id"])

    for again in (client.complete, client.resume):
        assert again(upload["file"]["id"])["errors"] == first["errors"]


def test_somebody_elses_upload_does_not_exist(client: Client, server: Server) -> None:
    upload = client.request(b"hello")
    put(upload["parts"][0], b"hello")
    stranger = Client.of(server.graphql, a_person())

    for attempt in (stranger.resume, stranger.complete):
        refused = attempt(upload["file"]["id"])
        assert refused["errors"][0]["code"] == "NOT_FOUND"
        assert refused["file"] is None
    assert client.complete(upload["file"]["id"])["errors"] == []


def test_an_upload_whose_time_is_over_is_refused_and_swept(client: Client) -> None:
    upload = client.request(THREE_PARTS)
    put(upload["parts"][0], THREE_PARTS)
    now = SYSTEM_CLOCK.now()

    assert sweep(now=now + UPLOAD_LIVES - timedelta(minutes=1)) == 0
    assert everything_kept() != []
    File.objects.update(expires_at=now)
    for attempt in (client.resume, client.complete):
        assert "is over" in attempt(upload["file"]["id"])["errors"][0]["message"]

    assert sweep(now=now) == 1
    assert sweep(now=now) == 0
    assert everything_kept() == []
    assert client.complete(upload["file"]["id"])["errors"][0]["code"] == "NOT_FOUND"


def test_an_attached_file_stays_and_one_that_nothing_refers_to_goes(client: Client) -> None:
    attached = client.upload(b"attached")["file"]
    client.upload(b"forgotten")
    owner = File.objects.all()[0].owner
    attach(user=owner, file_ids=[key_of(attached)], path="x", now=SYSTEM_CLOCK.now())

    assert sweep(now=SYSTEM_CLOCK.now() + timedelta(days=400)) == 1

    assert [file.id for file in File.objects.all()] == [key_of(attached)]
    assert len(everything_kept()) == 1
    assert httpx.get(attached["downloadUrl"]).content == b"attached"


def test_bytes_of_files_that_are_let_go_are_deleted_by_the_commit_and_by_nothing_else(
    client: Client,
) -> None:
    client.upload(b"attached to nothing")
    put(client.request(THREE_PARTS)["parts"][0], THREE_PARTS)
    before = everything_kept()
    with suppress(ZeroDivisionError), transaction.atomic():
        forget(File.objects.all(), now=SYSTEM_CLOCK.now())
        raise ZeroDivisionError
    assert (everything_kept(), File.objects.count()) == (before, 2)

    with transaction.atomic():
        forget(File.objects.all(), now=SYSTEM_CLOCK.now())
        assert everything_kept() == before
        assert {file.name for file in File.objects.all()} == {""}

    assert (everything_kept(), File.objects.count()) == ([], 0)


def test_sweeping_twice_at_a_time_deletes_everything_once(client: Client) -> None:
    for number in range(6):
        put(client.request(b"hello %d" % number)["parts"][0], b"hello %d" % number)

    counts = _at_once(lambda: sweep(now=SYSTEM_CLOCK.now() + TOMORROW), times=4)

    assert sum(counts) == 6
    assert (File.objects.count(), everything_kept()) == (0, [])


def test_a_sweep_and_a_completion_at_once_leave_a_file_or_nothing(client: Client) -> None:
    for number in range(4):
        content = b"hello %d" % number
        upload = client.request(content)
        put(upload["parts"][0], content)
        with ThreadPoolExecutor(2) as pool:
            completing = pool.submit(client.complete, upload["file"]["id"])
            sweeping = pool.submit(_in_thread, lambda: sweep(now=SYSTEM_CLOCK.now() + TOMORROW))
            done, _ = completing.result(), sweeping.result()

        if done["file"] is None:
            assert (File.objects.count(), everything_kept()) == (0, [])
        else:
            assert len(everything_kept()) == File.objects.count() == 1
            assert sweep(now=SYSTEM_CLOCK.now() + timedelta(days=8)) == 1


def _at_once(function: Callable[[], int], *, times: int) -> list[int]:
    with ThreadPoolExecutor(times) as pool:
        return [each.result() for each in [pool.submit(_in_thread, function) for _ in range(times)]]


def _in_thread(function: Callable[[], int]) -> int:
    from django.db import connections

    try:
        return function()
    finally:
        connections.close_all()
