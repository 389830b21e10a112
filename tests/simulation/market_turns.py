"""What people do in a market: they fund, work, decide, repair, end, change their minds, disagree.

Each turn decides by the market's own randomness, and may be refused like anything that people do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q, QuerySet

from backend.errors import ErrorCode
from backend.funding import returning
from backend.funding.elsewhere import NotThere, pay_elsewhere
from backend.funding.models import Funding, Payable
from backend.funding.queries import last_failure
from backend.funding.settling import waive_fee
from backend.funding.status import UNPAID, FundingMode, FundingStatus, PayableStatus
from backend.funding.treasury import revoke_treasury_grant
from backend.funding.writing_off import CannotBeWrittenOff, write_off
from backend.ids import new_id
from backend.jobs import disputes, endings, posting, recruiting, review
from backend.jobs.clock import pass_time
from backend.jobs.models import Dispute, Job, Submission
from backend.jobs.status import (
    ApplicationStatus,
    DisputeStatus,
    JobStatus,
    ReviewDecision,
    SubmissionStatus,
)
from backend.payments.models import HeldGrant, Payment
from backend.payments.status import HeldGrantStatus, PaymentPurpose, PaymentStatus
from tests.simulation.questions import DUST, UNPAYABLE

if TYPE_CHECKING:
    from tests.simulation.market import Market

BEFORE_WORK = (JobStatus.DRAFT, JobStatus.RECRUITING, JobStatus.SELECTING)
LIMITS = (1_000, 2_600, 10_000_000)
# What a currency is worth, of what it was worth at first: a little less, as good as nothing, …
WORTH = ("0.97", "1.04", "0.7", "1.5", "0.3", "0.01")


def turns(market: Market) -> Mapping[Callable[[Market], None], float]:
    """What people may do now, and how likely each of it is."""
    status = market.status()
    before, after = status in BEFORE_WORK, status is JobStatus.REVIEWING
    working = not (before or after)
    changes = market.wallets_change and not market.calm and not before
    return {
        the_owner_funds: 8 if before else 0,
        a_worker_submits: 6 if working else 1 if after else 0,
        the_owner_decides: 0 if before else 5,
        the_owner_repairs: 0 if before else 3,
        the_owner_ends: 1,
        time_passes: 1,
        the_selection_changes: 2 if before else 0,
        people_disagree: 0 if before else 2,
        the_operator_changes_the_treasury: 1 if market.calm else 0.3,
        the_owner_gives_more_time: 0 if after else 0.5,
        the_owner_consents_again: 0.3,
        somebody_is_paid_elsewhere: 2 if changes else 0,
        the_owner_pays_from_another_wallet: 0.7 if changes else 0,
        the_operator_waives_a_fee: 0.2 if changes else 0,
        the_operator_writes_off: 0 if before or market.calm else 1.5,
        the_rates_move: 1.5 if market.rates_move and not market.calm else 0,
    }


# --- funding --------------------------------------------------------------------------------------


def the_owner_funds(market: Market) -> None:
    """Secure the pay of those who are selected, or of whoever comes."""
    if market.pooled and not Funding.objects.filter(job=market.job).exists():
        market.fund()
    else:
        market.pre_fund()


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


def the_owner_gives_more_time(market: Market) -> None:
    """Move the deadlines of a job away, a little or far."""
    if market.calm:
        return
    job = Job.objects.get(id=market.job.id)
    assert job.expires_at is not None
    expires_at = job.expires_at + timedelta(days=market.rng.choice([1, 20, 90, 300]))
    posting.extend_job(
        user=market.payer,
        job_id=job.id,
        recruit_until=None,
        submit_until=expires_at - timedelta(hours=1) if job.submit_until else None,
        expires_at=expires_at,
        now=market.now,
    )


# --- work -----------------------------------------------------------------------------------------


def a_worker_submits(market: Market) -> None:
    """Hand in work, or what was asked to be changed of it."""
    market.submit(market.rng.choice(market.workers))


def the_owner_decides(market: Market) -> None:
    """Accept work, all of it or a part, reject it, or ask for changes."""
    waiting = Submission.objects.filter(
        job=market.job,
        superseded_at=None,
        status__in=[SubmissionStatus.SUBMITTED, SubmissionStatus.ACCEPTED],
    ).order_by("id")
    submission = market.rng.choice([*waiting, None])
    if submission is None:
        return
    roll = market.rng.random()
    if roll < 0.12 and not market.calm:
        market.review(submission, ReviewDecision.REJECT)
    elif roll < 0.2 and not market.calm:
        market.review(submission, ReviewDecision.REQUEST_CHANGES)
    elif roll < 0.5 and submission.rest > 1:
        part = market.rng.randint(1, submission.rest)
        market.review(submission, ReviewDecision.ACCEPT, value=part)
    else:
        market.review(submission, ReviewDecision.ACCEPT)


# --- repairing ------------------------------------------------------------------------------------


def the_owner_repairs(market: Market) -> None:
    """Do what is needed so that what is owed can be paid: consent again, or have it tried again."""
    # Nobody consents again, or tries again, for what no wallet would send; but what failed for
    # another reason waits for a person, however little it is.
    owed = Payable.objects.filter(funding__job=market.job).annotate(last=last_failure())
    unpaid = owed.exclude(UNPAYABLE)
    may_be_sent = ~UNPAYABLE | ~Q(last=ErrorCode.AMOUNT_TOO_SMALL)
    stuck = owed.filter(may_be_sent, status=PayableStatus.STUCK).first()
    if market.mode is not FundingMode.ESCROW:
        # Out of the treasury it has to be paid by itself, in the next period if not in this one.
        stuck = stuck or unpaid.filter(status=PayableStatus.OWED).first()
    lapsed = Funding.objects.filter(job=market.job, status=FundingStatus.LAPSED).first()
    if lapsed is not None or (stuck is not None and market.rng.random() < 0.5):
        market.renew(lapsed or (stuck.funding if stuck else None))
    elif stuck is not None and Payment.objects.filter(reference=stuck.id).exists():
        # Of what the treasury has sent and a wallet does not show only an operator decides, and of
        # a payer's money at a rate that was too low.
        by_operator = market.mode is FundingMode.ESCROW or market.rng.random() < 0.3
        returning.retry_payment(
            user=market.operator if by_operator else market.payer,
            payment_id=Payment.objects.filter(reference=stuck.id).latest("created_at").id,
            idempotency_key=new_id(),
            now=market.now,
        )


def the_owner_consents_again(market: Market) -> None:
    """Renew a consent though nothing asks for it: it may end soon, or the deadlines moved."""
    held = Funding.objects.filter(job=market.job, mode=FundingMode.PREAPPROVED).order_by("id")
    if held and not market.calm:
        market.renew(market.rng.choice(list(held)))


def somebody_is_paid_elsewhere(market: Market) -> None:
    """What failed to reach somebody goes to another wallet of theirs, if they can be paid there."""
    owed = Payable.objects.filter(funding__job=market.job, status__in=sorted(UNPAID))
    failed = Payment.objects.filter(
        purpose__in=[PaymentPurpose.PAYOUT, PaymentPurpose.REFUND],
        status=PaymentStatus.FAILED,
        reference__in=owed.values("id"),
    )
    payment = failed.select_related("receiver").order_by("-id").first()
    if payment is None or payment.receiver.owner is None:
        return
    wallet = market.another_wallet(payment.receiver.owner)
    # They have one of an asset that this job does not pay in, or it is being paid just now.
    with suppress(NotThere):
        pay_elsewhere(payment_id=payment.id, address=wallet.url, now=market.now)


def the_owner_pays_from_another_wallet(market: Market) -> None:
    """Consent again, with another wallet than before."""
    held = Funding.objects.filter(job=market.job, mode=FundingMode.PREAPPROVED).order_by("id")
    if held:
        funding = market.rng.choice(list(held))
        market.renew(funding, wallet=market.another_wallet(market.payer))


# --- ending ---------------------------------------------------------------------------------------


def the_owner_ends(market: Market) -> None:
    """Complete or cancel the job, or take back what is not promised, all of it or a part."""
    roll = market.rng.random()
    funding = Funding.objects.filter(job=market.job).order_by("-created_at").first()
    if roll < 0.4:
        endings.complete_job(user=market.payer, job_id=market.job.id, now=market.now)
    elif roll < 0.6 and (market.calm or market.rng.random() < 0.3):
        # An operator may while work waits for a decision, which is then final.
        user = market.payer if market.calm else market.rng.choice([market.payer, market.operator])
        endings.cancel_job(user=user, job_id=market.job.id, reason="No more.", now=market.now)
    elif funding is not None and roll < 0.8:
        part = market.job.amount(market.rng.randint(2 * DUST, 400))
        returning.refund_funding(
            user=market.payer,
            funding_id=funding.id,
            amount=part if not market.calm and market.rng.random() < 0.3 else None,
            idempotency_key=new_id(),
            now=market.now,
        )
    elif funding is not None and market.rng.random() < 0.3:
        returning.cancel_funding(
            user=market.payer, funding_id=funding.id, idempotency_key=new_id(), now=market.now
        )


def time_passes(market: Market) -> None:
    """Do what is due in jobs, now and then after a while in which nothing was at work."""
    if market.rng.random() < 0.3:
        market.clock.advance(market.rng.choice([600, 86_400, 5 * 86_400]))
    pass_time(now=market.now)


# --- disagreeing ----------------------------------------------------------------------------------


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


# --- the platform, and the world ------------------------------------------------------------------


def the_operator_changes_the_treasury(market: Market) -> None:
    """Give a consent of the treasury back, or ask for another one, large or small."""
    if market.mode is not FundingMode.ESCROW:
        return
    held = HeldGrant.objects.filter(payer=market.operator, status=HeldGrantStatus.HELD)
    if market.calm:
        if not _can_pay_each(held, market):
            market.ask_the_operator()
    elif not held.exists():
        market.ask_the_operator()
    elif market.rng.random() < 0.5:
        market.ask_the_operator(market.rng.choice(LIMITS))
    else:
        grant = market.rng.choice(list(held.order_by("id")))
        revoke_treasury_grant(user=market.operator, grant_id=grant.id, now=market.now)


def the_rates_move(market: Market) -> None:
    """One currency rises or falls against the others, in a wallet's eyes."""
    market.set_rates(market.rng.choice(["USD", "USD", "EUR", "MXN"]), market.rng.choice(WORTH))


