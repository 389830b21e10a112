"""Offers of a marketplace outside, as payments here."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import pytest
from django.db import connection

from backend.accounts.models import User, WalletAddress
from backend.errors import FaenaError, Forbidden, ValidationFailed, WalletRequired
from backend.funding.errors import AlreadyFunded, AmountChanged, SellerNotFound
from backend.funding.models import Funding, Seller
from backend.funding.status import FundingStatus
from backend.guide import offers
from backend.guide.models import Offer, OfferJob
from backend.guide.names import name_for_webhooks
from backend.guide.offers import Wish, start_payment
from backend.guide.shapes import shape_of, shapes_of
from backend.ids import global_id, new_id
from backend.jobs.clock import pass_time
from backend.jobs.models import Job
from backend.jobs.queries import jobs_visible_to
from backend.jobs.search import JobSearch, search_jobs
from backend.jobs.status import JobStatus
from backend.payments.errors import ReturnUrlRefused
from backend.payments.models import Payment
from backend.payments.status import PaymentStatus
from tests.jobs.people import a_person, an_application
from tests.simulation.simulator import BASE_URL, Simulation

pytestmark = pytest.mark.django_db(transaction=True)
OFFER = "test-123"
T = TypeVar("T")


@pytest.fixture
def world() -> Simulation:
    """Somebody whose marketplace has offers, a buyer's wallet that is kept with them, a seller."""
    return Simulation(temperament="strict", funded=False)


def wish(world: Simulation, **changes: Any) -> Wish:
    return Wish(
        **{
            "owner": world.payer,
            "wallet": WalletAddress.objects.get(owner=world.payer, is_default=True),
            "amount": "25.00",
            "seller_id": "default-seller",
            "return_url": "http://127.0.0.1:8000/",
            "now": world.clock.now(),
            **changes,
        }
    )


def start(world: Simulation, offer_id: str = OFFER, **changes: Any) -> Payment:
    return start_payment(wish(world, **changes), offer_id=offer_id)


def pay(world: Simulation, payment: Payment) -> Payment:
    world.payment = payment
    world.run()
    return world.payment_now()


def guides(world: Simulation, payment: Payment) -> dict[str, Any]:
    return shape_of(payment, viewer=world.payer)


def test_S17_a_webhook_names_offer_and_payment_as_the_answer_did(world: Simulation) -> None:
    payment = start(world)
    job_id = Funding.objects.get(id=payment.reference).job_id
    answered = guides(world, payment)

    names = name_for_webhooks(payment, job_id)

    assert (names.offer_id, names.pending_id) == (OFFER, str(payment.id))
    assert (answered["offerId"], answered["pendingId"]) == (OFFER, str(payment.id))


def test_S17_a_job_of_ours_is_named_by_its_own_id(world: Simulation) -> None:
    payment = start(world)
    assert name_for_webhooks(payment, world.job.id).offer_id == global_id("Job", world.job.id)


def test_an_offer_is_paid_exactly_once_and_only_then_says_paid(world: Simulation) -> None:
    payment = start(world)
    assert guides(world, payment)["status"] == "pending"
    seen: dict[str, str] = {}
    for _ in range(200):
        payment = world.payment = Payment.objects.get(id=payment.id)
        seen[payment.status] = guides(world, payment)["status"]
        world.visit_wallet()
        if not world.work():
            world.clock.advance(1)

    assert seen.pop("COMPLETED") == "paid"
    assert set(seen.values()) == {"pending"}, "also while the money is on its way"
    assert "AWAITING_APPROVAL" in seen
    shape = guides(world, world.payment_now())
    assert (shape["status"], shape["state"], shape["offerId"]) == ("paid", "COMPLETED", OFFER)
    assert shape["deliveredAmount"] == shape["amount"] == "25.00"
    assert shape["redirectUrl"] is None
    assert world.run().problems == []
    with pytest.raises(AlreadyFunded):
        start(world)
    assert Payment.objects.count() == 1


def test_the_same_wish_is_the_same_payment_while_its_payer_decides(world: Simulation) -> None:
    first = start(world)

    assert start(world) == first
    for other in ({"amount": "25.01"}, {"wallet": _another_wallet(world)}, {"seller_id": "shop-2"}):
        Seller.objects.get_or_create(
            slug="shop-2",
            defaults={"wallet": _another_wallet(world), "created_at": world.clock.now()},
        )
        with pytest.raises(AlreadyFunded):
            start(world, **other)
    assert start(world, offer_id="124") != first
    assert Payment.objects.count() == 2


