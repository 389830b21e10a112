"""API keys: for programs that act for their owner, each within its scopes.

A key is `faena_test_` or `faena_live_` and 32 random bytes. The installation's TEST_MODE decides
which of the two it issues and takes, so that a key never meets money of the other kind.
"""

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from backend import rate_limits
from backend.accounts.errors import KeyRefused
from backend.accounts.models import ApiKey, Scope, User
from backend.accounts.signals import tell_revoked
from backend.errors import Forbidden, NotFound, Text, ValidationFailed
from backend.texts import tidy_text

LAST_USED_PRECISION = timedelta(minutes=1)
MOST_KEYS = 50
MAX_NAME_LENGTH = 80
_KINDS = {"test": True, "live": False}
_SHOWN_CHARACTERS = 4
_KEY = re.compile(r"faena_(test|live)_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh key. `secret` is shown now and never again."""

    key: ApiKey
    secret: str


def create_api_key(
    *, owner: User, name: str, scopes: Collection[Scope], test_mode: bool, now: datetime
) -> Issued:
    """Make a key for programs of `owner`. A live one works once an operator has approved it.

    Not safe to repeat: each call makes a key.

    Raises:
        ValidationFailed: the name or the scopes are unusable, the key would be of the other kind
            than this installation, or there are MOST_KEYS already.
        RateLimited: too many keys were made by this user.
    """
    name = tidy_text(name, most=MAX_NAME_LENGTH, path="name", required=True)
    if not scopes:
        raise ValidationFailed(_("Name at least one scope."), path=("scopes",))
    if test_mode != settings.TEST_MODE:
        raise ValidationFailed(_wrong_kind(test_mode=test_mode), path=("testMode",))
    rate_limits.hit("apiKeys", str(owner.id))
    secret = f"faena_{_kind(test_mode)}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        # One at a time per user, so that they are counted.
        User.objects.select_for_update().get(id=owner.id)
        if live_keys(owner).count() >= MOST_KEYS:
            raise ValidationFailed(
                _("At most {most} API keys are possible. Revoke one first."),
                path=("name",),
                most=MOST_KEYS,
            )
        key = ApiKey.objects.create(
            owner=owner,
            name=name,
            digest=_digest(secret),
            prefix=secret[: -43 + _SHOWN_CHARACTERS],
            # Each once, in the order of the enum.
            scopes=[scope.value for scope in Scope if scope in scopes],
            test_mode=test_mode,
            created_at=now,
            approved_at=now if test_mode else None,
        )
    return Issued(key, secret)


def approve_api_key(*, user: User, key_id: UUID, now: datetime) -> ApiKey:
    """Let a live key work, as an operator. The key itself is known to its owner only.

    Safe to repeat.

    Raises:
        NotFound: there is no such key for `user`.
        Forbidden: `user` is no operator.
    """
    with transaction.atomic():
        key = _locked(user, key_id)
        if not user.is_staff:
            raise Forbidden(_("Only an operator can approve an API key."))
        if key.approved_at is None:
            key.approved_at, key.approved_by = now, user
            key.save(update_fields=["approved_at", "approved_by"])
    return key


def revoke_api_key(*, user: User, key_id: UUID, now: datetime) -> ApiKey:
    """Let a key work no more, at once: its owner's, or as an operator anybody's.

    Raises:
        NotFound: there is no such key for `user`; it has been revoked already.
        Forbidden: `user` may only look at it.
    """
    with transaction.atomic():
        key = _locked(user, key_id)
        if key.owner_id != user.id and not user.is_staff:
            raise Forbidden(_("Only its owner or an operator can revoke an API key."))
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        tell_revoked(key.owner_id)
    return key


def keys_visible_to(user: User | None) -> QuerySet[ApiKey]:
    """The keys of `user` that were not revoked; operators and auditors see everybody's."""
    keys = ApiKey.objects.filter(revoked_at=None).select_related("owner")
    if user is None:
        return keys.none()
    return keys if user.sees_everything else keys.filter(owner=user)


def live_keys(owner: User) -> QuerySet[ApiKey]:
    """The keys of `owner` that were not revoked, newest first."""
    return ApiKey.objects.filter(owner=owner, revoked_at=None).order_by("-id")


def is_key(text: str) -> bool:
    """Whether this is spelt like an API key, of any kind."""
    return _KEY.fullmatch(text) is not None


def working_key(secret: str, *, now: datetime) -> ApiKey:
    """The key that `secret` is, with its owner. Saves, at most once a minute, that it is used.

    Raises:
        KeyRefused: it is none, is of the other kind, or does not work any more or yet.
    """
    spelt = _KEY.fullmatch(secret)
    if spelt is None:
        raise KeyRefused(_("This API key is unknown or was revoked."))
    test_mode = _KINDS[spelt[1]]
    if test_mode != settings.TEST_MODE:
        raise KeyRefused(_wrong_kind(test_mode=test_mode))
    key = ApiKey.objects.select_related("owner").filter(digest=_digest(secret)).first()
    works = key is not None and key.revoked_at is None and key.test_mode == test_mode
    if key is None or not works or not key.owner.is_active:
        raise KeyRefused(_("This API key is unknown or was revoked."))
    if key.approved_at is None:
        raise KeyRefused(_("This API key waits for the approval of an operator."))
    _note_use(key, now=now)
    return key


def _note_use(key: ApiKey, *, now: datetime) -> None:
    stale = now - LAST_USED_PRECISION
    if key.last_used_at is None or key.last_used_at <= stale:
        # Of many requests at once one writes.
        unused = ApiKey.objects.filter(id=key.id, last_used_at=key.last_used_at)
        unused.update(last_used_at=now)


def _locked(user: User, key_id: UUID) -> ApiKey:
    key = keys_visible_to(user).select_for_update(of=("self",)).filter(id=key_id).first()
    if key is None:
        raise NotFound(_("There is no such API key."), path=("apiKeyId",))
    return key


def _kind(test_mode: bool) -> str:
    return "test" if test_mode else "live"


def _wrong_kind(*, test_mode: bool) -> Text:
    if test_mode:
        return _("Test keys are for installations with play money, and this one moves real money.")
    return _("Live keys are for installations with real money, and this one moves play money.")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