def the_operator_writes_off(market: Market) -> None:
    """End what a worker is owed and has not got yet, unless some of it is under way."""
    owed = Payable.objects.filter(
        funding__job=market.job,
        purpose=PaymentPurpose.PAYOUT,
        status__in=[PayableStatus.OWED, PayableStatus.STUCK],
    )
    application = owed.order_by("id").values_list("allocation__application_id", flat=True).first()
    if application is not None:
        with suppress(CannotBeWrittenOff):
            write_off(application_id=application, now=market.now)


def the_operator_waives_a_fee(market: Market) -> None:
    """Give up what the platform has not got yet of its fee."""
    fundings = list(Funding.objects.filter(job=market.job).order_by("id"))
    if fundings:
        waive_fee(funding_id=market.rng.choice(fundings).id, now=market.now)


def _can_pay_each(held: QuerySet[HeldGrant], market: Market) -> bool:
    """Whether all that is owed can be paid out of the treasury one after the other, over time."""
    unpaid = Payable.objects.filter(funding__job=market.job, status__in=sorted(UNPAID))
    largest = max(unpaid.values_list("value", flat=True), default=0)
    # Wallets of these worlds take one in a hundred, and a quarter, at most.
    return held.filter(limit_value__gte=largest * 1.02 + 26).exists()
