"""Opaque bearer tokens: 32 random bytes for the client, their SHA-256 for us.

A fast hash is right here: unlike a password, a token has 256 bits of its own.
"""

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from backend.accounts.models import BearerToken, User

LIFETIME = timedelta(days=90)
LAST_USED_PRECISION = timedelta(hours=1)
# Recognisable, so that secret scanners find a leaked one.
PREFIX = "faena_"
_HEADER = re.compile(rf"\s*bearer\s+({PREFIX}[A-Za-z0-9_-]{{43}})\s*", re.IGNORECASE | re.ASCII)


def issue(*, user: User, label: str, now: datetime) -> str:
    """Save a new token for `user` and return it; this is the only time it can be read."""
    token = PREFIX + secrets.token_urlsafe(32)
    BearerToken.objects.create(
        user=user,
        digest=_digest(token),
        label=label[:80],
        created_at=now,
        last_used_at=now,
        expires_at=now + LIFETIME,
    )
    return token


def live_token(header: str | None, *, now: datetime) -> BearerToken | None:
    """Find the token of an `Authorization` value, with its user; None unless it works at `now`."""
    match = _HEADER.fullmatch(header or "")
    if not match:
        return None
    # By its digest alone: this is asked with every request, and conditions cost more to write
    # as SQL than to look at.
    try:
        token = BearerToken.objects.select_related("user").get(digest=_digest(match[1]))
    except BearerToken.DoesNotExist:
        return None
    return token if _works(token, now) else None


def live_tokens_of(headers: Collection[str], *, now: datetime) -> dict[str, BearerToken]:
    """What `live_token` finds for each of many `Authorization` values, in one query."""
    digests = {
        header: _digest(match[1]) for header in headers if (match := _HEADER.fullmatch(header))
    }
    rows = BearerToken.objects.select_related("user").filter(digest__in=set(digests.values()))
    found = {token.digest: token for token in rows if _works(token, now)}
    return {header: found[digest] for header, digest in digests.items() if digest in found}


def _works(token: BearerToken, now: datetime) -> bool:
    return token.user.is_active and token.revoked_at is None and token.expires_at > now


def is_of(header: str | None, token: BearerToken) -> bool:
    """Whether `token` is the one in an `Authorization` value."""
    match = _HEADER.fullmatch(header or "")
    return match is not None and secrets.compare_digest(_digest(match[1]), token.digest)


def live_tokens(user: User, *, now: datetime) -> QuerySet[BearerToken]:
    """The tokens of `user` that work at `now`, those used last first."""
    live = BearerToken.objects.filter(user=user, revoked_at=None, expires_at__gt=now)
    return live.order_by("-last_used_at", "-id")


def note_use(token: BearerToken, *, now: datetime) -> None:
    """Save that the token is in use, at most hourly: not every request is worth a write."""
    stale = now - LAST_USED_PRECISION
    if token.last_used_at <= stale:
        BearerToken.objects.filter(id=token.id, last_used_at__lte=stale).update(last_used_at=now)


def revoke(which: Q, *, now: datetime) -> int:
    """Revoke the live tokens that match; returns how many. Safe to repeat."""
    return BearerToken.objects.filter(which, revoked_at=None).update(revoked_at=now)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
