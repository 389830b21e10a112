"""Whether an address is its owner's, by the link in a mail to it.

Whoever signs up may name anybody's address. Until its owner says that it is theirs it gets no mail
but this one, in which no word is of somebody's choice.
"""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.dispatch import receiver

from backend.accounts.models import User
from backend.accounts.signals import entered_unconfirmed
from backend.events import emit

PATH = "mail/confirm/"
_SALT = "backend.notifications.confirm"


class BadLink(Exception):
    """It was not made here, or for an address that is nobody's now."""


@receiver(entered_unconfirmed, dispatch_uid="notifications")
def ask(user: User, at: datetime, **_: Any) -> None:
    """Have the address mailed; the last statement of its transaction. One mail a day is sent."""
    emit(
        topic=f"user:{user.pk}",
        type="account.unconfirmed",
        payload={},
        at=at,
        subject_id=user.pk,
    )


def link_for(user: User) -> str:
    """Where whoever reads the mails of `user` says that the address is theirs."""
    token = Signer(salt=_SALT).sign_object([user.pk.hex, _digest(user.email)])
    return f"{settings.PUBLIC_URL}/{PATH}{token}"


def read(token: str) -> User:
    """Whose address a link confirms.

    Raises:
        BadLink: nobody's.
    """
    try:
        user_id, digest = Signer(salt=_SALT).unsign_object(token)
        user = User.objects.get(id=UUID(user_id))
    except (BadSignature, User.DoesNotExist, ValueError) as error:
        raise BadLink from error
    if digest != _digest(user.email):
        raise BadLink
    return user


def confirm(user: User) -> None:
    """Mail this address from now on. Safe to repeat."""
    User.objects.filter(pk=user.pk, email=user.email).update(email_unconfirmed_since=None)


def _digest(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()[:16]
