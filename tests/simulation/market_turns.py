"""What people do beside funding, working and deciding: they change their minds, and disagree.

Each decides by the market's own randomness, and may be refused like anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from backend.funding.status import FundingMode
from backend.funding.treasury import revoke_treasury_grant
from backend.ids import new_id
from backend.jobs import disputes, recruiting, review
from backend.jobs.models import Dispute, Submission
from backend.jobs.status import ApplicationStatus, DisputeStatus, SubmissionStatus
from backend.payments.models import HeldGrant
from backend.payments.status import HeldGrantStatus

if TYPE_CHECKING:
    from tests.simulation.market import Market

LIMITS = (1_000, 10_000_000)


def the_selection_changes(market: Market) -> None:
    """Let somebody selected go, who may be selected again; even while the payer is asked."""
    application = market.rng.choice(market.applications)
    application.refresh_from_db()
    chosen: dict[str, list[UUID]] = {"select": [], "reset": []}
    if application.status == ApplicationStatus.PENDING:
        chosen["select"] = [application.id]
    elif market.calm:
        return
    elif market.rng.random() < 0.2:
        recruiting.withdraw_application(
            user=application.applicant, application_id=application.id, now=market.now
        )
        return
    else:
        chosen["reset"] = [application.id]
    recruiting.decide_applications(
        user=market.payer, job_id=market.job.id, now=market.now, **chosen
    )


def people_disagree(market: Market) -> None:
    """Begin a dispute about a decision, or take the next step of one; or take it as it is."""
    open_now = Dispute.objects.filter(submission__job=market.job).exclude(
        status__in=[DisputeStatus.RESOLVED, DisputeStatus.WITHDRAWN]
    )
    dispute = open_now.select_related("submission__worker").order_by("id").first()
    if dispute is None:
        return _answer_a_decision(market)
    worker, gives_in = dispute.submission.worker, market.rng.random() < 0.2
    if dispute.status == DisputeStatus.ESCALATED:
        share = market.rng.choice([0, dispute.amount_value // 3, dispute.amount_value])
        disputes.resolve_dispute(
            user=market.operator,
            dispute_id=dispute.id,
            worker_share=market.job.amount(share),
            payer_share=market.job.amount(dispute.amount_value - share),
            note="So be it.",
            idempotency_key=new_id(),
            now=market.now,
        )
    elif gives_in:
        disputes.withdraw_dispute(user=worker, dispute_id=dispute.id, now=market.now)
    elif dispute.status == DisputeStatus.OPEN:
        disputes.respond_to_dispute(
            user=market.payer, dispute_id=dispute.id, response="No.", now=market.now
        )
    else:
        disputes.escalate_dispute(user=worker, dispute_id=dispute.id, now=market.now)


def _answer_a_decision(market: Market) -> None:
    decided = Submission.objects.filter(
        job=market.job,
        superseded_at=None,
        status__in=[SubmissionStatus.ACCEPTED, SubmissionStatus.REJECTED],
        dispute_until__gt=market.now,
    )
    submission = decided.select_related("worker").order_by("id").first()
    if submission is None:
        return
    if market.rng.random() < 0.3:
        review.acknowledge_decision(
            user=submission.worker, submission_id=submission.id, now=market.now
        )
    elif not market.calm:
        disputes.open_dispute(
            user=submission.worker, submission_id=submission.id, reason="No.", now=market.now
        )


def the_operator_changes_the_treasury(market: Market) -> None:
    """Give a consent of the treasury back, or ask for another one, large or small."""
    if market.mode is not FundingMode.ESCROW:
        return
    held = HeldGrant.objects.filter(payer=market.operator, status=HeldGrantStatus.HELD)
    if market.calm or not held.exists():
        market.ask_the_operator()
    elif market.rng.random() < 0.5:
        market.ask_the_operator(market.rng.choice(LIMITS))
    else:
        grant = market.rng.choice(list(held.order_by("id")))
        revoke_treasury_grant(user=market.operator, grant_id=grant.id, now=market.now)
