"""One transaction of this domain: what changes in it, and what the world hears of it.

Every change takes the row lock of its job first, so that limits are counted by one writer at a
time: on PostgreSQL by SELECT … FOR UPDATE, on SQLite because BEGIN IMMEDIATE lets only one
writer in. Events are written at the very end, in the order of their topics: a topic stays locked
until the commit, and two writers who took them in different orders could wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from backend.errors import NotFound
from backend.events import emit
from backend.jobs.lifecycle.job import FINAL
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.jobs.models.door import HasStatus
from backend.jobs.queries import jobs_visible_to
from backend.jobs.signals import job_moved, no_longer_selected
from backend.jobs.status import ApplicationStatus

if TYPE_CHECKING:
    from backend.accounts.models import User


@dataclass(frozen=True, slots=True)
class _Event:
    topic: str
    type: str
    subject_id: UUID
    payload: Mapping[str, object]


@dataclass(slots=True)
class Change:
    """Who changes something, when, and the events that will say so."""

    at: datetime
    actor: User | None
    _events: list[_Event] = field(default_factory=list)

    def move(self, row: HasStatus, new: StrEnum, *, reason: str = "", **fields: Any) -> None:
        """Change the status of `row` by its door, and tell those whom it concerns.

        Raises:
            InvalidTransition, LostRace: see `HasStatus.move_to`.
        """
        old = str(row.status)
        row.move_to(new, at=self.at, actor=self.actor, reason=reason, **fields)
        payload = {"status": new.value, "previous": old, "job": str(row.job_key)}
        if isinstance(row, Job):
            self.tell(f"job:{row.id}", "job.status", row, {"status": new.value, "previous": old})
            job_moved.send(sender=Job, job=row, old=old, at=self.at, tell=self.tell)
        elif isinstance(row, Application) and old == ApplicationStatus.SELECTED:
            no_longer_selected.send(sender=Application, application=row, at=self.at)
        self.tell_people(row, f"{row._meta.model_name}.status", payload)

    def tell_of_terms(self, job: Job, type: str, payload: Mapping[str, object]) -> None:
        """Say in the feeds of a job and of its people that it is another one in the same status."""
        payload = {"status": str(job.status), **payload}
        self.tell(f"job:{job.id}", type, job, payload)
        self.tell_people(job, type, {**payload, "job": str(job.id)})

    def tell_people(self, row: HasStatus, type: str, payload: Mapping[str, object]) -> None:
        """Put an event into the feeds of all people whom `row` concerns."""
        for user_id in _concerned(row):
            self.tell(f"user:{user_id}", type, row, payload)

    def tell(self, topic: str, type: str, row: Model, payload: Mapping[str, object]) -> None:
        """Put an event into one feed."""
        self._events.append(_Event(topic, type, row.pk, payload))

    def emit(self) -> None:
        # Stable: within a topic the order is the order of the changes.
        for event in sorted(self._events, key=lambda event: event.topic):
            emit(
                topic=event.topic,
                type=event.type,
                payload=event.payload,
                at=self.at,
                actor=self.actor,
                subject_id=event.subject_id,
            )


@contextmanager
def changing(*, at: datetime, actor: User | None = None) -> Iterator[Change]:
    """A transaction with its events; `actor` `None` means time, or money that has arrived."""
    with transaction.atomic():
        change = Change(at, actor)
        yield change
        change.emit()


def lock_job(*, user: User, job_id: UUID, path: tuple[str, ...] = ("jobId",)) -> Job:
    """The job for writing, locked until the transaction ends.

    Raises:
        NotFound: there is no such job for `user`.
    """
    # Only the job's own row: the lock must not spread to what its visibility joins.
    job = jobs_visible_to(user).select_for_update(of=("self",)).filter(id=job_id).first()
    if job is None:
        raise NotFound(_("There is no such job."), path=path)
    return job


def _concerned(row: HasStatus) -> list[UUID]:
    if isinstance(row, Job):
        concerned = {ApplicationStatus.SELECTED}
        if row.status in FINAL:
            # Their application will not be decided any more: nothing else would tell them.
            concerned.add(ApplicationStatus.PENDING)
        applicants = row.applications.filter(status__in=sorted(concerned))
        return [row.owner_id, *applicants.values_list("applicant_id", flat=True)]
    if isinstance(row, Application):
        return [row.applicant_id, row.job.owner_id]
    if isinstance(row, Submission):
        return [row.worker_id, row.job.owner_id]
    assert isinstance(row, Dispute)
    return [row.submission.worker_id, row.submission.job.owner_id]
