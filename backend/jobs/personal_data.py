"""What jobs keep of people: what they offered, applied to, handed in and argued about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User
from backend.accounts.personal import (
    ERASED,
    KEPT,
    Hindrance,
    PersonalData,
    by_page,
    hindrance,
    kept_wallets_of,
)
from backend.jobs.changes import changing
from backend.jobs.lifecycle.dispute import TRANSITIONS as DISPUTE_TRANSITIONS
from backend.jobs.lifecycle.job import FINAL
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.jobs.status import ApplicationStatus, JobStatus

_OVER = sorted(FINAL)
_NOT_OFFERED = sorted({JobStatus.DRAFT, *FINAL})
_SETTLED = sorted(status for status, following in DISPUTE_TRANSITIONS.items() if not following)
_BEFORE_WORK = (JobStatus.RECRUITING.value, JobStatus.SELECTING.value)


class DataOfJobs(PersonalData):
    """Jobs, applications, work and disputes.

    What only described its author goes. What another person was selected for, was paid for or has
    paid for stays, since it is their evidence as well; its author is an id then.
    """

    relations: ClassVar[Mapping[str, str]] = {
        "jobs.Job.owner": f"{ERASED}: its texts and files, or {KEPT}somebody was selected for it",
        "jobs.Application.applicant": f"{ERASED}: note, files and an address without money",
        "jobs.Submission.worker": f"{ERASED}: texts and files, or {KEPT}accepted or disputed work",
        "jobs.Submission.decided_by": f"{KEPT}who decided about another's work, by id",
        "jobs.Dispute.resolved_by": f"{KEPT}who decided about another's pay, by id",
        "jobs.StatusChange.actor": f"{KEPT}the log is written once; it names people by id",
    }

    def hindrances(self, person: User) -> Iterable[Hindrance]:
        parties = Q(submission__worker=person) | Q(submission__job__owner=person)
        chosen = Application.objects.filter(
            applicant=person, status=ApplicationStatus.SELECTED.value
        )
        return [
            *hindrance(
                "JOB_OPEN",
                _("Jobs of theirs are not over: {count}. They complete or cancel them."),
                Job.objects.filter(owner=person).exclude(status__in=_NOT_OFFERED),
            ),
            *hindrance(
                "WORK_OPEN",
                _(
                    "They are selected for jobs that are not over: {count}. They withdraw before "
                    "the work begins, or hand it in and have it decided."
                ),
                chosen.exclude(job__status__in=_OVER),
            ),
            *hindrance(
                "DISPUTE_OPEN",
                _("Disputes of theirs are open: {count}. Have them resolved or withdrawn."),
                Dispute.objects.filter(parties).exclude(status__in=_SETTLED),
            ),
        ]

    def erase(self, person: User, *, now: datetime) -> None:
        _leave_what_is_open(person, now=now)
        _forget_jobs(person)
        _forget_applications(person)
        _forget_work(person)

    def export(self, person: User) -> Mapping[str, object]:
        jobs = Job.objects.filter(owner=person).prefetch_related("references")
        applications = Application.objects.filter(applicant=person)
        work = Submission.objects.filter(worker=person).select_related("job")
        disputes = Dispute.objects.filter(submission__worker=person)
        return {
            "jobs": (_job(each) for each in by_page(jobs)),
            "applications": (
                _application(each) for each in by_page(applications.prefetch_related("attachments"))
            ),
            "submissions": (_submission(each) for each in by_page(work.prefetch_related("files"))),
            "disputes": (
                {"submission": each.submission_id, "status": each.status, "reason": each.reason}
                for each in by_page(disputes)
            ),
        }


def _leave_what_is_open(person: User, *, now: datetime) -> None:
    """Cancel drafts, and withdraw from jobs that can still select `person`."""
    drafts = Job.objects.filter(owner=person, status=JobStatus.DRAFT.value)
    waiting = Application.objects.filter(
        applicant=person,
        job__status__in=_BEFORE_WORK,
        status__in=[ApplicationStatus.PENDING.value, ApplicationStatus.REJECTED.value],
    )
    # As every change of this domain: the rows of the jobs first.
    locked = Job.objects.select_for_update().filter(
        Q(pk__in=drafts.values("pk")) | Q(pk__in=waiting.values("job"))
    )
    list(locked.order_by("pk"))
    with changing(at=now, actor=person) as change:
        for draft in drafts:
            change.move(draft, JobStatus.CANCELED, due_at=None)
        for application in waiting.select_related("job"):
            # Who was rejected can still be selected after all.
            if application.status == ApplicationStatus.REJECTED:
                change.move(application, ApplicationStatus.PENDING)
            change.move(application, ApplicationStatus.WITHDRAWN)


def _forget_jobs(person: User) -> None:
    """Empty the jobs for which nobody is selected; from all, take the voice that reads a title."""
    chosen = Application.objects.filter(job=OuterRef("pk"), status=ApplicationStatus.SELECTED.value)
    mine = Job.objects.filter(owner=person)
    mine.update(title_audio=None)
    alone = mine.filter(~Exists(chosen)).exclude(status=JobStatus.COMPLETE.value)
    Job.references.through.objects.filter(job__in=alone).delete()
    alone.update(title="", description="", dialect="", listed=False)


def _forget_applications(person: User) -> None:
    mine = Application.objects.filter(applicant=person)
    Application.attachments.through.objects.filter(application__in=mine).delete()
    mine.update(note="")
    mine.exclude(payout_wallet__in=kept_wallets_of(person)).update(payout_url="")


def _forget_work(person: User) -> None:
    """Empty what nothing was paid for and nobody argued about."""
    mine = Submission.objects.filter(worker=person, accepted_value=0, dispute=None)
    Submission.files.through.objects.filter(submission__in=mine).delete()
    mine.update(note="", text="", links=[])


def _job(row: Job) -> dict[str, object]:
    return {
        "id": row.pk,
        "title": row.title,
        "description": row.description,
        "languageTag": row.language_tag,
        "dialect": row.dialect,
        "status": row.status,
        "reward": row.reward.to_json(),
        "workersNeeded": row.workers_needed,
        "references": [each.name for each in row.references.all()],
        "createdAt": row.created_at,
    }


def _application(row: Application) -> dict[str, object]:
    return {
        "id": row.pk,
        "job": row.job_id,
        "status": row.status,
        "note": row.note,
        "attachments": [each.name for each in row.attachments.all()],
        "payoutWallet": row.payout_url,
        "createdAt": row.created_at,
    }


def _submission(row: Submission) -> dict[str, object]:
    return {
        "id": row.pk,
        "job": row.job_id,
        "revision": row.revision,
        "status": row.status,
        "note": row.note,
        "text": row.text,
        "links": row.links,
        "files": [each.name for each in row.files.all()],
        "accepted": row.job.amount(row.accepted_value).to_json(),
        "comment": row.comment,
        "submittedAt": row.submitted_at,
    }
