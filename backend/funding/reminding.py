"""Telling payers in time that a consent ends while workers still rely on it."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from backend.events import emit
from backend.funding.allocating import is_needed
from backend.funding.models import Funding
from backend.funding.paying import paying_grant
from backend.funding.status import LIVE
from backend.jobs.models import Job
from backend.jobs.models.deadlines import REMINDED_BEFORE, reminders_of
from backend.payments.models import HeldGrant
from backend.payments.status import GrantScope, HeldGrantStatus

log = logging.getLogger(__name__)

# Two reminders of one consent are further apart.
NOT_AGAIN_WITHIN = timedelta(hours=24)


def remind_of_consents(*, now: datetime) -> int:
    """Tell payers 72 and 24 hours before the consent behind a funding ends, if it is needed still.

    Returns how many were told. Safe to repeat and to run at once; a late run tells once. What fails
    is logged, and tried again by the next run.
    """
    ending = HeldGrant.objects.filter(
        scope=GrantScope.POOLED,
        status=HeldGrantStatus.HELD,
        ends_at__gt=now,
        ends_at__lte=now + max(REMINDED_BEFORE),
    )
    fundings = Funding.objects.filter(id__in=ending.values("reference"), status__in=sorted(LIVE))
    untold = fundings.exclude(consent_reminded_at__gt=now - NOT_AGAIN_WITHIN).order_by("id")
    told = 0
    for job_id, funding_id in list(untold.values_list("job_id", "id")):
        try:
            told += _remind(job_id, funding_id, now=now)
        except (InterfaceError, OperationalError):
            raise  # the database is away, for all of them
        except Exception:
            log.exception("the payer of funding %s could not be reminded", funding_id)
    return told


def _remind(job_id: UUID, funding_id: UUID, *, now: datetime) -> bool:
    with transaction.atomic():
        # What moves a funding or its consent has this lock, as has whoever else reminds.
        Job.objects.select_for_update().get(id=job_id)
        funding = Funding.objects.get(id=funding_id)
        ends_at = _end_of_consent(funding, now=now)
        if ends_at is None:
            return False
        Funding.objects.filter(id=funding_id).update(consent_reminded_at=now)
        emit(
            topic=f"user:{funding.payer_id}",
            type="funding.consent_reminder",
            payload={
                "status": str(funding.status),
                "job": str(job_id),
                "ends_at": ends_at.isoformat(),
            },
            at=now,
            subject_id=funding_id,
        )
    return True


def _end_of_consent(funding: Funding, *, now: datetime) -> datetime | None:
    """When it ends, where its payer is to be told of that now."""
    grant = paying_grant(funding, at=now)
    if funding.status not in LIVE or grant is None or not is_needed(funding):
        return None
    passed = [at for at in reminders_of(grant.ends_at) if grant.starts_at < at <= now]
    told = funding.consent_reminded_at
    return grant.ends_at if passed and (told is None or told < max(passed)) else None
