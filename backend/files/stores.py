"""Where the bytes of files are: one contract, on local disk and in an S3-compatible store.

Bytes arrive in parts, in any order, each as often as the client likes, by requests that a signed
URL allows. `assemble` makes one object of them, which nothing changes from then on; only then are
they judged. Nothing here uses our database, and everything may block: call it off the event loop
(`threads.in_storage`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from django.conf import settings

from backend.files.models import File
from backend.files.parts import Part

CHUNK_BYTES = 1024**2


class UploadGone(Exception):
    """The store knows neither the upload nor the finished object: it has to be opened anew."""


@dataclass(frozen=True, slots=True)
class Header:
    """A header that a request has to carry."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPart:
    """A part, and the PUT request that brings its bytes."""

    part: Part
    url: str
    headers: tuple[Header, ...] = ()


class Store(Protocol):
    """What a store of files can do. All of it is safe to repeat, and to do twice at a time.

    Raises:
        StorageUnavailable: it does not answer.
    """

    def open(self, file: File) -> str:
        """Get ready for the parts of `file`, and return what the store calls this upload."""

    def close(self, file: File) -> None:
        """Forget the upload `file.upload_id` with its parts, but not an assembled object."""

    def kept_parts(self, file: File) -> set[int]:
        """The numbers of the parts that are there in full; all of them once assembled.

        Raises:
            UploadGone: there is nothing to add parts to.
        """

    def sign_part(self, file: File, part: Part, *, now: datetime, until: datetime) -> SignedPart:
        """The request that brings `part`, until `until`."""

    def assemble(self, file: File) -> None:
        """Make one object of all parts; a file that is one already stays as it is.

        Raises:
            PartsMissing: they are not all there.
        """

    def read(self, file: File) -> Iterator[bytes]:
        """The bytes of the assembled object, chunk by chunk."""

    def sign_download(self, file: File, *, now: datetime, until: datetime) -> str:
        """A URL that gives the object to whoever has it, as an attachment, until `until`."""

    def delete(self, file: File) -> None:
        """Forget everything there is of `file`."""


def store() -> Store:
    """The store that the settings name."""
    if settings.FILES_BUCKET:
        return _s3(
            settings.FILES_BUCKET,
            settings.FILES_ENDPOINT_URL,
            settings.FILES_PUBLIC_ENDPOINT_URL,
            settings.FILES_REGION,
            settings.FILES_ACCESS_KEY_ID,
            settings.FILES_SECRET_ACCESS_KEY,
        )
    from backend.files.local import LocalStore

    return LocalStore(Path(settings.FILES_DIR))


@lru_cache(maxsize=1)
def _s3(
    bucket: str, endpoint: str, public_endpoint: str, region: str, key_id: str, secret: str
) -> Store:
    # Imported where it is used: boto3 costs memory and time that a local disk does not need.
    from backend.files.s3 import S3Store

    return S3Store(
        bucket=bucket,
        endpoint_url=endpoint or None,
        public_endpoint_url=public_endpoint or None,
        region=region,
        access_key_id=key_id or None,
        secret_access_key=secret or None,
    )
