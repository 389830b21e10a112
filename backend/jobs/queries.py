"""Which jobs, and parts of them, a person may see; what is not here does not exist for them."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from backend.accounts.models import User
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.jobs.status import JobStatus, SubmissionStatus


def jobs_visible_to(user: User | None) -> QuerySet[Job]:
    """Every published job, and the drafts of `user`; `None` is a visitor without drafts.

    A job that is not listed is its owner's alone, as a draft is. Operators and auditors see all.
    """
    published = ~Q(status=JobStatus.DRAFT) & Q(listed=True)
    if user is None:
        return Job.objects.filter(published)
    if user.sees_everything:
        return Job.objects.all()
    return Job.objects.filter(published | Q(owner=user))


def applications_visible_to(user: User | None) -> QuerySet[Application]:
    """The applications of `user` and those to the jobs of `user`.

    Operators and auditors see all.
    """
    if user is None:
        return Application.objects.none()
    if user.sees_everything:
        return Application.objects.all()
    return Application.objects.filter(Q(applicant=user) | Q(job__owner=user))


def submissions_visible_to(user: User | None) -> QuerySet[Submission]:
    """The work of `user`, and what was handed in for the jobs of `user`.

    Operators and auditors see all that was handed in. A draft is only its worker's.
    """
    if user is None:
        return Submission.objects.none()
    handed_in = ~Q(status=SubmissionStatus.DRAFT)
    if user.sees_everything:
        return Submission.objects.filter(handed_in | Q(worker=user))
    return Submission.objects.filter(Q(worker=user) | Q(job__owner=user) & handed_in)


def disputes_visible_to(user: User | None) -> QuerySet[Dispute]:
    """The disputes that `user` is a party to; operators and auditors see all."""
    disputes = Dispute.objects.select_related("submission__job")
    if user is None:
        return disputes.none()
    if user.sees_everything:
        return disputes
    return disputes.filter(Q(submission__worker=user) | Q(submission__job__owner=user))


def is_file_of_visible_job(viewer: User | None) -> Q:
    """The files that hang on jobs `viewer` may see, and on what is part of them."""
    jobs = jobs_visible_to(viewer)
    disputes = disputes_visible_to(viewer)
    holders: tuple[tuple[Any, dict[str, object]], ...] = (
        (Job.references, {"job__in": jobs}),
        (Application.attachments, {"application__in": applications_visible_to(viewer)}),
        (Submission.files, {"submission__in": submissions_visible_to(viewer)}),
        (Dispute.evidence, {"dispute__in": disputes}),
        (Dispute.response_evidence, {"dispute__in": disputes}),
    )
    seen = Q(Exists(jobs.filter(title_audio=OuterRef("pk"))))
    for relation, visible in holders:
        # Correlated, so that looking at one file looks at its own links only.
        seen |= Q(Exists(relation.through.objects.filter(file=OuterRef("pk"), **visible)))
    return seen
