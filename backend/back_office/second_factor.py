"""The code that operators show after their password: TOTP (RFC 6238), or a recovery code.

Each try is counted like a log-in. A session has shown one when django-otp's middleware finds its
device: taking that away, as `reset` does, ends what the session may do at once.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

import django_otp
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _
from django_otp.oath import hotp

from backend import rate_limits
from backend.accounts.models import User
from backend.back_office.models import SecondFactor
from backend.errors import ErrorCode, FaenaError

STEP_SECONDS = 30
DIGITS = 6
# Clocks of phones differ a little: the step before and the one after are taken as well.
STEPS_APART = (0, -1, 1)
KEY_BYTES = 20
RECOVERY_CODES = 8
RECOVERY_BYTES = 10
ISSUER = "Faena"


class WrongCode(FaenaError):
    """The code is not the one that is shown now, or was used before."""

    code = ErrorCode.BAD_CREDENTIALS

    def __init__(self) -> None:
        super().__init__(_("This code is wrong, or was used before. Wait for the next one."))


def is_shown(request: HttpRequest) -> bool:
    """Whether this session may enter: its second factor was shown, or none is asked for."""
    if not settings.OPERATORS_NEED_SECOND_FACTOR:
        return True
    return getattr(request.user, "otp_device", None) is not None


def is_set_up(user: User) -> bool:
    """Whether this person has one that counts."""
    return SecondFactor.objects.filter(user=user, confirmed=True).exists()


def begin(user: User, *, now: datetime) -> SecondFactor:
    """Make a new key for somebody who has none that counts; older ones that never did are gone.

    A key that somebody else has looked at before is therefore never the one that is confirmed.
    """
    with transaction.atomic():
        SecondFactor.objects.filter(user=user, confirmed=False).delete()
        factor = SecondFactor(user=user, confirmed=False, created_at=now)
        factor.sealed_key = factor.seal_key(secrets.token_bytes(KEY_BYTES))
        factor.save(force_insert=True)
    return factor


def begun(user: User) -> SecondFactor | None:
    """What `begin` made for them and no code has confirmed yet."""
    return SecondFactor.objects.filter(user=user, confirmed=False).first()


def confirm(user: User, code: str, *, now: datetime) -> tuple[SecondFactor, list[str]]:
    """Let the key count that `begin` made, by its first code; returns the recovery codes, once.

    Raises:
        WrongCode: it is not the key's code, or nothing was begun.
        RateLimited: too often.
    """
    rate_limits.hit("secondFactor", str(user.pk))
    with transaction.atomic():
        factor = _locked(user, confirmed=False)
        step = None if factor is None else _step_of(factor, code, now)
        if factor is None or step is None:
            raise WrongCode
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        factor.confirmed, factor.last_step = True, step
        factor.recovery_digests = [_digest(each) for each in codes]
        factor.save(update_fields=["confirmed", "last_step", "recovery_digests"])
    return factor, codes


def check(user: User, code: str, *, now: datetime) -> SecondFactor:
    """Take a code of the app, or a recovery code, each of which is taken once.

    Raises:
        WrongCode: it is neither, or was taken before.
        RateLimited: too often.
    """
    rate_limits.hit("secondFactor", str(user.pk))
    with transaction.atomic():
        factor = _locked(user, confirmed=True)
        if factor is None:
            raise WrongCode
        digest = _digest(code)
        # First, as it needs no key: it lets somebody in also where the key no longer opens.
        if digest in factor.recovery_digests:
            factor.recovery_digests.remove(digest)
        elif (step := _step_of(factor, code, now)) is not None:
            factor.last_step = step
        else:
            raise WrongCode
        factor.save(update_fields=["last_step", "recovery_digests"])
    return factor


def remember(request: HttpRequest, factor: SecondFactor) -> None:
    """Let this session enter from now on, under a new name: who knew the old one stays outside."""
    django_otp.login(request, factor)
    request.session.cycle_key()


def reset(user: User) -> bool:
    """Forget somebody's second factor, and so shut all their sessions out; whether they had one."""
    deleted, _by_model = SecondFactor.objects.filter(user=user).delete()
    return bool(deleted)


def key_to_type(factor: SecondFactor) -> str:
    """The key as an authenticator app takes it by hand."""
    text = base64.b32encode(factor.open_key()).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def uri_of(factor: SecondFactor) -> str:
    """The key as a QR code carries it: the format that all authenticator apps read."""
    key = base64.b32encode(factor.open_key()).decode()
    parameters = urlencode({"secret": key, "issuer": ISSUER})
    return f"otpauth://totp/{quote(f'{ISSUER}:{factor.user.email}')}?{parameters}"


def _locked(user: User, *, confirmed: bool) -> SecondFactor | None:
    factors: list[SecondFactor] = list(
        SecondFactor.objects.select_for_update().filter(user=user, confirmed=confirmed)
    )
    return factors[0] if factors else None


def _step_of(factor: SecondFactor, code: str, now: datetime) -> int | None:
    """The time step that `code` belongs to, if it is near `now` and newer than the last."""
    present, key = int(now.timestamp()) // STEP_SECONDS, factor.open_key()
    typed = "".join(code.split())
    for step in (present + apart for apart in STEPS_APART):
        right = f"{hotp(key, step, DIGITS):0{DIGITS}}"
        if step > factor.last_step and constant_time_compare(typed, right):
            return step
    return None


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _digest(code: str) -> str:
    # 80 random bits of its own: a fast hash is enough, as for tokens.
    bare = "".join(code.split()).replace("-", "").lower()
    return hashlib.sha256(bare.encode()).hexdigest()
