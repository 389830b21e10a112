"""One marketplace with everything in it, and everybody who looks at it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from backend.accounts import tokens
from backend.accounts.api_keys import create_api_key
from backend.accounts.models import BearerToken, Scope, User, WalletAddress
from backend.events import emit
from backend.events.relay import relay
from backend.files.status import FileStatus
from backend.funding.booking import book_promise
from backend.funding.models import Allocation, Funding, Payable, Seller
from backend.funding.status import FundingMode, FundingStatus, PayableStatus
from backend.ids import new_id
from backend.jobs import disputes, recruiting, review
from backend.jobs.models import Submission
from backend.jobs.status import DeliverableType, ReviewDecision
from backend.jobs.work import begin_work
from backend.payments.models import (
    Attempt,
    Discrepancy,
    Grant,
    HeldGrant,
    Payment,
    PaymentResolution,
)
from backend.payments.services import create_payment
from backend.payments.status import (
    GrantKind,
    GrantScope,
    GrantStatus,
    HeldGrantStatus,
    PaymentPurpose,
    PaymentStatus,
)
from backend.receipts.issuing import issue
from backend.webhooks.models import WebhookDelivery
from backend.webhooks.services import create_endpoint
from tests.files.people import a_file
from tests.jobs.people import (
    NOON,
    a_dispute,
    a_draft,
    a_draft_of_work,
    a_job,
    a_person,
    an_application,
    reviewed,
    submitted_work,
)
from tests.schema.world import a_funding, a_wallet, global_id

# Whoever may ask, in the order of the tables. The last two hold tokens that no longer work.
PRINCIPALS = (
    *("visitor", "stranger", "owner", "worker", "other", "operator", "auditor"),
    *("revoked", "closed"),
)
NOBODY = frozenset({"visitor", "revoked", "closed"})
LOGGED_IN = tuple(each for each in PRINCIPALS if each not in NOBODY)


@dataclass
class World:
    """`owner` has the jobs and pays, `worker` is selected and paid, `other` has applied.

    `rows` are what can be named by an id, under a name that says what it is: "job draft".
    """

    people: dict[str, User]
    headers: dict[str, str | None]
    rows: dict[str, tuple[str, UUID]] = field(default_factory=dict)

    def id(self, name: str) -> str:
        """The global id of a row."""
        return global_id(*self.rows[name])

    def keep(self, name: str, row: Any) -> None:
        """Let `row` be named so; its type is that of its GraphQL type."""
        model = type(row).__name__
        self.rows[name] = (TYPES.get(model, model), row.pk)


TYPES = {"WalletAddress": "Wallet", "BearerToken": "Session"}


def build() -> World:
    """Make it, at noon."""
    people = {name: a_person(name) for name in PRINCIPALS if name != "visitor"}
    User.objects.filter(id=people["operator"].id).update(is_staff=True)
    User.objects.filter(id=people["auditor"].id).update(is_auditor=True)
    for user in people.values():
        user.refresh_from_db()
        user.wallet_addresses.update(is_default=True)
    headers: dict[str, str | None] = {
        name: f"Bearer {tokens.issue(user=user, label=name, now=NOON)}"
        for name, user in people.items()
    }
    BearerToken.objects.filter(user=people["revoked"]).update(revoked_at=NOON)
    User.objects.filter(id=people["closed"].id).update(is_active=False)
    world = World(people, {"visitor": None, **headers})
    for add in (_jobs, _work, _disputes, _money, _promises, _belongings):
        add(world)
    return world


def _jobs(world: World) -> None:
    owner, worker, other = (world.people[name] for name in ("owner", "worker", "other"))
    world.keep("job draft", a_draft(owner, deliverables=(DeliverableType.TEXT,)))
    # Nobody but `other` has applied: everybody else still can.
    recruiting_job = a_job(owner)
    world.keep("job recruiting", recruiting_job)
    world.keep("application", an_application(recruiting_job, other))
    selecting = a_job(owner, workers_needed=1)
    chosen = an_application(selecting, worker)
    recruiting.decide_applications(user=owner, job_id=selecting.id, select=[chosen.id], now=NOON)
    recruiting.close_recruiting(user=owner, job_id=selecting.id, now=NOON)
    world.keep("job selecting", selecting)


def _a_job_of(world: World, worker: User) -> Any:
    job = a_job(world.people["owner"], workers_needed=1, deliverables=(DeliverableType.TEXT,))
    application = an_application(job, worker)
    recruiting.decide_applications(user=job.owner, job_id=job.id, select=[application.id], now=NOON)
    begin_work(job=job, at=NOON)
    return job


def _work(world: World) -> None:
    worker = world.people["worker"]
    working = _a_job_of(world, worker)
    world.keep("job working", working)
    world.keep("draft of work", a_draft_of_work(working, worker, file_ids=[a_file(worker).id]))
    submitted = _a_job_of(world, worker)
    world.keep("submitted work", submitted_work(submitted, worker))
    rejected = _a_job_of(world, worker)
    work = reviewed(submitted_work(rejected, worker), ReviewDecision.REJECT)
    world.keep("rejected work", work)
    decided = _a_job_of(world, worker)
    done = reviewed(submitted_work(decided, worker), ReviewDecision.REJECT)
    review.acknowledge_decision(user=worker, submission_id=done.id, now=NOON)
    world.keep("job decided", decided)


def _disputes(world: World) -> None:
    worker, owner = world.people["worker"], world.people["owner"]

    def disputed() -> Any:
        job = _a_job_of(world, worker)
        return a_dispute(reviewed(submitted_work(job, worker), ReviewDecision.REJECT))

    world.keep("open dispute", disputed())
    answered = disputed()
    disputes.respond_to_dispute(user=owner, dispute_id=answered.id, response="No.", now=NOON)
    world.keep("answered dispute", answered)


def _money(world: World) -> None:
    owner, worker = world.people["owner"], world.people["worker"]
    Seller.objects.create(slug="shop", wallet=a_wallet(None), created_at=NOON)
    paid = a_job(owner, workers_needed=1)
    chosen = an_application(paid, worker)
    recruiting.decide_applications(user=owner, job_id=paid.id, select=[chosen.id], now=NOON)
    recruiting.close_recruiting(user=owner, job_id=paid.id, now=NOON)
    funding = a_funding(paid, FundingStatus.SETTLED)
    # A reference has one open payment at a time.
    completed = _a_payment(funding, payee=worker)
    Payment.objects.filter(id=completed.id).update(
        status=PaymentStatus.COMPLETED, delivered_value=completed.receive_value, due_at=None
    )
    completed.refresh_from_db()
    issue(payment=completed, at=NOON)
    payment = _a_payment(funding, payee=worker)
    grant = Grant.objects.create(
        payment=payment,
        kind=GrantKind.OUTGOING_PAYMENT,
        status=GrantStatus.APPROVED,
        auth_server="https://auth.wallet.example",
        max_debit_value=2600,
        created_at=NOON,
    )
    world.keep("job paid", paid)
    world.keep("funding", funding)
    world.keep("payment", payment)
    world.keep("completed payment", completed)
    world.keep("grant", grant)
    PaymentResolution.objects.create(
        payment=payment,
        operator=world.people["operator"],
        outcome=PaymentStatus.FAILED,
        evidence_url="https://wallet.example/ticket",
        note="Nothing came.",
        status=PaymentStatus.UNKNOWN,
        attempt_number=1,
        at=NOON,
    )
    Discrepancy.note(payment=payment, kind="DELIVERED_LESS", expected="1", actual="0", at=NOON)
    world.keep("discrepancy", Discrepancy.objects.get())


def _promises(world: World) -> None:
    """A job whose pay is secured by consent, one whose pay is held, and a payout that failed."""
    treasury = Seller.objects.create(
        slug="treasury", wallet=a_wallet(None), is_treasury=True, created_at=NOON
    )
    _, secured, _ = _a_secured_job(world, FundingMode.PREAPPROVED)
    world.keep("secured funding", secured)
    _, held, _ = _a_secured_job(world, FundingMode.ESCROW, seller=treasury)
    Allocation.objects.filter(funding=held).update(returned_value=F("amount_value"))
    world.keep("held funding", held)
    _, funding, allocation = _a_secured_job(world, FundingMode.PREAPPROVED)
    world.keep("promise", allocation)
    world.keep("promised application", allocation.application)
    owner, worker = world.people["owner"], world.people["worker"]
    payable = Payable.objects.create(
        funding=funding,
        purpose=PaymentPurpose.PAYOUT,
        allocation=allocation,
        submission_id=world.rows["submitted work"][1],
        receiver=worker.wallet_addresses.get(),
        value=2500,
        status=PayableStatus.STUCK,
        created_at=NOON,
        updated_at=NOON,
    )
    with transaction.atomic():
        failed = create_payment(
            purpose=PaymentPurpose.PAYOUT,
            reference=payable.id,
            payer=owner,
            sender=owner.wallet_addresses.get(),
            receiver=payable.receiver,
            receive_amount=funding.total,
            under=HeldGrant.objects.get(reference=funding.id),
            now=NOON,
        )
    Payment.objects.filter(id=failed.id).update(status=PaymentStatus.FAILED, due_at=None)
    world.keep("failed payment", failed)
    _, other_funding, _ = _a_secured_job(world, FundingMode.PREAPPROVED)
    stuck = _a_payment(other_funding, payee=worker)
    Payment.objects.filter(id=stuck.id).update(
        status=PaymentStatus.UNKNOWN, deadline_at=NOON - timedelta(days=1)
    )
    world.keep("stuck payment", stuck)


def _a_secured_job(
    world: World, mode: FundingMode, seller: Seller | None = None
) -> tuple[Any, Funding, Allocation]:
    owner, worker = world.people["owner"], world.people["worker"]
    job = a_job(owner, workers_needed=1)
    chosen = an_application(job, worker)
    recruiting.decide_applications(user=owner, job_id=job.id, select=[chosen.id], now=NOON)
    recruiting.close_recruiting(user=owner, job_id=job.id, now=NOON)
    wallet = owner.wallet_addresses.get()
    funding = Funding.objects.create(
        job=job,
        payer=owner,
        payer_wallet=wallet,
        mode=mode,
        seller=seller,
        status=FundingStatus.SECURED,
        total_value=2500,
        asset_code="USD",
        asset_scale=2,
        created_at=NOON,
        updated_at=NOON,
    )
    allocation = Allocation.objects.create(
        funding=funding, application=chosen, amount_value=2500, created_at=NOON
    )
    book_promise(allocation, at=NOON)
    if mode is FundingMode.PREAPPROVED:
        held = HeldGrant.objects.create(
            scope=GrantScope.POOLED,
            status=HeldGrantStatus.HELD,
            payer=owner,
            reference=funding.id,
            sender=wallet,
            limit_value=2600,
            starts_at=NOON,
            ends_at=NOON + timedelta(days=60),
            deadline_at=NOON + timedelta(days=60),
            created_at=NOON,
            updated_at=NOON,
        )
        Grant.objects.create(
            held_grant=held,
            kind=GrantKind.OUTGOING_PAYMENT,
            status=GrantStatus.APPROVED,
            auth_server="https://auth.wallet.example",
            max_debit_value=2600,
            created_at=NOON,
        )
    return job, funding, allocation


def _a_payment(funding: Funding, *, payee: User) -> Payment:
    with transaction.atomic():
        payment = create_payment(
            purpose=PaymentPurpose.FUND,
            reference=funding.id,
            payer=funding.payer,
            sender=funding.payer.wallet_addresses.get(),
            receiver=payee.wallet_addresses.get(),
            receive_amount=funding.total,
            return_url="http://127.0.0.1:8000/done",
            now=NOON,
        )
    base = "https://wallet.example"
    Attempt.objects.filter(payment=payment).update(
        incoming_payment_url=f"{base}/incoming-payments/1",
        quote_url=f"{base}/quotes/1",
        outgoing_payment_url=f"{base}/outgoing-payments/1",
    )
    return payment


def _belongings(world: World) -> None:
    owner = world.people["owner"]
    world.keep("owner", owner)
    world.keep("wallet", WalletAddress.objects.get(owner=owner))
    made = create_api_key(
        owner=owner, name="Shop", scopes=[Scope.READ], test_mode=settings.TEST_MODE, now=NOON
    )
    world.keep("api key", made.key)
    world.keep("session", BearerToken.objects.get(user=owner))
    world.keep("file", a_file(owner))
    world.keep("unfinished file", a_file(owner, status=FileStatus.UPLOADING))
    endpoint = create_endpoint(
        owner=owner, url="https://hooks.example/faena", events=["user.*"], now=NOON
    ).endpoint
    with transaction.atomic():
        emit(topic=f"user:{owner.id}", type="job.status", payload={}, at=NOON)
    relay(now=NOON)
    world.keep("webhook endpoint", endpoint)
    world.keep("webhook delivery", WebhookDelivery.objects.filter(endpoint=endpoint).latest("id"))
    draft = Submission.objects.get(id=world.rows["draft of work"][1])
    world.keep("file of a draft", draft.files.get())


def random_id(type_name: str) -> str:
    """An id of that type behind which there is nothing."""
    return global_id(type_name, new_id())