def _another_wallet(world: Simulation) -> WalletAddress:
    return WalletAddress.objects.create(
        owner=world.payer, **{**world._wallet("bob"), "url": f"{BASE_URL}/{new_id().hex}"}
    )


def test_after_a_no_the_offer_can_be_asked_for_again_also_for_another_sum(
    world: Simulation,
) -> None:
    world.approve = False
    declined = pay(world, start(world))
    assert guides(world, declined)["status"] == "failed"
    assert guides(world, declined)["failure"]["code"] == "GRANT_REJECTED"

    same = start(world)
    assert Job.objects.filter(listed=False).count() == 1, "the terms are the same"
    assert pay(world, same).status == PaymentStatus.REJECTED
    world.approve = True
    dearer = start(world, amount="30")

    assert pay(world, dearer).status == PaymentStatus.COMPLETED
    old, new = Job.objects.filter(listed=False).order_by("id")
    assert (old.status, new.status) == (JobStatus.CANCELED, JobStatus.RECRUITING)
    found = offers.payments_of_offer(world.payer, OFFER).order_by("id")
    shapes = shapes_of(list(found), viewer=world.payer)
    assert [(each["amount"], each["status"]) for each in shapes] == [
        ("25.00", "failed"),
        ("25.00", "failed"),
        ("30.00", "paid"),
    ]


def test_an_offer_whose_job_has_expired_gets_another_one(world: Simulation) -> None:
    world.approve = False
    pay(world, start(world))
    world.clock.at += timedelta(days=60)
    pass_time(now=world.clock.now())

    assert start(world)
    assert OfferJob.objects.count() == 2


def test_D11_an_offer_is_its_owners_under_whatever_name(world: Simulation) -> None:
    names = ["123", "test-123", str(new_id()), global_id("Payment", new_id()), "añ o/?", "x" * 255]
    payments = {name: start(world, offer_id=name) for name in names}

    assert len({payment.id for payment in payments.values()}) == len(names)
    for name, payment in payments.items():
        assert guides(world, payment)["offerId"] == name
        assert list(offers.payments_of_offer(world.payer, name)) == [payment]
        assert not offers.payments_of_offer(a_person("bea"), name).exists()
    assert not offers.payments_of_offer(world.payer, "never heard of").exists()


@pytest.mark.parametrize("name", ["", " ", "x" * 256, "a\nb", "a\x00b"])
def test_a_name_that_cannot_be_kept_is_refused(world: Simulation, name: str) -> None:
    with pytest.raises(ValidationFailed):
        start(world, offer_id=name)
    assert not Offer.objects.exists()


def test_two_marketplaces_may_use_the_same_name(world: Simulation) -> None:
    other = a_person("bea")
    wallet = _another_wallet(world)
    WalletAddress.objects.filter(id=wallet.id).update(owner=other)

    mine = start(world)
    theirs = start(world, owner=other, wallet=wallet)

    assert mine != theirs
    assert list(offers.payments_of_offer(other, OFFER)) == [theirs]


def test_what_stands_for_an_offer_is_seen_by_its_owner_only(world: Simulation) -> None:
    start(world)
    job = Job.objects.get(listed=False)

    def found(user: User | None) -> bool:
        search = search_jobs(user=user, search=JobSearch(), now=world.clock.now())
        return job in search.jobs and jobs_visible_to(user).filter(id=job.id).exists()

    operator = a_person("operator", is_staff=True)
    assert [found(who) for who in (None, a_person("bea"), world.payer, operator)] == [
        *(False, False, True, True)
    ]
    with pytest.raises(FaenaError) as refused:
        an_application(job, now=world.clock.now())
    assert refused.value.code == "NOT_FOUND"


def test_a_job_of_ours_is_funded_as_graphql_would(world: Simulation) -> None:
    payment = start(world, offer_id=global_id("Job", world.job.id))

    assert Funding.objects.get(id=payment.reference).job_id == world.job.id
    assert start(world, offer_id=str(world.job.id)) == payment, "by either spelling"
    assert not Offer.objects.exists()
    assert pay(world, payment).status == PaymentStatus.COMPLETED
    shape = guides(world, world.payment_now())
    assert (shape["offerId"], shape["status"]) == (global_id("Job", world.job.id), "paid")
    assert list(offers.payments_of_offer(world.payer, str(world.job.id))) == [payment]


