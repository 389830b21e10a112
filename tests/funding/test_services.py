from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import connection

from backend.accounts.idempotency import IdempotencyConflict, forget_old_keys
from backend.accounts.models import IdempotencyKey, User, WalletAddress
from backend.errors import AssetMismatch, FaenaError, Forbidden, NotFound, WalletRequired
from backend.funding import errors
from backend.funding.models import Funding, Seller
from backend.funding.queries import assurance_of, fundings_visible_to
from backend.funding.services import fund_job, pre_fund_job
from backend.funding.status import FundingAssurance, FundingMode, FundingStatus
from backend.ids import new_id
from backend.jobs.endings import cancel_job
from backend.jobs.errors import NoSelectedWorkers, WrongStatus
from backend.jobs.models import Job
from backend.jobs.recruiting import decide_applications
from backend.open_payments.types import Amount
from backend.payments.errors import ReturnUrlRefused
from backend.payments.models import HeldGrant, Payment
from tests.jobs.people import an_application
from tests.simulation.simulator import Simulation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> Simulation:
    """A funder with a wallet, a seller, and a job that nobody funds yet."""
    return Simulation(temperament="strict", funded=False)


def fund(world: Simulation, **changes: Any) -> Funding:
    arguments: dict[str, Any] = {
        "payer": world.payer,
        "job_id": world.job.id,
        "mode": None,
        "seller": None,
        "payer_wallet_id": None,
        "expected_total": None,
        "return_url": "http://127.0.0.1:8000/",
        "idempotency_key": new_id(),
        "now": world.clock.now(),
        **changes,
    }
    return fund_job(**arguments).funding


def assert_nothing_happened() -> None:
    assert not Funding.objects.exists()
    assert not Payment.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_funding_puts_the_whole_budget_behind_the_job(world: Simulation) -> None:
    funding = fund(world, expected_total=world.job.total_budget)

    assert funding.total == Amount(value=2500, asset_code="USD", asset_scale=2)
    assert funding.status == FundingStatus.AWAITING_APPROVAL
    payment = Payment.objects.get(reference=funding.id)
    assert payment.receive_amount == funding.total
    assert payment.due_at == world.clock.now()


def test_no_wallet_is_called_before_the_answer(world: Simulation) -> None:
    fund(world)

    assert not Payment.objects.get().calls.exists()


def test_the_same_key_gives_the_same_funding(world: Simulation) -> None:
    key = new_id()

    first, second = fund(world, idempotency_key=key), fund(world, idempotency_key=key)

    assert first.id == second.id
    assert Payment.objects.count() == 1


def test_the_same_key_with_other_input_is_refused(world: Simulation) -> None:
    key = new_id()
    fund(world, idempotency_key=key)

    with pytest.raises(IdempotencyConflict):
        fund(world, idempotency_key=key, return_url="http://127.0.0.1:8000/other")


def test_a_key_is_forgotten_after_thirty_days(world: Simulation) -> None:
    fund(world)

    assert forget_old_keys(now=world.clock.now() + timedelta(days=30)) == 0
    assert forget_old_keys(now=world.clock.now() + timedelta(days=31)) == 1
    assert Funding.objects.exists()


def test_another_persons_key_is_another_key(world: Simulation) -> None:
    key = new_id()
    fund(world, idempotency_key=key)
    stranger = User.objects.create(email="s@example.org", display_name="S")

    with pytest.raises(Forbidden):
        fund(world, idempotency_key=key, payer=stranger)


def test_fifty_parallel_calls_with_one_key_are_one_payment(world: Simulation) -> None:
    key = new_id()

    def call(_: int) -> UUID:
        try:
            return fund(world, idempotency_key=key).id
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(call, range(50)))

    assert len(set(answers)) == 1
    assert Payment.objects.count() == Funding.objects.count() == 1


def test_parallel_calls_with_different_keys_fund_once(world: Simulation) -> None:
    def call(_: int) -> str:
        try:
            return str(fund(world).id)
        except errors.AlreadyFunded as refusal:
            return str(refusal.code)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(16)))

    assert answers.count("ALREADY_FUNDED") == 15
    assert Funding.objects.count() == 1


def make_draft(world: Simulation) -> None:
    Job.objects.filter(id=world.job.id).update(status="DRAFT")


