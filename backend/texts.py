"""Texts, as people write them."""

import re

from django.utils.translation import gettext_lazy as _

from backend.errors import ValidationFailed

# A NUL cannot be stored by PostgreSQL, a lone surrogate cannot be encoded, and the other control
# characters serve nobody but those who want to confuse a reader.
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def tidy_text(value: str | None, *, most: int, path: str, required: bool = False) -> str:
    """`value` without outer blanks, at most `most` characters; `None` is an empty text.

    Raises:
        ValidationFailed: it is too long, has characters nobody can read, or is missing.
    """
    tidy = (value or "").strip()
    if UNWRITABLE.search(tidy):
        raise ValidationFailed(_("This text has control characters in it."), path=(path,))
    if len(tidy) > most:
        raise ValidationFailed(
            _("This text has {length} characters; at most {most} are possible."),
            path=(path,),
            length=len(tidy),
            most=most,
        )
    if required and not tidy:
        raise ValidationFailed(_("Please write something here."), path=(path,))
    return tidy
