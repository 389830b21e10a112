"""Refusals of files.

FaenaError
├── StorageUnavailable   UPSTREAM_UNAVAILABLE: the store does not answer; the upload can go on later
└── PartsMissing         VALIDATION: the upload is not complete; resumeUpload says what is missing
"""

from django.utils.translation import gettext_lazy as _

from backend.errors import ErrorCode, FaenaError, ValidationFailed


class StorageUnavailable(FaenaError):
    """The store of files does not answer, or not as it should. Nothing is lost."""

    code = ErrorCode.UPSTREAM_UNAVAILABLE
    retryable = True

    def __init__(self) -> None:
        super().__init__(_("Files cannot be stored or read at the moment. Try again later."))


class PartsMissing(ValidationFailed):
    """Parts of the upload have not arrived, or not in their full length."""

    def __init__(self, *, count: int) -> None:
        super().__init__(
            _("Parts of the file are missing: {count}. Ask resumeUpload for them."),
            path=("fileId",),
            count=count,
        )
