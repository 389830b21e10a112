"""What may be declared, and how much room there is for it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

from backend.accounts.models import User
from backend.errors import FaenaError, RateLimited, ValidationFailed
from backend.files.models import File
from backend.files.status import FileStatus
from backend.files.uploads import Declaration, reserve
from tests.files.people import NOON, a_file, a_person

GOOD: dict[str, Any] = {
    "name": "song.ogg",
    "media_type": "audio/ogg",
    "size": 1000,
    "sha256": "ab" * 32,
}


def reserved(user: User, **changes: Any) -> File:
    return reserve(user=user, declaration=Declaration(**{**GOOD, **changes}), now=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": "folder/"}, "name"),
        ({"name": ".."}, "name"),
        ({"name": "a/.."}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "a\r\nSet-Cookie: x"}, "name"),
        ({"name": "gpj.\u202etxt"}, "name"),
        ({"name": "a\ud800"}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"media_type": "text/html"}, "mediaType"),
        ({"media_type": "image/svg+xml"}, "mediaType"),
        ({"media_type": "x" * 10_000}, "mediaType"),
        ({"size": 0}, "size"),
        ({"size": -1}, "size"),
        ({"size": 200 * 1024**2 + 1}, "size"),
        ({"sha256": ""}, "sha256"),
        ({"sha256": "g" * 64}, "sha256"),
        ({"sha256": "a" * 63}, "sha256"),
        ({"sha256": "٣" * 64}, "sha256"),
    ],
)
def test_an_unusable_declaration_is_refused_and_named(change: dict[str, Any], path: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        reserved(a_person(), **change)

    assert refusal.value.path == (path,)
    assert not File.objects.exists()


@pytest.mark.django_db
def test_a_declaration_at_its_limits_is_tidied_and_kept() -> None:
    file = reserved(
        a_person(),
        name="C:\\Users\\Ana\\" + "ñ" * 255,
        media_type="Audio/X-WAV; rate=8000",
        size=200 * 1024**2,
        sha256="AB" * 32,
    )

    assert (file.name, file.media_type, file.sha256) == ("ñ" * 255, "audio/wav", "ab" * 32)
    assert file.status == FileStatus.UPLOADING


@pytest.mark.django_db
def test_the_place_of_a_file_tells_nothing_about_it_and_differs_each_time() -> None:
    first, second = reserved(a_person()), reserved(a_person())

    assert first.storage_key != second.storage_key
    assert first.id.hex not in first.storage_key
    assert first.storage_key.isalnum()


@pytest.mark.django_db
def test_everything_one_keeps_counts_and_what_was_refused_does_not(settings: Settings) -> None:
    settings.FILES_BYTES_PER_USER = 3000
    owner = a_person()
    a_file(owner, size=1500)
    a_file(owner, size=10_000, status=FileStatus.REJECTED)
    a_file(a_person(), size=10_000)
    reserved(owner, size=1000)

    with pytest.raises(ValidationFailed) as refusal:
        reserved(owner, size=501)

    assert (refusal.value.path, "500 bytes" in refusal.value.message) == (("size",), True)
    reserved(owner, size=500)


@pytest.mark.django_db
def test_only_so_many_uploads_can_be_unfinished(settings: Settings) -> None:
    settings.FILES_UNFINISHED_PER_USER = 2
    owner = a_person()
    a_file(owner, status=FileStatus.UPLOADING, expires_at=NOON)
    reserved(owner, size=1)
    reserved(owner, size=2)

    with pytest.raises(ValidationFailed, match="At most 2"):
        reserved(owner, size=3)

    assert reserved(owner, size=2) is not None
    reserved(a_person(), size=3)


@pytest.mark.django_db
def test_an_expired_upload_is_not_gone_on_with() -> None:
    owner = a_person()
    first = reserved(owner)
    File.objects.update(expires_at=NOON)

    assert reserved(owner).id != first.id


@pytest.mark.django_db
def test_asking_too_often_is_put_off() -> None:
    owner = a_person()
    for _ in range(60):
        reserved(owner)

    with pytest.raises(RateLimited):
        reserved(owner)

    assert File.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_requests_at_once_do_not_share_the_last_room(settings: Settings) -> None:
    settings.FILES_BYTES_PER_USER = 3500
    owner = a_person()

    def ask(number: int) -> bool:
        try:
            reserved(owner, sha256=f"{number:064x}")
        except FaenaError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(ask, range(8)))

    assert sum(done) == File.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_same_request_at_once_is_one_upload() -> None:
    owner = a_person()

    def ask(_: int) -> object:
        try:
            return reserved(owner).id
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(ask, range(8)))

    assert len(ids) == File.objects.count() == 1


@pytest.mark.django_db
def test_an_upload_lives_for_a_day() -> None:
    assert reserved(a_person()).expires_at == NOON + timedelta(days=1)