def make_complete(world: Simulation) -> None:
    Job.objects.filter(id=world.job.id).update(status="COMPLETE")


def remove_wallets(world: Simulation) -> None:
    WalletAddress.objects.filter(owner=world.payer).delete()


def deactivate_seller(world: Simulation) -> None:
    Seller.objects.update(active=False)


def pay_the_seller_in_pesos(world: Simulation) -> None:
    WalletAddress.objects.filter(owner=None).update(asset_code="MXN")


def nothing(world: Simulation) -> None:
    pass


@pytest.mark.parametrize(
    ("prepare", "changes", "refusal"),
    [
        (nothing, {"job_id": new_id()}, NotFound),
        (make_draft, {}, WrongStatus),
        (make_complete, {}, WrongStatus),
        (nothing, {"seller": "nobody"}, errors.SellerNotFound),
        (deactivate_seller, {}, errors.SellerNotFound),
        (remove_wallets, {}, WalletRequired),
        (nothing, {"payer_wallet_id": new_id()}, NotFound),
        (pay_the_seller_in_pesos, {}, AssetMismatch),
        (nothing, {"return_url": "https://evil.example/"}, ReturnUrlRefused),
        (
            nothing,
            {"expected_total": Amount(value=2400, asset_code="USD", asset_scale=2)},
            errors.AmountChanged,
        ),
        (
            nothing,
            {"expected_total": Amount(value=2500, asset_code="USD", asset_scale=3)},
            errors.AmountChanged,
        ),
    ],
)
def test_a_refusal_changes_nothing_and_leaves_the_key_free(
    world: Simulation,
    prepare: Callable[[Simulation], None],
    changes: dict[str, Any],
    refusal: type[FaenaError],
) -> None:
    prepare(world)

    with pytest.raises(refusal):
        fund(world, **changes)

    assert_nothing_happened()


def test_a_draft_of_somebody_else_does_not_exist(world: Simulation) -> None:
    make_draft(world)
    stranger = User.objects.create(email="s@example.org", display_name="S")

    with pytest.raises(NotFound):
        fund(world, payer=stranger)


def test_without_a_default_seller_the_payer_keeps_the_money_and_promises_it(
    world: Simulation, settings: LazySettings
) -> None:
    settings.SELLER_WALLET_ADDRESS_URL = ""

    funding = fund(world)

    assert (funding.mode, funding.seller) == (FundingMode.PREAPPROVED, None)
    assert not Payment.objects.exists()
    held = HeldGrant.objects.get(reference=funding.id)
    # Room for fees: nobody is selected yet whom a quote could be made for.
    assert held.limit == Amount(value=2625, asset_code="USD", asset_scale=2)


def test_nobody_holds_money_where_no_operator_has_said_so(world: Simulation) -> None:
    with pytest.raises(errors.ModeUnavailable):
        fund(world, mode=FundingMode.ESCROW)

    assert_nothing_happened()


def test_a_settled_funding_closes_recruiting_when_somebody_applied(world: Simulation) -> None:
    an_application(world.job, now=world.clock.at)
    funding = fund(world)
    world.payment = Payment.objects.get(reference=funding.id)

    world.run()

    funding.refresh_from_db()
    world.job.refresh_from_db()
    assert funding.status == FundingStatus.SETTLED
    assert funding.remaining.value == 0
    assert world.job.status == "SELECTING"
    assert assurance_of([world.job.id]) == {world.job.id: FundingAssurance.PAID}


def test_a_settled_funding_without_applications_leaves_the_job_recruiting(
    world: Simulation,
) -> None:
    world.payment = Payment.objects.get(reference=fund(world).id)

    world.run()

    world.job.refresh_from_db()
    assert world.job.status == "RECRUITING"


def test_a_declined_funding_can_be_tried_again(world: Simulation) -> None:
    first = fund(world)
    world.payment = Payment.objects.get(reference=first.id)
    world.approve = False
    world.run()

    second = fund(world)

    assert second.id != first.id
    with pytest.raises(errors.AlreadyFunded):
        fund(world)


