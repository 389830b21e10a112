"""Two requests that put one file together on local disk, at every place where they may meet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.files import local
from backend.files.errors import PartsMissing, StorageUnavailable
from backend.files.local import LocalStore
from backend.files.models import File
from backend.files.parts import parts_of
from tests.files.people import a_file, a_person

pytestmark = pytest.mark.django_db

CONTENT = b"hello, you"


@pytest.fixture
def file() -> File:
    return a_file(a_person(), size=len(CONTENT), part_size=4)


@pytest.fixture
def store(tmp_path: Path, file: File) -> LocalStore:
    """A store that has all parts of the file."""
    store = LocalStore(tmp_path)
    for part in parts_of(file):
        with store.receiving(file, part) as arriving:
            arriving.write(CONTENT[part.offset : part.offset + part.size])
    return store


def first(action: Callable[[], object], then: Callable[..., Any]) -> Callable[..., Any]:
    """`then`, but before it, once, `action`."""
    waiting = [action]

    def both(*args: Any, **kwargs: Any) -> Any:
        while waiting:
            waiting.pop()()
        return then(*args, **kwargs)

    return both


@pytest.mark.parametrize("step", ["_all_parts", "_part_path", "_written_beside"])
def test_who_is_overtaken_while_assembling_finds_the_whole_file(
    store: LocalStore, file: File, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = getattr(LocalStore, step)
    monkeypatch.setattr(LocalStore, step, first(lambda: store.assemble(file), usual))

    store.assemble(file)

    assert b"".join(store.read(file)) == CONTENT
    assert [path for path in store.root.rglob("*") if path.is_file()] == [store.path_of(file)]


def test_who_is_overtaken_before_the_link_keeps_what_the_other_has_put_there(
    store: LocalStore, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    def somebody_else() -> None:
        store.path_of(file).write_bytes(b"the other's")

    usual = local._make_durable
    monkeypatch.setattr(local, "_make_durable", first(somebody_else, usual))

    store.assemble(file)

    assert b"".join(store.read(file)) == b"the other's"


def test_parts_that_go_for_another_reason_are_missing(
    store: LocalStore, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = LocalStore._all_parts
    monkeypatch.setattr(LocalStore, "_all_parts", first(lambda: store.delete(file), usual))

    with pytest.raises(PartsMissing):
        store.assemble(file)
    with pytest.raises(PartsMissing):
        store.assemble(file)


def test_a_part_that_fails_on_its_way_leaves_what_was_there(store: LocalStore, file: File) -> None:
    def bring_half() -> None:
        with store.receiving(file, parts_of(file)[0]) as arriving:
            arriving.write(b"xx")
            raise ConnectionAbortedError("the line is cut")

    with pytest.raises(StorageUnavailable):
        bring_half()

    store.assemble(file)
    assert b"".join(store.read(file)) == CONTENT
