"""A file: what its owner declared about it, what was found, and where its bytes are."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from backend.files.status import FileStatus, Rejection
from backend.ids import new_id

LONGEST_NAME = 255
LONGEST_TYPE = 127  # RFC 6838, section 4.2: what a registered type has at most


_REJECTED, _READY = FileStatus.REJECTED.value, FileStatus.READY.value


class File(models.Model):
    """Bytes that a person uploads, in parts, before something refers to them.

    `name`, `media_type`, `size` and `sha256` are what the owner declared; a READY file has been
    compared with them. `sniffed_type` is what its content looks like, for operators.

    `expires_at` is when it goes: an upload that is not finished, a file that nothing was attached
    to, a rejected one. Attaching a file clears it, and then the file stays.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="files"
    )
    name = models.CharField(max_length=LONGEST_NAME)
    media_type = models.CharField(max_length=LONGEST_TYPE)
    sniffed_type = models.CharField(max_length=LONGEST_TYPE, blank=True)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    part_size = models.PositiveIntegerField()
    # The server's choice: nothing in it comes from the owner, and the id does not tell it.
    storage_key = models.CharField(max_length=64, unique=True)
    # What an S3-compatible store calls the multipart upload; empty on local disk.
    upload_id = models.CharField(max_length=1024, blank=True)
    status = models.CharField(max_length=16, default=FileStatus.UPLOADING.value)
    rejected_because = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField()
    attached_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=sorted(each.value for each in FileStatus)),
                name="file_status_known",
            ),
            models.CheckConstraint(
                condition=Q(size__gt=0, part_size__gt=0), name="file_sizes_positive"
            ),
            models.CheckConstraint(
                condition=Q(
                    status=_REJECTED,
                    rejected_because__in=sorted(each.value for each in Rejection),
                )
                | Q(~Q(status=_REJECTED), rejected_because=""),
                name="file_rejected_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(status=_READY, attached_at__isnull=False, expires_at__isnull=True)
                | Q(attached_at__isnull=True, expires_at__isnull=False),
                name="file_kept_when_attached",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["expires_at"],
                condition=Q(expires_at__isnull=False),
                name="file_by_expiry",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.status})"
