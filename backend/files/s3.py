"""Files in a bucket of an S3-compatible store: multipart uploads by presigned requests.

Clients PUT parts straight to the store, and read straight from it; their bytes pass through us
only once, when a finished upload is judged.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.utils.http import content_disposition_header

from backend.files.errors import PartsMissing, StorageUnavailable
from backend.files.models import File
from backend.files.parts import Part, parts_of
from backend.files.stores import CHUNK_BYTES, SignedPart, UploadGone

CONNECT_SECONDS, READ_SECONDS = 5, 30
_UNKNOWN = {"NoSuchUpload", "NoSuchKey", "404"}


class S3Store:
    """One bucket. The key of a file is its `storage_key`."""

    def __init__(
        self,
        *,
        bucket: str,
        endpoint_url: str | None,
        public_endpoint_url: str | None,
        region: str,
        access_key_id: str | None,
        secret_access_key: str | None,
    ) -> None:
        self._bucket = bucket
        session = boto3.session.Session(
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            region_name=region,
        )
        config = Config(
            signature_version="s3v4",
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "max_attempts": 2},
            # Amazon's newer checksums are unknown to other stores, and we compare SHA-256 anyway.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # A bucket's own host name needs DNS that only Amazon has for certain.
            s3={"addressing_style": "path" if endpoint_url else "virtual"},
        )
        self._client = session.client("s3", endpoint_url=endpoint_url, config=config)
        # The host is part of the signature, so URLs for browsers are signed for their address.
        self._signer = session.client("s3", endpoint_url=public_endpoint_url, config=config)

    def open(self, file: File) -> str:
        with _answering():
            opened = self._client.create_multipart_upload(
                **self._object(file), ContentType=file.media_type
            )
        return str(opened["UploadId"])

    def close(self, file: File) -> None:
        if not file.upload_id:
            return
        with _answering(), _unknown_is_done():
            self._client.abort_multipart_upload(**self._object(file), UploadId=file.upload_id)

    def kept_parts(self, file: File) -> set[int]:
        wanted = {part.number: part.size for part in parts_of(file)}
        try:
            kept = self._list_parts(file)
        except UploadGone:
            # Asked in this order: an upload is there until its object is.
            if not self._is_assembled(file):
                raise
            return set(wanted)
        return {number for number, (size, _) in kept.items() if wanted.get(number) == size}

    def sign_part(self, file: File, part: Part, *, now: datetime, until: datetime) -> SignedPart:
        # With its length signed, the store refuses a body of any other.
        request = {
            **self._object(file),
            "UploadId": file.upload_id,
            "PartNumber": part.number,
            "ContentLength": part.size,
        }
        url = self._signer.generate_presigned_url(
            "upload_part", Params=request, ExpiresIn=_seconds(now, until)
        )
        return SignedPart(part=part, url=url)

    def assemble(self, file: File) -> None:
        wanted = parts_of(file)
        try:
            kept = self._list_parts(file)
        except UploadGone as error:
            if self._is_assembled(file):
                return
            raise PartsMissing(count=len(wanted)) from error
        there = [part for part in wanted if kept.get(part.number, (0, ""))[0] == part.size]
        if len(there) < len(wanted):
            raise PartsMissing(count=len(wanted) - len(there))
        parts = [{"PartNumber": part.number, "ETag": kept[part.number][1]} for part in wanted]
        try:
            with _answering():
                self._client.complete_multipart_upload(
                    **self._object(file),
                    UploadId=file.upload_id,
                    MultipartUpload={"Parts": parts},
                )
        except ClientError as error:
            # Another request was faster, or a part was replaced meanwhile.
            if not self._is_assembled(file):
                raise PartsMissing(count=len(wanted)) from error

    def read(self, file: File) -> Iterator[bytes]:
        try:
            with _answering():
                body = self._client.get_object(**self._object(file))["Body"]
                with body:
                    yield from body.iter_chunks(CHUNK_BYTES)
        except ClientError as error:
            raise StorageUnavailable from error

    def sign_download(self, file: File, *, now: datetime, until: datetime) -> str:
        request = {
            **self._object(file),
            "ResponseContentDisposition": content_disposition_header(True, file.name),
            "ResponseContentType": file.media_type,
            "ResponseCacheControl": "private",
        }
        return str(
            self._signer.generate_presigned_url(
                "get_object", Params=request, ExpiresIn=_seconds(now, until)
            )
        )

    def delete(self, file: File) -> None:
        self.close(file)
        with _answering():
            self._client.delete_object(**self._object(file))

    def _object(self, file: File) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": file.storage_key}

    def _is_assembled(self, file: File) -> bool:
        try:
            with _answering():
                self._client.head_object(**self._object(file))
        except ClientError:
            return False
        return True

    def _list_parts(self, file: File) -> dict[int, tuple[int, str]]:
        """Size and ETag by number, of all that is there."""
        if not file.upload_id:
            raise UploadGone
        pages = self._client.get_paginator("list_parts").paginate(
            **self._object(file), UploadId=file.upload_id
        )
        try:
            with _answering():
                return {
                    each["PartNumber"]: (each["Size"], each["ETag"])
                    for page in pages
                    for each in page.get("Parts", ())
                }
        except ClientError as error:
            raise UploadGone from error


@contextmanager
def _answering() -> Iterator[None]:
    """Turn what only the store or the network can cure into StorageUnavailable.

    What it says about our upload or object comes through as a ClientError.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _UNKNOWN or code in {"InvalidPart", "InvalidPartOrder", "EntityTooSmall"}:
            raise
        raise StorageUnavailable from error
    except BotoCoreError as error:
        raise StorageUnavailable from error


@contextmanager
def _unknown_is_done() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNKNOWN:
            raise


def _seconds(now: datetime, until: datetime) -> int:
    return max(1, int((until - now).total_seconds()))
