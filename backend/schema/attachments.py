"""The files that hang on something, read together for many of them."""

from typing import Any
from uuid import UUID

from django.db.models.fields.related_descriptors import ManyToManyDescriptor

from backend.files.models import File as FileRow
from backend.schema.context import Info
from backend.schema.files import File


async def files_of(info: Info, relation: "ManyToManyDescriptor[Any, Any]", key: UUID) -> list[File]:
    """The files of one row by a relation to them, such as `Job.references`; oldest first.

    They are seen exactly when the row is.
    """
    through = relation.through
    source = relation.field.m2m_field_name()

    def load(keys: list[UUID]) -> dict[UUID, list[FileRow]]:
        found: dict[UUID, list[FileRow]] = {}
        links = through._default_manager.filter(**{f"{source}__in": keys})
        for link in links.select_related("file").order_by("file_id"):
            found.setdefault(getattr(link, f"{source}_id"), []).append(link.file)
        return found

    rows = await info.context.loader((through, "files"), lambda: load).load(key)
    return [File.from_model(row) for row in rows or []]
