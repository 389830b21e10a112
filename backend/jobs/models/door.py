"""The one door through which a status changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import pgtrigger
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backend.errors import InvalidTransition, Text
from backend.ids import new_id
from backend.jobs.errors import LostRace
from backend.jobs.models.log import StatusChange

if TYPE_CHECKING:
    from backend.accounts.models import User


def one_of(statuses: type[StrEnum]) -> Q:
    """The condition that a status is one of its enum's."""
    return Q(status__in=sorted(each.value for each in statuses))


def ends_are_final(name: str, transitions: Mapping[Any, frozenset[Any]]) -> pgtrigger.Trigger:
    """PostgreSQL's own guard of the statuses that nothing follows."""
    final = sorted(status.value for status, following in transitions.items() if not following)
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf("status"),  # type: ignore[no-untyped-call]
        condition=pgtrigger.Q(old__status__in=final, old__status__df=pgtrigger.F("new__status")),
        func="""
            RAISE EXCEPTION 'what has ended does not move again'
                USING ERRCODE = 'check_violation';
        """,
    )


class HasStatus(models.Model):
    """Base of everything with a status: it changes by compare-and-set, and leaves a log row."""

    NAME: ClassVar[Text] = _("This")
    TRANSITIONS: ClassVar[Mapping[Any, frozenset[Any]]]

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    status = models.CharField(max_length=20)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True

    @property
    def job_key(self) -> UUID:
        """The job that this is, or is part of."""
        # Each model says. Django's have a metaclass of their own, so this is no ABC.
        raise NotImplementedError

    def move_to(
        self,
        new: StrEnum,
        *,
        at: datetime,
        actor: User | None = None,
        reason: str = "",
        **fields: Any,
    ) -> None:
        """Change the status, saving `fields` and a log row in the same transaction.

        `actor` is who wanted it; `None` means a deadline, or money that has arrived.

        Raises:
            InvalidTransition: TRANSITIONS has no such move.
            LostRace: somebody changed this row first; nothing was saved.
        """
        old = self.status
        following = self.TRANSITIONS.get(old, frozenset())
        if new not in following:
            raise InvalidTransition(
                subject=self.NAME, old=old, new=new, allowed=tuple(sorted(following))
            )
        with transaction.atomic():
            self.change(at=at, status=new.value, **fields)
            StatusChange.objects.create(
                job_id=self.job_key,
                kind=str(self._meta.model_name),
                subject_id=self.id,
                old=old,
                new=new,
                actor=actor,
                reason=reason,
                at=at,
            )

    def change(self, *, at: datetime, **fields: object) -> None:
        """Save `fields`, provided that nobody has changed the status meanwhile.

        Raises:
            LostRace: somebody changed this row first; nothing was saved.
        """
        changes = {"updated_at": at, **fields, **self._counted()}
        # What was read stands in the WHERE, which makes this a compare-and-set: of two people
        # with the same copy in hand, one updates a row and the other updates none.
        if not type(self)._default_manager.filter(**self._as_read()).update(**changes):
            raise LostRace
        for name, value in changes.items():
            setattr(self, name, value)

    def _as_read(self) -> dict[str, object]:
        return {"id": self.id, "status": self.status}

    def _counted(self) -> dict[str, object]:
        return {}
