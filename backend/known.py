"""What this code does with a status that it has never heard of: it leaves the row alone.

A newer release wrote it: during an upgrade old and new processes run at once, and an upgrade may be
taken back.
"""

from collections.abc import Iterable
from enum import Enum
from typing import TypeVar

from django.db.models import Q

E = TypeVar("E", bound=Enum)


def is_known(statuses: Iterable[str]) -> Q:
    """Rows whose status is one of `statuses`: those that may be claimed, moved or ended."""
    return Q(status__in=sorted(statuses))


def as_known(value: str, *, otherwise: E) -> E:
    """`value` as the enum that `otherwise` is of; `otherwise` where that has no such value.

    For showing only. `otherwise` is what promises least: nothing is over, and nothing is paid.
    """
    try:
        return type(otherwise)(value)
    except ValueError:
        return otherwise
