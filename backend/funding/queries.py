"""What may be read of fundings, and by whom."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from backend.accounts.models import User
from backend.funding.models import Funding
from backend.funding.status import FundingAssurance, FundingStatus


def fundings_visible_to(user: User | None) -> QuerySet[Funding]:
    """The fundings that `user` pays or whose job is theirs; operators see all."""
    fundings = Funding.objects.select_related("job", "seller")
    if user is None or not user.is_authenticated:
        return fundings.none()
    if user.is_staff:
        return fundings
    return fundings.filter(Q(payer=user) | Q(job__owner=user))


def assurance_of(job_ids: Iterable[UUID]) -> dict[UUID, FundingAssurance]:
    """What workers may rely on, per job, in one query."""
    wanted = list(job_ids)
    settled = Funding.objects.filter(job_id__in=wanted, status=FundingStatus.SETTLED)
    paid = set(settled.values_list("job_id", flat=True))
    return {
        job_id: FundingAssurance.PAID if job_id in paid else FundingAssurance.NONE
        for job_id in wanted
    }
