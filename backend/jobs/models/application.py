"""An application: one person's wish to do a job."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from backend.files.models import File
from backend.jobs.lifecycle.application import TRANSITIONS
from backend.jobs.models.door import HasStatus, one_of
from backend.jobs.models.job import Job
from backend.jobs.status import ApplicationStatus


class Application(HasStatus):
    """One person's wish to do a job, with the wallet their pay would go to.

    The wallet is also kept as it was on the day of applying: what a worker was promised does
    not change when they edit their wallets.
    """

    NAME = _("The application")
    TRANSITIONS = TRANSITIONS

    job = models.ForeignKey(
        Job, on_delete=models.PROTECT, related_name="applications", db_index=False
    )
    applicant = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="applications"
    )
    note = models.TextField(blank=True)
    attachments = models.ManyToManyField(File, related_name="+")
    payout_wallet = models.ForeignKey(
        "accounts.WalletAddress", on_delete=models.PROTECT, related_name="+"
    )
    payout_url = models.CharField(max_length=2048)
    payout_asset_code = models.CharField(max_length=16)
    payout_asset_scale = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=20, default=ApplicationStatus.PENDING.value)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["job", "applicant"], name="application_one_per_person_and_job"
            ),
            models.CheckConstraint(
                condition=one_of(ApplicationStatus), name="application_status_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["job", "status"], name="application_by_job_and_status"),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="application_not_by_owner",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM jobs_job WHERE id = NEW.job_id AND owner_id = NEW.applicant_id
                    ) THEN
                        RAISE EXCEPTION 'nobody applies to a job of their own'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # At the commit: who replaces one worker by another may name them in any order.
            pgtrigger.Trigger(
                name="application_selected_within_workers",
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("status"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(new__status=ApplicationStatus.SELECTED.value),
                func="""
                    PERFORM 1 FROM jobs_job WHERE id = NEW.job_id FOR UPDATE;
                    IF (
                        SELECT COUNT(*) FROM jobs_application
                        WHERE job_id = NEW.job_id AND status = 'SELECTED'
                    ) > (SELECT workers_needed FROM jobs_job WHERE id = NEW.job_id) THEN
                        RAISE EXCEPTION 'more are selected than the job needs workers'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.applicant_id} for {self.job_id} ({self.status})"

    @property
    def job_key(self) -> UUID:
        return self.job_id
