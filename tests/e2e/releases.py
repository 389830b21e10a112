"""The code of another release, taken from the history of this repository."""

import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.processes import REPOSITORY


@contextmanager
def release(ref: str) -> Iterator[Path]:
    """The folder with what git has at `ref`, until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="faena-release-"))
    try:
        archive = folder / "release.tar"
        _git("archive", "--output", str(archive), ref)
        with tarfile.open(archive) as packed:
            packed.extractall(folder / "code", filter="data")
        yield folder / "code"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def commit_of(ref: str) -> str:
    """The commit that `ref` names, in short."""
    return _git("rev-parse", "--short", f"{ref}^{{commit}}")


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=REPOSITORY, capture_output=True, check=True, timeout=60, text=True
    )
    return done.stdout.strip()
