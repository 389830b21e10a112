"""The three statuses of a file, and what a refused one was refused for."""

from enum import StrEnum


class FileStatus(StrEnum):
    """Where a file is: UPLOADING becomes READY or REJECTED, and READY is kept once attached."""

    UPLOADING = "UPLOADING"
    READY = "READY"
    REJECTED = "REJECTED"


class Rejection(StrEnum):
    """Why a file is REJECTED. Kept with the row, so that every repetition says the same."""

    SIZE = "SIZE"
    SHA256 = "SHA256"
    TYPE = "TYPE"
    MISMATCH = "MISMATCH"
    EXPIRED = "EXPIRED"
