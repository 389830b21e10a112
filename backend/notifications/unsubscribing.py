"""Wanting no more mails of a category, by the link in one of them.

The link is the permission: it is signed, names one person and one category, and takes nothing but
those mails away. It works for as long as the SECRET_KEY of its day is taken, since old mails are
kept for long.
"""

from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction

from backend.accounts.models import MailCategory, User

PATH = "mail/unsubscribe/"
_SALT = "backend.notifications.unsubscribe"


class BadLink(Exception):
    """It was not made here, or for somebody who is not here any more."""


def link_for(user: User, category: MailCategory) -> str:
    """Where `user` says that they want no more mails of `category`."""
    token = Signer(salt=_SALT).sign_object([user.pk.hex, str(category)])
    return f"{settings.PUBLIC_URL}/{PATH}{token}"


def read(token: str) -> tuple[User, MailCategory]:
    """Whom a link is for, and which mails it ends.

    Raises:
        BadLink: nothing else.
    """
    try:
        user_id, category = Signer(salt=_SALT).unsign_object(token)
        return User.objects.get(id=UUID(user_id)), MailCategory(category)
    except (BadSignature, User.DoesNotExist, ValueError) as error:
        raise BadLink from error


def mute(user: User, category: MailCategory) -> None:
    """Mail `user` nothing of `category` any more. Safe to repeat."""
    with transaction.atomic():
        # Two links of one person at once are both heard.
        locked = User.objects.select_for_update(no_key=True).get(id=user.id)
        locked.muted = [str(each) for each in MailCategory if each in {*locked.muted, category}]
        locked.save(update_fields=["muted"])
