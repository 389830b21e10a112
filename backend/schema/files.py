"""Files: what people upload and attach to jobs, applications and submissions."""

from datetime import datetime
from typing import Self

import strawberry

from backend.files import models, queries
from backend.files.status import FileStatus
from backend.schema.nodes import Node
from backend.schema.permissions import rule

strawberry.enum(
    FileStatus,
    description=(
        "Where a file is. Only a READY one can be attached and downloaded; a REJECTED one was "
        "refused or has expired."
    ),
)


@rule(queries.files_visible_to)
@strawberry.type(
    description="An uploaded file. Seen by its owner, and with whatever it is attached to."
)
class File(Node):
    name: str = strawberry.field(description="What its owner calls it, without folders.")
    media_type: str = strawberry.field(description="What it is, such as image/png.")
    size: int = strawberry.field(description="Its length in bytes.")
    sha256: str = strawberry.field(description="The SHA-256 of its bytes, in hexadecimal.")
    status: FileStatus = strawberry.field(description="Where it is.")
    created_at: datetime = strawberry.field(description="When its upload was requested.")

    @classmethod
    def from_model(cls, row: models.File) -> Self:
        return cls(
            key=row.id,
            name=row.name,
            media_type=row.media_type,
            size=row.size,
            sha256=row.sha256,
            status=FileStatus(row.status),
            created_at=row.created_at,
        )
