"""What is promised for an application and paid for a submission; read together for a whole page."""

from uuid import UUID

from django.db.models import OuterRef, Subquery, UUIDField

from backend.accounts.models import User
from backend.funding import queries
from backend.funding.models import Allocation as AllocationRow
from backend.funding.models import Payable
from backend.funding.status import ALLOCATED
from backend.payments.models import Payment as PaymentRow
from backend.payments.queries import payments_visible_to
from backend.payments.status import PaymentPurpose
from backend.schema.connections import newest_of_each
from backend.schema.context import Info
from backend.schema.funding import Allocation
from backend.schema.payments import Payment

# What one submission shows: whoever tries a payment again makes another one each time.
MOST_PAYOUTS = 20


async def allocations_of_application(info: Info, key: UUID) -> list[Allocation]:
    """The promises to an applicant that the viewer may see, oldest first."""
    return [Allocation.from_model(row) for row in await _allocations(info, key)]


async def allocation_of_application(info: Info, key: UUID) -> Allocation | None:
    """The newest of them that stands, or else the newest."""
    rows = await _allocations(info, key)
    standing = [row for row in rows if row.status in ALLOCATED]
    newest = (standing or rows)[-1:]
    return Allocation.from_model(newest[0]) if newest else None


async def _allocations(info: Info, key: UUID) -> list[AllocationRow]:
    viewer = await info.context.viewer()

    def load(keys: list[UUID]) -> dict[UUID, list[AllocationRow]]:
        found: dict[UUID, list[AllocationRow]] = {}
        rows = queries.allocations_visible_to(viewer).filter(application_id__in=keys)
        for row in rows.order_by("id"):
            found.setdefault(row.application_id, []).append(row)
        return found

    loader = info.context.loader("allocations of an application", lambda: load)
    return await loader.load(key) or []


async def payouts_of_submission(info: Info, key: UUID) -> list[Payment]:
    """The newest payments for a submission that the viewer may see, oldest first."""
    viewer = await info.context.viewer()

    def load(keys: list[UUID]) -> dict[UUID, list[PaymentRow]]:
        found: dict[UUID, list[PaymentRow]] = {}
        for row in _payouts(keys, viewer):
            found.setdefault(row.submission_id, []).append(row)  # type: ignore[attr-defined]
        return found

    loader = info.context.loader("payouts of a submission", lambda: load)
    return [Payment.from_model(row) for row in await loader.load(key) or []]


def _payouts(submission_ids: list[UUID], viewer: User | None) -> list[PaymentRow]:
    owed = Payable.objects.filter(purpose=PaymentPurpose.PAYOUT)
    made_for = owed.filter(submission_id__in=submission_ids).values("id")
    whose = Subquery(
        owed.filter(id=OuterRef("reference")).values("submission_id"), output_field=UUIDField()
    )
    rows = payments_visible_to(viewer).filter(reference__in=made_for).annotate(submission_id=whose)
    newest = newest_of_each(rows, parent_field="submission_id", most=MOST_PAYOUTS)
    return list(newest.order_by("id"))
