"""A sweep goes on where a store fails, and everybody who runs one can."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

import celery_app
from backend.files import sweeping
from backend.files.errors import StorageUnavailable
from backend.files.local import LocalStore
from backend.files.models import File
from backend.files.status import FileStatus
from backend.files.tasks import sweep_files
from tests.files.people import NOON, a_file, a_person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk")]

LATER = NOON + timedelta(days=2)


class FailingStore(LocalStore):
    """A disk that cannot delete one file, nor those that were let go."""

    def delete(self, file: File) -> None:
        if file.name in {"stuck", ""}:
            raise StorageUnavailable
        super().delete(file)


def test_a_file_whose_bytes_cannot_be_deleted_keeps_its_mark_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    owner = a_person()
    stuck = a_file(owner, name="stuck")
    for _ in range(3):
        a_file(owner, status=FileStatus.UPLOADING)
    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "store", lambda: FailingStore(tmp_path))
        assert sweeping.sweep(now=LATER) == 3

    stuck.refresh_from_db()
    assert stuck.status == FileStatus.REJECTED
    assert sweeping.sweep(now=LATER) == 1
    assert not File.objects.exists()


def test_what_the_store_does_not_let_go_at_the_commit_the_next_sweep_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    a_file(a_person())
    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "store", lambda: FailingStore(tmp_path))
        with django_capture_on_commit_callbacks(execute=True):
            sweeping.forget(File.objects.all(), now=NOON)
    assert File.objects.get().status == FileStatus.REJECTED

    assert sweeping.sweep(now=NOON) == 1


def test_more_files_than_one_batch_are_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "_BATCH", 2)
    owner = a_person()
    for _ in range(5):
        a_file(owner)

    assert sweeping.sweep(now=LATER) == 5


def test_a_file_is_not_swept_before_its_time() -> None:
    a_file(a_person())

    assert sweeping.sweep(now=NOON) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", [sweep_files, lambda: call_command("pump", "--once")])
def test_the_tick_and_the_pump_sweep(run: Any, settings: Settings) -> None:
    settings.DEBUG, settings.SELLER_WALLET_ADDRESS_URL = True, ""
    a_file(a_person())

    run()

    assert not File.objects.exists()


def test_the_tick_knows_the_sweep() -> None:
    task = celery_app.app.conf.beat_schedule["sweep-files"]["task"]

    assert task == sweep_files.name
