"""Reading the environment: every value may also come from a file named by NAME_FILE."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """The value of NAME, or the contents of the file NAME_FILE points to, without outer blanks.

    Set but empty counts as unset, as compose files pass what nobody filled in.

    Raises:
        ImproperlyConfigured: NAME_FILE names a file that cannot be read.
    """
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {path} cannot be read.") from error
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool = False) -> bool:
    """1, true, yes and on mean yes; an unset or empty NAME means `default`."""
    value = text(name).lower()
    return value in {"1", "true", "yes", "on"} if value else default


def number(name: str, default: float) -> float:
    """NAME as a number.

    Raises:
        ImproperlyConfigured: it is not a number.
    """
    value = text(name)
    try:
        return float(value) if value else default
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a number, not {value!r}.") from error


def items(name: str) -> list[str]:
    """NAME as a list: split at commas and white space, empty parts dropped."""
    return text(name).replace(",", " ").split()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """What takes mails, in the words of Django's EMAIL_ settings."""

    backend: str
    host: str = "localhost"
    port: int = 25
    user: str = ""
    password: str = ""
    starts_tls: bool = False
    is_tls: bool = False


_MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def mail_server(name: str, url: str) -> MailServer:
    """What a URL stands for: smtp://, smtp+tls:// (STARTTLS) or smtps://, or `console:`.

    An empty one is nothing at all: what is sent goes nowhere.

    Raises:
        ImproperlyConfigured: it is another URL. The message does not repeat it: it has a password.
    """
    if not url:
        return MailServer(backend="django.core.mail.backends.dummy.EmailBackend")
    if url == "console:":
        return MailServer(backend="backend.notifications.console.EmailBackend")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _MAIL_PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"{name} is no URL of a mail server.") from error
    if not host:
        raise ImproperlyConfigured(f"{name} names no host.")
    return MailServer(
        backend="django.core.mail.backends.smtp.EmailBackend",
        host=host,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starts_tls=parts.scheme == "smtp+tls",
        is_tls=parts.scheme == "smtps",
    )
