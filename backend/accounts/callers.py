"""Who sends a request: a person by a session's token, or a program by an API key."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from backend.accounts import api_keys
from backend.accounts.models import ApiKey, Scope, User
from backend.accounts.services import user_for_bearer
from backend.errors import Forbidden

_BEARER = re.compile(r"\s*bearer\s+(\S+)\s*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as whom. `key` None is the person, who may all that they may."""

    user: User
    key: ApiKey | None = None

    def require(self, scope: Scope | None) -> None:
        """Pass silently when the caller may act within `scope`; None is for people only.

        Raises:
            Forbidden: it is an API key without it.
        """
        if self.key is None:
            return
        if scope is None:
            raise Forbidden(_("This is for people: an API key cannot do it."))
        if scope not in self.key.scopes:
            raise Forbidden(_("This API key lacks the scope {scope}."), scope=scope.value)


def key_in(header: str | None) -> str | None:
    """The API key in an `Authorization` value, whether it works or not; None without one."""
    match = _BEARER.fullmatch(header or "")
    return match[1] if match and api_keys.is_key(match[1]) else None


def caller_for_bearer(*, header: str | None, now: datetime) -> Caller | None:
    """Tell who sends an `Authorization` value, for HTTP, for a socket and for GraphiQL.

    None means no token, or one that is unknown, expired, revoked or an inactive user's.

    Raises:
        KeyRefused: it is an API key that does not work.
    """
    if (secret := key_in(header)) is not None:
        key = api_keys.working_key(secret, now=now)
        return Caller(key.owner, key)
    user = user_for_bearer(header=header, now=now)
    return Caller(user) if user else None
