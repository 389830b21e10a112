"""Which jobs and applications a person may see; what is not here does not exist for them."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from backend.accounts.models import User
from backend.jobs.models import Application, Job
from backend.jobs.status import JobStatus


def jobs_visible_to(user: User | None) -> QuerySet[Job]:
    """Every published job, and the drafts of `user`; `None` is a visitor without drafts."""
    published = ~Q(status=JobStatus.DRAFT)
    if user is None:
        return Job.objects.filter(published)
    return Job.objects.filter(published | Q(owner=user))


def applications_visible_to(user: User | None) -> QuerySet[Application]:
    """The applications of `user` and those to the jobs of `user`; none for a visitor."""
    if user is None:
        return Application.objects.none()
    return Application.objects.filter(Q(applicant=user) | Q(job__owner=user))


def jobs_applied_to(*, user: User, job_ids: Sequence[UUID]) -> set[UUID]:
    """Those of `job_ids` that `user` has applied to, however that ended."""
    mine = Application.objects.filter(applicant=user, job_id__in=job_ids)
    return set(mine.values_list("job_id", flat=True))