def test_S18_D14_a_job_of_ours_that_is_paid_selects_once_somebody_has_applied(
    world: Simulation,
) -> None:
    an_application(world.job, now=world.clock.now())
    pay(world, start(world, offer_id=str(world.job.id)))

    world.job.refresh_from_db()
    assert world.job.status == JobStatus.SELECTING
    nobody_applied = Simulation(temperament="strict", funded=False)
    pay(nobody_applied, start(nobody_applied, offer_id=str(nobody_applied.job.id)))
    nobody_applied.job.refresh_from_db()
    assert nobody_applied.job.status == JobStatus.RECRUITING


def test_D02_the_sum_is_the_jobs_own_and_nobody_elses_job_is_funded(world: Simulation) -> None:
    with pytest.raises(AmountChanged):
        start(world, offer_id=str(world.job.id), amount="12.50")
    stranger = a_person("bea")
    with pytest.raises(Forbidden):
        start(
            world,
            offer_id=str(world.job.id),
            owner=stranger,
            wallet=stranger.wallet_addresses.get(),
        )
    assert not Payment.objects.exists()


def test_S10_S41_an_unknown_seller_is_refused(world: Simulation) -> None:
    with pytest.raises(SellerNotFound):
        start(world, seller_id="nobody")


def test_D26_a_payer_is_sent_back_to_listed_places_only(world: Simulation) -> None:
    with pytest.raises(ReturnUrlRefused):
        start(world, return_url="https://evil.example/")
    assert not OfferJob.objects.exists(), "nothing is left of what was refused"


@pytest.mark.parametrize("address", [None, "", "  ", 7, ["x"]])
def test_S07_without_a_wallet_nothing_is_asked(address: object) -> None:
    with pytest.raises(WalletRequired):
        offers.payer_url(address)


def test_D25_D32_a_wallet_that_is_kept_is_known_by_any_spelling(world: Simulation) -> None:
    mine = WalletAddress.objects.get(owner=world.payer)

    assert offers.known_payer(owner=world.payer, url=offers.payer_url(f" {mine.url} ")) == mine
    for bad in ("not a wallet", "http://169.254.169.254/latest"):
        with pytest.raises(FaenaError) as refused:
            offers.new_payer(owner=world.payer, url=offers.payer_url(bad), now=world.clock.now())
        assert refused.value.path == ("buyerWalletAddressUrl",)


def test_the_payee_sees_no_more_over_rest_than_in_graphql(world: Simulation) -> None:
    payment = pay(world, start(world))
    payee, operator = a_person("payee"), a_person("operator", is_staff=True)
    WalletAddress.objects.filter(id=payment.receiver_id).update(owner=payee)

    def seen_by(user: User) -> set[str]:
        (shape,) = shapes_of([Payment.objects.get(id=payment.id)], viewer=user)
        urls = ("incomingPaymentId", "quoteId", "outgoingPaymentId")
        return {name for name in urls if shape[name]}

    assert seen_by(world.payer) == {"incomingPaymentId", "quoteId", "outgoingPaymentId"}
    assert seen_by(payee) == {"incomingPaymentId"}
    assert seen_by(operator) == {"quoteId", "outgoingPaymentId"}


def test_S26_every_status_of_ours_is_one_of_the_guides(world: Simulation) -> None:
    payment = start(world)
    words = {}
    for status in PaymentStatus:
        payment.status = status
        words[str(status)] = guides(world, payment)["status"]

    failed = {"REJECTED", "EXPIRED", "FAILED", "CANCELED"}
    assert {status for status, word in words.items() if word == "failed"} == failed
    assert [status for status, word in words.items() if word == "paid"] == ["COMPLETED"]
    assert set(words.values()) == {"pending", "paid", "failed"}
    assert Funding.objects.get().status == FundingStatus.AWAITING_APPROVAL


def at_once(call: Callable[[], T]) -> list[T]:
    """What thirty who call at the same time get."""

    def closing(_: int) -> T:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        return list(pool.map(closing, range(30)))


def test_D28_thirty_clicks_at_once_are_one_payment(world: Simulation) -> None:
    for offer_id in (OFFER, str(world.job.id)):
        payments = at_once(partial(start, world, offer_id=offer_id))
        assert len({payment.id for payment in payments}) == 1
    assert Payment.objects.count() == Funding.objects.count() == 2
    assert OfferJob.objects.count() == 1
