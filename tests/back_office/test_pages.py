"""What operators see of a payment, and what they do: by the services of the API, and noted."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from backend.accounts import api_keys
from backend.accounts.models import ApiKey, Scope, User
from backend.back_office.models import OperatorAction
from backend.back_office.timeline import Kind, timeline
from backend.events.relay import relay
from backend.funding.models import Payable, Seller
from backend.ids import new_id
from backend.jobs.status import Pricing, ReviewDecision
from backend.payments.models import Discrepancy, HeldGrant, Payment
from backend.payments.status import GrantScope, HeldGrantStatus, PaymentStatus
from backend.webhooks.models import WebhookDelivery
from backend.webhooks.status import DeliveryStatus
from tests.back_office.people import an_operator
from tests.conftest import NOON
from tests.jobs.people import a_job, a_person, a_wallet
from tests.ledger.books import a_payment
from tests.payments.test_cannot_look_up import payers_payment
from tests.payments.test_resolving import hanging, look_once_more
from tests.simulation.market import Market
from tests.simulation.simulator import Simulation
from tests.webhooks.world import a_user, an_endpoint, announce, deliveries

pytestmark = pytest.mark.django_db(transaction=True)


def do(client: Client, row: Any, deed: str, **answers: str) -> str:
    """Press a button of a row's page, and read the page that follows."""
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_do", args=[row.pk, deed])
    answer = client.post(url, {"key": str(new_id()), **answers}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def page_of(client: Client, row: Any) -> str:
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return client.get(url).content.decode()


def say(client: Client, payment: Payment, outcome: str, evidence: str, **sums: str) -> str:
    word = {"outcome": outcome, "evidence_url": evidence, "note": "Seen there.", **sums}
    return do(client, payment, "resolve", **word)


def entering(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# --- payments -------------------------------------------------------------------------------------


def test_a_payment_that_hangs_is_told_from_its_beginning_and_ended_by_two_operators() -> None:
    simulation = hanging(PaymentStatus.UNKNOWN)
    payment = simulation.payment
    # Buttons read the real clock; the next look of the engine is to be after this test.
    simulation.clock.at = datetime.now(UTC) + timedelta(minutes=5)
    one, two = an_operator("Ana"), an_operator("Bea")

    told_first = page_of(entering(one), payment)
    proposed = say(entering(one), payment, "FAILED", "https://wallet.example/1")
    alone = say(entering(one), payment, "FAILED", "https://wallet.example/2")
    look_once_more(simulation)
    confirmed = say(entering(two), payment, "FAILED", "https://wallet.example/3")

    payment.refresh_from_db()
    told = timeline(payment)
    assert "say below what you saw" in told_first
    assert "Ana says that it is FAILED" in proposed
    assert "You proposed this yourself" in alone
    assert "UNKNOWN → FAILED" in confirmed
    assert payment.status == PaymentStatus.FAILED
    assert [each.at for each in told] == sorted(each.at for each in told)
    kinds = {each.kind for each in told}
    assert kinds == {
        Kind.STATUS,
        Kind.ATTEMPT,
        Kind.CALL,
        Kind.CONSENT,
        Kind.WORD,
        Kind.DISCREPANCY,
    }
    assert [entry.user for entry in LogEntry.objects.order_by("id")] == [one, two]


def test_a_payment_that_cannot_be_looked_up_is_ended_with_the_part_that_arrived() -> None:
    payment = payers_payment(PaymentStatus.AUTHORIZED, paid=True).payment
    one, two = an_operator("Ana"), an_operator("Bea")
    # Buttons read the real clock; the next look of the engine is to be after this test.
    Payment.objects.update(due_at=datetime.now(UTC) + timedelta(minutes=5), lease_until=None)

    page = page_of(entering(one), payment)
    assert "A backup was restored" in page
    assert "what arrived, in smallest units" in page
    without = say(entering(one), payment, "PART", "https://wallet.example/1")
    proposed = say(entering(one), payment, "PART", "https://wallet.example/1", arrived="900")
    Payment.objects.update(due_at=datetime.now(UTC) + timedelta(minutes=5))
    confirmed = say(entering(two), payment, "PART", "https://wallet.example/2", arrived="900")

    payment.refresh_from_db()
    assert "Say how much arrived of a part" in without
    assert "Of it arrived: 9.00 USD." in proposed
    assert "SENT → FAILED" in confirmed
    assert (payment.failure_code, payment.delivered_value) == ("PARTIALLY_DELIVERED", 900)


def test_who_pays_again_at_a_low_rate_is_told_that_they_do() -> None:
    market = Market(pricing=Pricing.FIXED_SEND, workers=1)
    market.secure()
    market.set_rates("USD", "0.01")
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    market.settle_down(lambda: Payable.objects.get().failures > 0)

    page = page_of(entering(an_operator()), Payment.objects.get(purpose="PAYOUT"))

    assert "Far less would arrive" in page
    assert "Pay again" in page
    assert "though no more than 2.13 MXN would arrive" in page


def test_a_completed_payment_has_its_entries_and_its_receipt_in_its_timeline() -> None:
    simulation = Simulation(temperament="strict")
    simulation.run()

    told = timeline(simulation.payment_now())

    booked = next(each for each in told if each.kind is Kind.BOOKS)
    assert [line.split()[0] for line in booked.details] == ["PAYER", "SELLER"]
    assert any(each.kind is Kind.RECEIPT for each in told)
    order = next(each for each in told if each.what == "create-outgoing-payment")
    assert order.details[:2] == ("sandbox.example", "HTTP 201")
    assert order.took_ms is not None


def test_tries_in_vain_are_one_line() -> None:
    payment = hanging(PaymentStatus.SENT).payment

    looks = [each for each in timeline(payment) if each.what == "get-public-incoming-payment"]

    assert any(each.times > 3 and each.until is not None for each in looks)


def test_no_secret_of_a_payment_is_on_its_page(client: Client) -> None:
    payment = hanging(PaymentStatus.SENT).payment
    client.force_login(an_operator())

    page = page_of(client, payment)

    grants = [*payment.grants.all()]
    for grant in grants:
        secrets = grant.open_secrets()
        for secret in (secrets.access_token, secrets.continue_token, secrets.client_nonce):
            assert not secret or secret not in page
        assert not grant.secrets or grant.secrets not in page
    for call in payment.calls.exclude(body=""):
        assert call.body not in page


def test_the_list_finds_what_needs_attention(client: Client) -> None:
    payment = hanging(PaymentStatus.UNKNOWN).payment
    client.force_login(an_operator())
    url = reverse("admin:payments_payment_changelist")

    found = {
        needs: str(payment.id) in client.get(url, {"needs": needs}).content.decode()
        for needs in ("unknown", "late", "stuck")
    }

    assert found == {"unknown": True, "late": True, "stuck": False}


def test_nothing_is_done_by_a_link_or_by_who_is_no_operator(client: Client) -> None:
    payment = hanging(PaymentStatus.UNKNOWN).payment
    url = reverse("admin:payments_payment_do", args=[payment.id, "resolve"])
    operator, stranger = entering(an_operator()), entering(a_person(wallet=False))

    assert operator.get(url).status_code == 405
    assert operator.post(url.replace("resolve", "edit")).status_code == 404
    assert stranger.post(url, {"outcome": "COMPLETED"}).status_code == 302
    assert "This field is required" in do(operator, payment, "resolve", outcome="COMPLETED")
    assert not payment.resolutions.exists()
    assert not LogEntry.objects.exists()


# --- the treasury, webhooks, keys, reconciliation -------------------------------------------------


def a_treasury_grant(operator: User) -> HeldGrant:
    wallet = a_wallet(operator)
    seller = Seller.objects.create(
        slug="treasury", wallet=wallet, is_treasury=True, created_at=NOON
    )
    return HeldGrant.objects.create(
        scope=GrantScope.TREASURY,
        status=HeldGrantStatus.HELD,
        payer=operator,
        reference=seller.id,
        sender=wallet,
        limit_value=100_000,
        reserved_value=85_000,
        starts_at=NOON,
        period_days=30,
        period_until=datetime.now(UTC) + timedelta(days=9, hours=1),
        return_url="https://app.example/",
        deadline_at=NOON,
        created_at=NOON,
        updated_at=NOON,
    )


def test_a_consent_of_the_treasury_is_shown_with_what_is_left_renewed_and_revoked(
    client: Client,
) -> None:
    operator = an_operator()
    grant = a_treasury_grant(operator)
    client.force_login(operator)

    start = client.get("/admin/").content.decode()
    do(client, grant, "renew", limit="200000")
    do(client, grant, "revoke")

    grant.refresh_from_db()
    newer = HeldGrant.objects.exclude(id=grant.id).get()
    assert "850.00 USD of 1,000.00 USD" in start
    assert "9 days left" in start
    assert (newer.limit_value, newer.payer) == (200_000, operator)
    assert grant.status == HeldGrantStatus.CLOSING
    assert LogEntry.objects.filter(object_id=str(grant.id)).count() == 2


def test_the_first_consent_of_the_treasury_is_asked_for_on_the_start_page_and_noted(
    client: Client,
) -> None:
    operator = an_operator()
    a_treasury_grant(operator).delete()
    client.force_login(operator)
    key = str(new_id())

    offered = client.get("/admin/").content.decode()
    refused = client.post("/admin/treasury/", {"key": key, "limit": "0"}, follow=True)
    for _ in range(2):
        asked = client.post("/admin/treasury/", {"key": key, "limit": "250000"})

    grant = HeldGrant.objects.get()
    shown = client.get("/admin/").content.decode()
    assert "no consent is held" in offered and "consent</button>" in offered
    assert "100 is 1.00 USD" in offered
    assert "The wallet is being asked" in page_of(client, grant)
    assert "Say how much may be paid out" in refused.content.decode()
    assert asked["Location"].endswith(f"/heldgrant/{grant.id}/change/")
    assert (grant.limit_value, grant.payer, grant.scope) == (250_000, operator, "TREASURY")
    assert f"{grant.status}</span>" in shown and "0.00 USD of 2,500.00 USD" in shown
    assert OperatorAction.objects.filter(change_message__contains="2,500.00 USD").exists()
    assert client.get("/admin/treasury/").status_code == 405


def test_nobody_but_an_operator_asks_for_a_consent_of_the_treasury(client: Client) -> None:
    a_treasury_grant(an_operator()).delete()
    client.force_login(a_person(wallet=False))

    client.post("/admin/treasury/", {"key": str(new_id()), "limit": "1"})

    assert not HeldGrant.objects.exists()


def test_an_operator_brings_a_delivery_again_that_its_owner_missed(client: Client) -> None:
    person = a_user()
    made = an_endpoint(person)
    announce(f"user:{person.id}")
    relay(now=NOON)
    (delivery,) = deliveries(made.endpoint)
    WebhookDelivery.objects.filter(id=delivery.id).update(
        status=DeliveryStatus.MISSED, due_at=None, ended_at=NOON, event_at=datetime.now(UTC)
    )
    client.force_login(an_operator())

    page = do(client, delivery, "replay")
    delivery.refresh_from_db()
    again = delivery.status
    WebhookDelivery.objects.filter(id=delivery.id).update(
        status=DeliveryStatus.MISSED, due_at=None, ended_at=NOON
    )
    do(client, made.endpoint, "replay")

    delivery.refresh_from_db()
    assert "Brought it again" in page
    assert (again, delivery.status) == (DeliveryStatus.PENDING, DeliveryStatus.PENDING)
    assert LogEntry.objects.count() == 2


def test_a_key_is_approved_and_revoked_and_a_refusal_leaves_no_note(
    client: Client, settings: Any
) -> None:
    settings.TEST_MODE = False
    made = api_keys.create_api_key(
        owner=a_person(wallet=False), name="shop", scopes=[Scope.READ], test_mode=False, now=NOON
    )
    client.force_login(an_operator())

    offered = re.findall(r'id="do-(\w+)"', page_of(client, made.key))
    do(client, made.key, "approve")
    do(client, made.key, "revoke")
    refused = do(client, made.key, "revoke")

    key = ApiKey.objects.get(id=made.key.id)
    assert offered == ["approve", "revoke"]
    assert key.approved_at and key.revoked_at
    assert made.secret not in refused and key.digest not in refused
    assert "There is no such API key" in refused
    assert LogEntry.objects.count() == 2


def test_a_reconciliation_is_asked_for_and_noted(client: Client) -> None:
    client.force_login(an_operator())

    answer = client.post("/admin/reconcile/", follow=True)

    assert "Asked for a reconciliation" in answer.content.decode()
    assert client.get("/admin/reconcile/").status_code == 405
    assert LogEntry.objects.count() == 1


def test_a_discrepancy_shows_its_evidence_and_a_note_what_was_done(client: Client) -> None:
    payment = a_payment()
    evidence = {"receiver": "https://wallet.example/incoming/1", "said": "<b>25.00</b>"}
    Discrepancy.note(
        payment=payment, kind="LATE_CREDIT", expected="0", actual="2500", at=NOON, evidence=evidence
    )
    client.force_login(an_operator())
    client.post("/admin/reconcile/")

    listed = client.get(reverse("admin:payments_discrepancy_changelist")).content.decode()
    shown = page_of(client, Discrepancy.objects.get())
    noted = page_of(client, OperatorAction.objects.get())

    assert "Reconcile now" in listed
    assert '<a href="https://wallet.example/incoming/1"' in shown
    assert "&lt;b&gt;25.00&lt;/b&gt;" in shown
    assert "Asked for a reconciliation" in noted


def test_every_list_that_only_shows_opens_to_every_operator(client: Client) -> None:
    client.force_login(a_user("operator", is_staff=True))
    # Accounts and groups are changed there, so those two are for superusers.
    lists = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
        if model not in {User, Group}
    ]

    assert {url: client.get(url).status_code for url in lists} == dict.fromkeys(lists, 200)


# --- people ---------------------------------------------------------------------------------------


def test_a_person_is_erased_by_who_knows_their_address_and_the_log_does_not() -> None:
    operator, person = an_operator("Ana"), a_person("xochi")
    email = person.email
    client = entering(operator)
    client.post(
        reverse("admin:accounts_user_change", args=[person.pk]),
        {"display_name": "Xochiquetzal", "locale": "es", "bio": "", "is_active": "on"},
    )

    assert "Erase</button>" in page_of(client, person)
    mistaken = do(client, person, "erase", email="somebody@example.org")
    assert "This is not their e-mail address" in mistaken
    assert User.objects.get(id=person.id).email == email
    erased = do(client, person, "erase", email=email.upper())

    assert "Erased" in erased
    assert "Xochiquetzal" not in erased
    person.refresh_from_db()
    assert (person.display_name, person.locale) == ("", "")
    notes = OperatorAction.objects.order_by("id")
    assert [each.object_repr for each in notes] == [str(person.id)] * 2
    assert "Erase this person" not in page_of(client, person)


def test_the_page_of_a_person_says_what_stands_in_the_way_of_erasing_them() -> None:
    job = a_job()
    client = entering(an_operator())

    shown = page_of(client, job.owner)
    refused = do(client, job.owner, "erase", email=job.owner.email)

    assert "JOB_OPEN: Jobs of theirs are not over: 1." in shown
    assert "Erase</button>" not in shown
    assert "They cannot be erased yet. JOB_OPEN" in refused
    assert not OperatorAction.objects.exists()
    assert User.objects.get(id=job.owner_id).is_active


def test_who_may_not_change_people_may_not_erase_them() -> None:
    operator, person = an_operator(), a_person()
    User.objects.filter(id=operator.id).update(is_superuser=False)
    operator.user_permissions.add(Permission.objects.get(codename="view_user"))
    client = entering(operator)

    assert 'id="do-erase"' not in page_of(client, person)
    assert "Only who may change people" in do(client, person, "erase", email=person.email)
    assert User.objects.get(id=person.id).email == person.email


def change_person(client: Client, person: User, **changes: object) -> None:
    kept = {"display_name": person.display_name, "locale": "", "bio": "", "is_active": "on"}
    url = reverse("admin:accounts_user_change", args=[person.pk])
    assert client.post(url, {**kept, **changes}).status_code == 302
    person.refresh_from_db()


def test_it_is_kept_when_and_by_whom_somebody_was_made_an_operator() -> None:
    operator, person = an_operator(), a_person()
    client, before = entering(operator), datetime.now(UTC)

    change_person(client, person, is_staff="on")
    since = person.operator_since
    assert since is not None
    assert before <= since <= datetime.now(UTC)
    assert person.made_operator_by == operator

    change_person(entering(an_operator()), person, is_staff="on", display_name="Xochitl")
    assert (person.operator_since, person.made_operator_by) == (since, operator)

    change_person(client, person)
    assert not person.is_staff
    assert User.objects.filter(pk=person.pk, operator_since=None, made_operator_by=None).exists()


def test_who_may_change_people_entrusts_nobody_with_more() -> None:
    operator, person = an_operator(), a_person()
    User.objects.filter(id=operator.id).update(is_superuser=False)
    operator.user_permissions.add(Permission.objects.get(codename="change_user"))
    group = Group.objects.create(name="everything")
    client = entering(operator)

    for who in (person, operator):
        change_person(client, who, is_staff="on", is_auditor="on", groups=[group.pk])
        assert not who.groups.exists()
        assert not who.is_auditor
    change_person(client, person, display_name="Xochitl")

    assert (person.display_name, person.is_staff) == ("Xochitl", False)
    assert User.objects.get(id=operator.id).is_staff


def test_the_log_names_a_key_by_its_beginning() -> None:
    made = api_keys.create_api_key(
        owner=a_person(), name="Xochiquetzal", scopes=[Scope.READ], test_mode=True, now=NOON
    )

    do(entering(an_operator()), made.key, "revoke")

    assert OperatorAction.objects.get().object_repr == f"{made.key.prefix}…"
