"""Signing up, logging in and out, passwords, and who a token belongs to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from backend import rate_limits
from backend.accounts import tokens
from backend.accounts.emails import normalise_email
from backend.accounts.errors import BadCredentials, WrongPassword
from backend.accounts.models import BearerToken, User
from backend.accounts.signals import entered_unconfirmed, tell_revoked
from backend.accounts.wallets import (
    add_platform_wallet,
    add_wallet,
    lookup_wallet,
    remove_wallet,
    set_default_wallet,
)
from backend.errors import NotFound, ValidationFailed

__all__ = [
    "Session",
    "add_platform_wallet",
    "add_wallet",
    "change_password",
    "end_session",
    "log_in",
    "log_out",
    "lookup_wallet",
    "remove_wallet",
    "set_default_wallet",
    "sign_up",
    "user_for_bearer",
    "valid_locale",
    "valid_name",
]

MAX_PASSWORD_LENGTH = 256
MAX_NAME_LENGTH = 80
# Whose address is not confirmed by then is not asked again: perhaps it is somebody else's.
ASKED_TO_CONFIRM_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A fresh login. `token` is shown to the client now and never again."""

    token: str
    user: User


def sign_up(
    *,
    email: str,
    password: str,
    display_name: str,
    locale: str,
    remote_address: str,
    now: datetime,
) -> Session:
    """Create an ordinary account, never a privileged one, and log it in.

    Who signs up is logged in at once, so that a taken address cannot but be refused. The refusal
    costs the same time as a success, says the same as for an address we dislike, and is limited per
    caller's network.

    Raises:
        ValidationFailed: a field is wrong, or the address cannot be used.
        RateLimited: too many sign-ups from this network.
    """
    rate_limits.hit("signUp", rate_limits.network_of(remote_address))
    user = User(
        email=_valid_email(email),
        display_name=valid_name(display_name),
        locale=valid_locale(locale),
        created_at=now,
        email_unconfirmed_since=now if settings.SENDS_MAIL else None,
    )
    _check_password(password, user)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            token = tokens.issue(user=user, label="", now=now)
            _ask_to_confirm(user, now=now)
    except IntegrityError:
        raise _unusable_email() from None
    return Session(token=token, user=user)


def log_in(
    *, email: str, password: str, device_name: str, remote_address: str, now: datetime
) -> Session:
    """Check a password and issue a token, labelled `device_name`, for one more device.

    Every judged try counts against the account, right ones too, so that guesses in parallel or
    from many networks do not add up. An unknown address costs as much time as a known one.

    Raises:
        BadCredentials: unknown address, wrong password or inactive account.
        RateLimited: too many tries for this account, or from this network; nothing was judged.
    """
    address = normalise_email(email)
    _count_guess(address, remote_address)
    user = User.objects.filter(email=address).first() if _is_text(address) else None
    password = _possible(password)
    if user is None:
        make_password(password)  # what check_password below would have cost
        raise BadCredentials
    if not user.check_password(password) or not user.is_active:
        raise BadCredentials
    with transaction.atomic():
        # A change of the password that comes in between ends the sessions that are there, and
        # would miss this one.
        if not _with_judged_password(user).update(last_login=now):
            raise BadCredentials
        user.last_login = now
        token = tokens.issue(user=user, label=_label(device_name), now=now)
        _ask_to_confirm(user, now=now)
    return Session(token=token, user=user)


def _ask_to_confirm(user: User, *, now: datetime) -> None:
    since = user.email_unconfirmed_since
    if since is not None and now - since < ASKED_TO_CONFIRM_FOR:
        entered_unconfirmed.send(sender=User, user=user, at=now)


def change_password(
    *,
    user: User,
    current: str,
    new: str,
    header: str | None,
    remote_address: str,
    now: datetime,
) -> None:
    """Give `user` another password, and end their sessions but that of an `Authorization` value.

    Each try counts as one of `log_in`, so that a stolen token helps nobody to guess.

    Raises:
        WrongPassword: `current` is not the one they have.
        ValidationFailed: `new` is none that `sign_up` takes.
        RateLimited: too many tries for this account, or from this network; nothing was judged.
    """
    _count_guess(user.email, remote_address)
    if not user.check_password(_possible(current)):
        raise WrongPassword
    _check_password(new, user, path="newPassword")
    fresh = make_password(new)
    here = tokens.live_token(header, now=now)
    with transaction.atomic():
        # Of two changes at once one wins; `User.save` would end this session as well.
        if not _with_judged_password(user).update(password=fresh):
            raise WrongPassword
        _revoke(Q(user=user) & ~Q(id=here and here.id), user.pk, now)


