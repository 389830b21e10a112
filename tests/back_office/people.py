"""Operators, and what their authenticator apps show."""

from datetime import datetime

from django_otp.oath import hotp

from backend.accounts.models import User
from backend.back_office import second_factor
from backend.back_office.models import SecondFactor
from backend.ids import new_id

PASSWORD = "a long enough password"


def an_operator(name: str = "op") -> User:
    return User.objects.create_superuser(
        f"{name}-{new_id()}@example.org", PASSWORD, display_name=name
    )


def code_of(factor: SecondFactor, at: datetime) -> str:
    """What the app shows at this moment."""
    return f"{hotp(factor.open_key(), int(at.timestamp()) // second_factor.STEP_SECONDS):06}"
