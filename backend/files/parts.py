"""How a file is cut into parts."""

from dataclasses import dataclass

from backend.files.models import File

# The least that S3 takes for any part but the last. Smaller parts lose less to a bad line.
PART_SIZE = 5 * 1024**2
MOST_PARTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The bytes of a file from `offset` on, `size` of them. Numbers start at 1."""

    number: int
    offset: int
    size: int


def parts_of(file: File) -> list[Part]:
    """All parts of `file`, in order; every one but the last has the file's `part_size`."""
    return [
        Part(number=index + 1, offset=offset, size=min(file.part_size, file.size - offset))
        for index, offset in enumerate(range(0, file.size, file.part_size))
    ]
