"""People for tests, and the ways they sign up and log in."""

from dataclasses import dataclass
from datetime import UTC, datetime

from backend.accounts import services
from backend.accounts.models import User
from backend.ids import new_id

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
ADDRESS = "198.51.100.7"


@dataclass(frozen=True)
class Form:
    """What a client sends to sign up."""

    email: str = "ana@example.com"
    password: str = PASSWORD
    display_name: str = "Ana"
    locale: str = "es"
    remote_address: str = ADDRESS

    def send(self, *, now: datetime = NOON) -> services.Session:
        return services.sign_up(
            email=self.email,
            password=self.password,
            display_name=self.display_name,
            locale=self.locale,
            remote_address=self.remote_address,
            now=now,
        )


def log_in(
    email: str = "ana@example.com",
    password: str = PASSWORD,
    *,
    remote_address: str = ADDRESS,
    now: datetime = NOON,
) -> services.Session:
    return services.log_in(
        email=email,
        password=password,
        device_name="phone",
        remote_address=remote_address,
        now=now,
    )


def a_person(name: str = "somebody") -> User:
    return User.objects.create(
        email=f"{name}-{new_id().hex}@example.com", display_name=name, created_at=NOON
    )
