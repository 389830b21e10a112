"""Files: what people upload and attach to jobs, applications and submissions."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from backend.files import models, queries, uploads
from backend.files.status import FileStatus
from backend.known import as_known
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.errors import Payload, mutation
from backend.schema.nodes import Node, decode_id
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scalars import URL

strawberry.enum(
    FileStatus,
    description=(
        "Where a file is. Only a READY one can be attached and downloaded; a REJECTED one was "
        "refused or has expired."
    ),
)
describe_values(
    FileStatus,
    UPLOADING="Parts are missing, or completeUpload has not been called yet.",
    READY="Its size, hash and content are what was declared.",
    REJECTED="They are not, or the upload was not finished in time. It does not come back.",
)


@rule(queries.files_visible_to)
@strawberry.type(
    description="An uploaded file. Seen by its owner, and with whatever it is attached to."
)
class File(Node):
    row: strawberry.Private[models.File]
    name: str = strawberry.field(description="What its owner calls it, without folders.")
    media_type: str = strawberry.field(
        description="What its owner says it is, such as image/png; of a READY one that is checked."
    )
    size: int = strawberry.field(description="Its length in bytes.")
    sha256: str = strawberry.field(description="The digest of its bytes, in hexadecimal.")
    status: FileStatus = strawberry.field(description="Whether it can be used.")
    created_at: datetime = strawberry.field(description="When its upload was requested.")

    @classmethod
    def from_model(cls, row: models.File) -> Self:
        return cls(
            key=row.id,
            row=row,
            name=row.name,
            media_type=row.media_type,
            size=row.size,
            sha256=row.sha256,
            status=as_known(row.status, otherwise=FileStatus.UPLOADING),
            created_at=row.created_at,
        )

    @strawberry.field(
        description=(
            "Gives the bytes to whoever has it, as an attachment, for 15 minutes. Null unless "
            "READY."
        )
    )
    async def download_url(self, info: Info) -> URL | None:
        url = await uploads.download_url(file=self.row, now=info.context.now())
        return URL(url) if url else None


@strawberry.input(description="A file to be uploaded.")
class UploadInput:
    name: str = strawberry.field(description="What to call it. Folders in it are left out.")
    media_type: str = strawberry.field(
        description="What it is, such as audio/webm: images, sound, film, PDF and text are taken."
    )
    size: int = strawberry.field(
        description="Its length in bytes, at least 1; the operator sets the most."
    )
    sha256: str = strawberry.field(
        description="The digest of all of its bytes, in 64 hexadecimal digits."
    )

    def to_declaration(self) -> uploads.Declaration:
        """The same in the domain's words."""
        return uploads.Declaration(
            name=self.name, media_type=self.media_type, size=self.size, sha256=self.sha256
        )


@strawberry.input(description="Names one upload.")
class FileIdInput:
    file_id: strawberry.ID = strawberry.field(description="One's own, by its `id`.")

    def key(self) -> UUID:
        """The row's key."""
        return decode_id(self.file_id, type_name="File", path=("fileId",))


@rule(WITH_PARENT)
@strawberry.type(description="A header that a request has to carry.")
class RequestHeader:
    name: str = strawberry.field(description="What stands before the colon.")
    value: str = strawberry.field(description="What stands behind it, to be sent as it is.")


@rule(WITH_PARENT)
@strawberry.type(
    description=(
        "A piece of the file that is still missing: PUT bytes `offset` to `offset + size` to "
        "`url`. Any order, several at a time; safe to repeat."
    )
)
class UploadPart:
    number: int = strawberry.field(description="1 for the first part.")
    offset: int = strawberry.field(description="Where it starts in the file, in bytes.")
    size: int = strawberry.field(description="Exactly how many bytes it has.")
    url: URL = strawberry.field(description="Where to PUT it. It is a permission: keep it secret.")
    headers: list[RequestHeader] = strawberry.field(
        description="To be sent with the bytes, all of them."
    )


@rule(WITH_PARENT)
@strawberry.type(description="An upload, and what is still missing of it.")
class UploadPayload(Payload):
    file: File | None = strawberry.field(
        default=None, description="What is uploaded; null when there are errors."
    )
    parts: list[UploadPart] = strawberry.field(
        default_factory=list, description="Those that are missing, in order."
    )
    part_size: int | None = strawberry.field(
        default=None,
        description="The bytes of every part but the last; null when there are errors.",
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description=(
            "Until when the URLs work; resumeUpload gives fresh ones. Null when there are errors."
        ),
    )

    @classmethod
    def of(cls, upload: uploads.Upload) -> Self:
        """The payload of an upload."""
        return cls(
            file=File.from_model(upload.file),
            parts=[
                UploadPart(
                    number=each.part.number,
                    offset=each.part.offset,
                    size=each.part.size,
                    url=URL(each.url),
                    headers=[RequestHeader(name=h.name, value=h.value) for h in each.headers],
                )
                for each in upload.missing
            ],
            part_size=upload.file.part_size,
            expires_at=upload.expires_at,
        )


@rule(WITH_PARENT)
@strawberry.type(description="What became of an upload.")
class FilePayload(Payload):
    file: File | None = strawberry.field(
        default=None, description="It, as it is now; null when there are errors."
    )


@strawberry.type
class FileMutation:
    @mutation(
        description=(
            "Ask to upload a file in parts. Safe to repeat: asked again with the same input while "
            "it is unfinished, it answers with the same file and what is missing of it."
        )
    )
    async def request_upload(self, info: Info, input: UploadInput) -> UploadPayload:
        upload = await uploads.request_upload(
            user=await info.context.require_user(),
            declaration=input.to_declaration(),
            now=info.context.now(),
            database=info.context.db,
        )
        return UploadPayload.of(upload)

    @mutation(description="Go on with an upload: fresh URLs for what is missing. Safe to repeat.")
    async def resume_upload(self, info: Info, input: FileIdInput) -> UploadPayload:
        upload = await uploads.resume_upload(
            user=await info.context.require_user(),
            file_id=input.key(),
            now=info.context.now(),
            database=info.context.db,
        )
        return UploadPayload.of(upload)

    @mutation(
        description=(
            "End an upload when all parts are there: the file is READY if its size, hash and "
            "content are what was declared, and refused for good otherwise. Safe to repeat."
        )
    )
    async def complete_upload(self, info: Info, input: FileIdInput) -> FilePayload:
        row = await uploads.complete_upload(
            user=await info.context.require_user(),
            file_id=input.key(),
            now=info.context.now(),
            database=info.context.db,
        )
        return FilePayload(file=File.from_model(row))
