"""Attaching: one's own finished files, in order, kept from then on."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from backend.errors import FaenaError, NotFound, ValidationFailed
from backend.files.attaching import attach
from backend.files.models import File
from backend.files.status import FileStatus
from backend.ids import new_id
from tests.files.people import NOON, a_file, a_person

pytestmark = pytest.mark.django_db


def test_files_come_back_in_the_order_they_were_named_in() -> None:
    owner = a_person()
    files = [a_file(owner, name=name) for name in ("a", "b", "c")]
    wanted = [files[2].id, files[0].id, files[1].id]

    attached = attach(user=owner, file_ids=wanted, path="fileIds", now=NOON)

    assert [file.id for file in attached] == wanted


def test_no_files_are_no_files() -> None:
    assert attach(user=a_person(), file_ids=[], path="fileIds", now=NOON) == []


def test_an_attached_file_does_not_expire_and_remembers_when_it_was_attached_first() -> None:
    owner = a_person()
    file = a_file(owner)

    attach(user=owner, file_ids=[file.id], path="fileIds", now=NOON)
    attach(user=owner, file_ids=[file.id], path="fileIds", now=NOON + timedelta(days=9))

    file.refresh_from_db()
    assert (file.attached_at, file.expires_at) == (NOON, None)


def test_a_foreign_file_looks_like_none_at_all() -> None:
    foreign = a_file(a_person())

    refusals = []
    for file_id in (foreign.id, new_id()):
        with pytest.raises(NotFound) as refusal:
            attach(user=a_person(), file_ids=[file_id], path="fileIds", now=NOON)
        refusals.append((refusal.value.message, refusal.value.path))

    assert refusals[0] == refusals[1]
    assert refusals[0][1] == ("fileIds",)
    foreign.refresh_from_db()
    assert foreign.attached_at is None


def test_an_operator_cannot_attach_somebody_elses_file_either() -> None:
    file = a_file(a_person())

    with pytest.raises(NotFound):
        attach(user=a_person(is_staff=True), file_ids=[file.id], path="fileIds", now=NOON)


@pytest.mark.parametrize("status", [FileStatus.UPLOADING, FileStatus.REJECTED])
def test_what_is_not_ready_is_refused_by_name(status: FileStatus) -> None:
    owner = a_person()
    file = a_file(owner, status=status, name="song.ogg")

    with pytest.raises(ValidationFailed) as refusal:
        attach(user=owner, file_ids=[file.id], path="fileIds", now=NOON)

    assert "song.ogg" in refusal.value.message
    assert refusal.value.path == ("fileIds",)


@pytest.mark.parametrize("second", ["same", "unfinished", "foreign"])
def test_one_wrong_file_attaches_none(second: str) -> None:
    owner = a_person()
    good = a_file(owner)
    other = {
        "same": good.id,
        "unfinished": a_file(owner, status=FileStatus.UPLOADING).id,
        "foreign": a_file(a_person()).id,
    }[second]

    with pytest.raises(FaenaError):
        attach(user=owner, file_ids=[good.id, other], path="fileIds", now=NOON)

    good.refresh_from_db()
    assert good.attached_at is None


def test_more_than_most_are_refused_with_the_number() -> None:
    owner = a_person()
    files = [a_file(owner).id for _ in range(3)]

    with pytest.raises(ValidationFailed) as refusal:
        attach(user=owner, file_ids=files, path="fileIds", now=NOON, most=2)

    assert refusal.value.message == "At most 2 files are possible."


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "LOST"},
        {"size": 0},
        {"part_size": 0},
        {"status": "REJECTED"},
        {"rejected_because": "SIZE"},
        {"expires_at": None},
        {"attached_at": NOON},
        {"status": "UPLOADING", "attached_at": NOON, "expires_at": None},
    ],
)
def test_the_database_itself_refuses_an_impossible_file(columns: dict[str, Any]) -> None:
    file = a_file(a_person())

    with pytest.raises(IntegrityError), transaction.atomic():
        File.objects.filter(id=file.id).update(**columns)
