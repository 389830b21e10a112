"""Reading the environment: every value may also come from a file named by NAME_FILE."""

import os
from pathlib import Path

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