def log_out(*, header: str | None, everywhere: bool, now: datetime) -> None:
    """Revoke the token in an `Authorization` value, or `everywhere` all of its user's.

    Safe to repeat: a token that no longer works has nothing to revoke.
    """
    token = tokens.live_token(header, now=now)
    if token is not None:
        _revoke(Q(user_id=token.user_id) if everywhere else Q(id=token.id), token.user_id, now)


def end_session(*, user: User, session_id: UUID, now: datetime) -> None:
    """Revoke one of the tokens of `user`. Safe to repeat.

    Raises:
        NotFound: it is not this user's.
    """
    mine = Q(user=user, id=session_id)
    if not BearerToken.objects.filter(mine).exists():
        raise NotFound(_("There is no such session."), path=("sessionId",))
    _revoke(mine, user.pk, now)


def _revoke(which: Q, user_id: UUID, now: datetime) -> None:
    tokens.revoke(which, now=now)
    tell_revoked(user_id)


def user_for_bearer(*, header: str | None, now: datetime) -> User | None:
    """Tell who holds the token in an `Authorization` value ("Bearer faena_…").

    The one way from token to user, for HTTP, for a socket's connection parameters and for
    GraphiQL. None means no token, or one that is unknown, expired, revoked or an inactive user's.
    """
    token = tokens.live_token(header, now=now)
    if token is None:
        return None
    tokens.note_use(token, now=now)
    return token.user


def users_for_bearers(headers: Collection[str], *, now: datetime) -> dict[str, User]:
    """What `user_for_bearer` tells of each of many values; those that do not work are left out."""
    live = tokens.live_tokens_of(headers, now=now)
    for token in live.values():
        tokens.note_use(token, now=now)
    return {header: token.user for header, token in live.items()}


def _count_guess(address: str, remote_address: str) -> None:
    rate_limits.hit("logIn.address", rate_limits.network_of(remote_address))
    rate_limits.hit("logIn", address)


def _with_judged_password(user: User) -> QuerySet[User]:
    """The row of `user`, if its password is still the one that they were judged by."""
    return User.objects.filter(id=user.pk, password=user.password)


def _possible(password: str) -> str:
    """`password` if an account can have it, else the empty one, which none has."""
    return password if len(password) <= MAX_PASSWORD_LENGTH and _is_text(password) else ""


def _is_text(value: str) -> bool:
    # JSON can carry lone surrogates, which cannot be encoded, and NUL, which PostgreSQL refuses.
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _label(device_name: str) -> str:
    return "".join(letter for letter in device_name if letter.isprintable()).strip()


def _valid_email(email: str) -> str:
    address = normalise_email(email)
    try:
        validate_email(address)
    except ValidationError:
        raise _unusable_email() from None
    if len(address) > 254 or not _is_text(address):
        raise _unusable_email()
    return address


def _unusable_email() -> ValidationFailed:
    return ValidationFailed(
        _("This e-mail address cannot be used. Check it, or log in if it is yours."),
        path=("email",),
    )


def valid_name(display_name: str) -> str:
    """`display_name` without outer blanks.

    Raises:
        ValidationFailed: it is empty, too long or not printable.
    """
    name = display_name.strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise ValidationFailed(
            _("A display name has 1 to {most} printable characters."),
            path=("displayName",),
            most=MAX_NAME_LENGTH,
        )
    return name


def valid_locale(locale: str) -> str:
    """`locale`, one that sentences are written in.

    Raises:
        ValidationFailed: they are not.
    """
    if locale not in User.Locale.values:
        offered = ", ".join(User.Locale.values)
        raise ValidationFailed(
            _("The locale must be one of: {offered}."), path=("locale",), offered=offered
        )
    return locale


def _check_password(password: str, user: User, *, path: str = "password") -> None:
    if len(password) > MAX_PASSWORD_LENGTH:
        raise ValidationFailed(
            _("A password has at most {most} characters."),
            path=(path,),
            most=MAX_PASSWORD_LENGTH,
        )
    if not _is_text(password):
        raise ValidationFailed(_("A password is Unicode text."), path=(path,))
    try:
        # Django makes these sentences at once, not when they are shown.
        with translation.override(user.locale):
            validate_password(password, user)
    except ValidationError as error:
        raise ValidationFailed(" ".join(error.messages), path=(path,)) from None
