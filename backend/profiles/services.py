"""Changing what one says about oneself."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import MAX_BIO_LENGTH, MailCategory, User
from backend.accounts.services import valid_locale, valid_name
from backend.errors import ValidationFailed
from backend.files.attaching import attach, let_go
from backend.files.models import File
from backend.languages import language_tag
from backend.texts import tidy_text

MOST_LANGUAGES = 20
# What every browser shows in an <img> element.
AVATAR_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})


class ProfileChanges(TypedDict, total=False):
    """What changes; what is not in it stays as it is.

    `locale` None: sentences come in the language that the client asks for. `languages` are BCP 47
    tags of what somebody speaks, best first. `avatar_file_id` None takes the picture away. `notify`
    is all that they want mails about; None is nothing.
    """

    display_name: str | None
    locale: str | None
    languages: Sequence[str] | None
    bio: str | None
    avatar_file_id: UUID | None
    notify: Sequence[MailCategory] | None


def update_profile(*, user: User, changes: ProfileChanges, now: datetime) -> User:
    """Change the profile of `user`: all of `changes` or nothing. Safe to repeat.

    Raises:
        ValidationFailed: a field is wrong, or the avatar is no picture.
        NotFound: the avatar is not a file of this user's.
    """
    columns: dict[str, object] = {}
    if "display_name" in changes:
        columns["display_name"] = valid_name(changes["display_name"] or "")
    if "locale" in changes:
        columns["locale"] = "" if changes["locale"] is None else valid_locale(changes["locale"])
    if "languages" in changes:
        columns["languages"] = _languages(changes["languages"] or ())
    if "bio" in changes:
        columns["bio"] = tidy_text(changes["bio"], most=MAX_BIO_LENGTH, path="bio")
    if "notify" in changes:
        wanted = changes["notify"] or ()
        columns["muted"] = [str(each) for each in MailCategory if each not in wanted]
    with transaction.atomic():
        before = User.objects.filter(pk=user.pk).values_list("avatar_id", flat=True).first()
        if "avatar_file_id" in changes:
            columns["avatar"] = _avatar(user, changes["avatar_file_id"], now)
        for name, value in columns.items():
            setattr(user, name, value)
        user.save(update_fields=list(columns))
        if before is not None and "avatar" in columns:
            let_go([before], now=now)
    return user


def _languages(tags: Sequence[str]) -> list[str]:
    if len(tags) > MOST_LANGUAGES:
        raise ValidationFailed(
            _("At most {most} languages are possible."), path=("languages",), most=MOST_LANGUAGES
        )
    found = (language_tag(tag, path="languages") for tag in tags)
    return list(dict.fromkeys(tag for tag in found if tag))


def _avatar(user: User, file_id: UUID | None, now: datetime) -> File | None:
    if file_id is None:
        return None
    (file,) = attach(user=user, file_ids=[file_id], path="avatarFileId", now=now)
    if file.media_type not in AVATAR_TYPES:
        raise ValidationFailed(
            _("A picture is PNG, JPEG, WebP or GIF; {name} is {type}."),
            path=("avatarFileId",),
            name=file.name,
            type=file.media_type,
        )
    return file
