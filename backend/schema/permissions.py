"""Who may see what: one rule per object type, in one place, as a queryset.

A type either has rows of its own, and then its rule says which of them a viewer may see, or it
is part of something else and seen exactly when that is seen. What a rule leaves out does not
exist for that viewer. A test walks the schema and fails on a type without a rule.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.db.models import QuerySet

from backend.accounts.models import User

Visible = Callable[[User | None], QuerySet[Any]]
T = TypeVar("T", bound=type)


class _WithParent:
    """The rule of a part: no rule of its own."""


WITH_PARENT: Final = _WithParent()
RULES: dict[str, Visible | _WithParent] = {}


def rule(visible: Visible | _WithParent) -> Callable[[T], T]:
    """Give a GraphQL type its rule: `visible_to(viewer) -> QuerySet`, or WITH_PARENT."""

    def register(cls: T) -> T:
        name = cls.__strawberry_definition__.name  # type: ignore[attr-defined]
        assert name not in RULES, f"{name} has two rules"
        RULES[name] = visible
        return cls

    return register


def visible_rows(type_name: str, viewer: User | None) -> QuerySet[Any]:
    """The rows behind `type_name` that `viewer` may see.

    Raises:
        LookupError: the type has no rows of its own.
    """
    visible = RULES.get(type_name)
    if visible is None or isinstance(visible, _WithParent):
        raise LookupError(type_name)
    return visible(viewer)
