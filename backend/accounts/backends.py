"""The admin's way in, which must not be an easier one than `logIn`."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from backend import rate_limits
from backend.accounts.emails import normalise_email
from backend.accounts.models import User
from backend.errors import RateLimited


class LimitedBackend(ModelBackend):
    """Django's own backend, counting each judged try together with those of `log_in`."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """Judge a password; too many tries end the attempt, for all backends, unjudged."""
        if username is None or password is None:
            return None
        remote_address = request.META.get("REMOTE_ADDR", "") if request else ""
        try:
            rate_limits.hit("logIn.address", rate_limits.network_of(remote_address))
            rate_limits.hit("logIn", normalise_email(username))
        except RateLimited:
            raise PermissionDenied from None
        user = super().authenticate(request, username, password, **credentials)
        return user if isinstance(user, User) else None
