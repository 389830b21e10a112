"""Which files a person may see: their own, and those of what they may see.

Files know nothing of jobs. A domain that attaches files says who sees them by registering a
function, once, in its AppConfig.ready():

    def is_reference(viewer: User | None) -> Q:
        shown = Reference.objects.filter(file=OuterRef("pk"), job__in=jobs_visible_to(viewer))
        return Q(Exists(shown))

    register_visibility(is_reference)

The function returns a condition on files. `viewer` is None for a visitor.
"""

from collections.abc import Callable

from django.db.models import Q, QuerySet

from backend.accounts.models import User
from backend.files.models import File

Condition = Callable[[User | None], Q]
_registered: list[Condition] = []


def register_visibility(condition: Condition) -> None:
    """Let viewers see the files that `condition(viewer)` is true of. Safe to repeat."""
    if condition not in _registered:
        _registered.append(condition)


def files_visible_to(user: User | None) -> QuerySet[File]:
    """The files of `user`, and those attached to what `user` may see."""
    visible = Q(owner=user) if user is not None else Q(pk__in=())
    for condition in _registered:
        visible |= condition(user)
    return File.objects.filter(visible)
