"""Which jobs and applications a person may see; what is not here does not exist for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from backend.accounts.models import User
from backend.jobs import validation
from backend.jobs.models import Application, Job
from backend.jobs.status import DeliverableType, JobStatus
from backend.languages import language_tag
from backend.open_payments.types import Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSearch:
    """What somebody looks for; each field narrows, and its default does not.

    `language_tag` finds its regions too: `es` finds `es-MX`. `reward_min` finds jobs in the same
    asset only: amounts of two assets cannot be compared.
    """

    statuses: Sequence[JobStatus] | None = None
    language_tag: str | None = None
    deliverable: DeliverableType | None = None
    text: str | None = None
    reward_min: Amount | None = None
    mine: bool = False
    hide_applied: bool = False


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


def search_jobs(*, user: User | None, search: JobSearch) -> QuerySet[Job]:
    """The jobs `user` may see that fit `search`.

    Raises:
        ValidationFailed: the language is not a tag, or the text is unusable.
    """
    jobs = jobs_visible_to(user)
    if search.statuses is not None:
        jobs = jobs.filter(status__in=sorted(set(search.statuses)))
    if tag := language_tag(search.language_tag):
        jobs = jobs.filter(Q(language_tag=tag) | Q(language_tag__startswith=f"{tag}-"))
    if search.deliverable is not None:
        # SQLite cannot look into JSON lists; as text both databases write them alike.
        jobs = jobs.alias(kinds=Cast("deliverables", TextField())).filter(
            kinds__contains=f'"{search.deliverable.value}"'
        )
    if words := validation.text(search.text, most=validation.LONGEST_TITLE, path="text"):
        jobs = jobs.filter(Q(title__icontains=words) | Q(description__icontains=words))
    if (least := search.reward_min) is not None:
        jobs = jobs.filter(
            asset_code=least.asset_code,
            asset_scale=least.asset_scale,
            reward_value__gte=least.value,
        )
    if search.mine:
        jobs = jobs.filter(owner=user) if user else jobs.none()
    if search.hide_applied and user:
        mine = Application.objects.filter(job=OuterRef("pk"), applicant=user)
        jobs = jobs.filter(~Exists(mine))
    return jobs


def jobs_applied_to(*, user: User, job_ids: Sequence[UUID]) -> set[UUID]:
    """Those of `job_ids` that `user` has applied to, however that ended."""
    mine = Application.objects.filter(applicant=user, job_id__in=job_ids)
    return set(mine.values_list("job_id", flat=True))