def test_only_the_payer_the_owner_and_operators_see_a_funding(world: Simulation) -> None:
    funding = fund(world)
    stranger = User.objects.create(email="s@example.org", display_name="S")
    operator = User.objects.create(email="o@example.org", display_name="O", is_staff=True)

    assert list(fundings_visible_to(world.payer)) == [funding]
    assert list(fundings_visible_to(operator)) == [funding]
    assert list(fundings_visible_to(stranger)) == []
    assert list(fundings_visible_to(None)) == []


# --- the job meanwhile


def is_moving(world: Simulation) -> bool:
    return Job.objects.get(id=world.job.id).money_moving


def test_nothing_ends_the_job_while_its_payment_is_on_its_way(world: Simulation) -> None:
    funding = fund(world)
    version = world.job.version

    assert is_moving(world)
    with pytest.raises(WrongStatus, match="payment"):
        cancel_job(user=world.payer, job_id=world.job.id, reason="x", now=world.clock.now())

    world.payment = Payment.objects.get(reference=funding.id)
    world.approve = False
    world.run()

    assert not is_moving(world)
    assert Job.objects.get(id=world.job.id).version == version, "nobody's form was about it"


# --- preFundJob


def pre_fund(world: Simulation, **changes: Any) -> Funding:
    arguments: dict[str, Any] = {
        "payer": world.payer,
        "job_id": world.job.id,
        "expected_total": None,
        "return_url": "http://127.0.0.1:8000/",
        "idempotency_key": new_id(),
        "now": world.clock.now(),
        **changes,
    }
    return pre_fund_job(**arguments).funding


def select_somebody(world: Simulation) -> None:
    application = an_application(world.job, now=world.clock.at)
    decide_applications(
        user=world.payer, job_id=world.job.id, select=[application.id], now=world.clock.at
    )


def pay(world: Simulation) -> Funding:
    funding = fund(world)
    world.payment = Payment.objects.get(reference=funding.id)
    world.run()
    return funding


def test_money_that_has_arrived_lets_the_work_begin_without_consent(world: Simulation) -> None:
    select_somebody(world)
    funding = pay(world)
    key = new_id()

    first = pre_fund(world, expected_total=world.job.reward, idempotency_key=key)
    again = pre_fund(world, expected_total=world.job.reward, idempotency_key=key)

    assert first.id == again.id == funding.id
    job = Job.objects.get(id=world.job.id)
    assert job.status == "SUBMITTING"
    assert job.submit_until == world.clock.now() + timedelta(days=job.submit_days)
    assert Payment.objects.count() == 1


def test_a_key_that_made_no_funding_has_its_answer_though_all_is_over_since(
    world: Simulation,
) -> None:
    select_somebody(world)
    promised = pre_fund(world)
    key = new_id()
    Funding.objects.filter(id=promised.id).update(status=FundingStatus.SECURED)
    Job.objects.filter(id=world.job.id).update(money_moving=False)

    assert pre_fund(world, idempotency_key=key).id == promised.id
    cancel_job(user=world.payer, job_id=world.job.id, reason="No.", now=world.clock.now())

    assert pre_fund(world, idempotency_key=key).id == promised.id
    assert Funding.objects.get(id=promised.id).status == FundingStatus.CANCELED


def test_work_begins_never_before_the_money_is_there(world: Simulation) -> None:
    select_somebody(world)

    funding = pre_fund(world)
    with pytest.raises(errors.AlreadyFunded):
        pre_fund(world)

    assert funding.status == FundingStatus.AWAITING_APPROVAL
    assert funding.total == world.job.reward
    # Nobody else can apply while the pay of those who are selected is being secured.
    assert Job.objects.get(id=world.job.id).status == "SELECTING"


def test_pre_funding_needs_somebody_selected_the_owner_and_the_right_sum(
    world: Simulation,
) -> None:
    pay(world)
    with pytest.raises(NoSelectedWorkers):
        pre_fund(world)
    select_somebody(world)
    stranger = User.objects.create(email="s@example.org", display_name="S")

    with pytest.raises(Forbidden):
        pre_fund(world, payer=stranger)
    with pytest.raises(errors.AmountChanged):
        pre_fund(world, expected_total=Amount(value=1, asset_code="USD", asset_scale=2))
    with pytest.raises(ReturnUrlRefused):
        pre_fund(world, return_url="https://elsewhere.example/")
    pre_fund(world)
    with pytest.raises(WrongStatus):
        pre_fund(world)
