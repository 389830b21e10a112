"""A world for the story of a page, and somebody who reads it there."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.readers import Reader
from tools.world import World, bare_environment


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with nobody in it: making one takes longer than most stories."""
    folder = tmp_path_factory.mktemp("new")
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=pages.ROOT,
        env={**bare_environment(), "DEBUG": "1", "VAR_DIR": str(folder)},
        check=True,
        timeout=120,
    )
    return folder


@pytest.fixture
def world(new_database: Path, tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "var"
    shutil.copytree(new_database, folder)
    world = World(var_dir=folder, environment=bare_environment(), port=0, wallet_port=0)
    try:
        world.start()
        yield world
    finally:
        world.stop()


@pytest.fixture
def reader(world: World, tmp_path: Path) -> Iterator[Reader]:
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = Reader(world, folder=folder)
    yield reader
    reader.close()
