"""Files on local disk: `<root>/parts/<key>/<number>` while they arrive, `<root>/<xx>/<key>` after.

Whatever has its final name is whole: everything is written beside it, made durable, and renamed.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from backend.files import links
from backend.files.errors import PartsMissing, StorageUnavailable
from backend.files.models import File
from backend.files.parts import Part, parts_of
from backend.files.stores import CHUNK_BYTES, SignedPart


@dataclass(frozen=True, slots=True)
class LocalStore:
    """A folder of this machine, or one that several machines share."""

    root: Path

    def open(self, file: File) -> str:
        return ""  # the folder is made by the first part

    def close(self, file: File) -> None:
        shutil.rmtree(self._parts_dir(file), ignore_errors=True)

    def kept_parts(self, file: File) -> set[int]:
        if self.path_of(file).exists():
            return {part.number for part in parts_of(file)}
        return {part.number for part in parts_of(file) if self._has(file, part)}

    def sign_part(self, file: File, part: Part, *, now: datetime, until: datetime) -> SignedPart:
        return SignedPart(part=part, url=links.part_url(file.id, part.number, until=until))

    def assemble(self, file: File) -> None:
        final = self.path_of(file)
        if not final.exists():
            try:
                with self._written_beside(final, file) as (whole, temporary):
                    for part in self._all_parts(file):
                        with self._part_path(file, part.number).open("rb") as source:
                            shutil.copyfileobj(source, whole, CHUNK_BYTES)
                    _make_durable(whole)
                    # Unlike a rename, a link does not replace what another request has put
                    # there and judged meanwhile.
                    os.link(temporary, final)
                    _sync_folder(final.parent)
            except FileExistsError:
                pass
            except PartsMissing:
                # Whoever is faster takes the parts away, after the whole is there.
                if not final.exists():
                    raise
            except FileNotFoundError as error:
                if not final.exists():
                    raise PartsMissing(count=len(parts_of(file))) from error
            except OSError as error:
                raise StorageUnavailable from error
        self.close(file)

    def read(self, file: File) -> Iterator[bytes]:
        try:
            with self.path_of(file).open("rb") as source:
                while chunk := source.read(CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise StorageUnavailable from error

    def sign_download(self, file: File, *, now: datetime, until: datetime) -> str:
        return links.download_url(file.id, until=until)

    def delete(self, file: File) -> None:
        self.path_of(file).unlink(missing_ok=True)
        self.close(file)

    def path_of(self, file: File) -> Path:
        """Where the assembled file is."""
        return self.root / file.storage_key[:2] / file.storage_key

    @contextmanager
    def receiving(self, file: File, part: Part) -> Iterator[IO[bytes]]:
        """A file to write `part` to; it is kept when the block ends without an exception.

        The same part again replaces the one before, in one step.

        Raises:
            StorageUnavailable: the disk refuses.
        """
        final = self._part_path(file, part.number)
        try:
            with self._written_beside(final, file) as (arriving, temporary):
                yield arriving
                _make_durable(arriving)
                temporary.replace(final)
                _sync_folder(final.parent)
        except OSError as error:
            raise StorageUnavailable from error

    def _all_parts(self, file: File) -> list[Part]:
        parts = parts_of(file)
        missing = sum(not self._has(file, part) for part in parts)
        if missing:
            raise PartsMissing(count=missing)
        return parts

    def _has(self, file: File, part: Part) -> bool:
        try:
            return self._part_path(file, part.number).stat().st_size == part.size
        except FileNotFoundError:
            return False

    def _parts_dir(self, file: File) -> Path:
        return self.root / "parts" / file.storage_key

    def _part_path(self, file: File, number: int) -> Path:
        return self._parts_dir(file) / f"{number:05}"

    @contextmanager
    def _written_beside(self, final: Path, file: File) -> Iterator[tuple[IO[bytes], Path]]:
        # Always among the parts: what a killed process leaves goes when they go.
        temporary = self._parts_dir(file) / f"{secrets.token_hex(8)}.tmp"
        for folder in (temporary.parent, final.parent):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as written:
                yield written, temporary
        finally:
            temporary.unlink(missing_ok=True)


def _make_durable(written: IO[bytes]) -> None:
    written.flush()
    os.fsync(written.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
