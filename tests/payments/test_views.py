from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client as Browser

from backend.clock import SYSTEM_CLOCK
from backend.open_payments import finish_hash
from backend.payments import links, services
from backend.payments.errors import NotConfirmable
from backend.payments.models import Grant, Payment, WalletCall
from backend.payments.status import GrantKind, GrantStatus, PaymentStatus
from tests.simulation.simulator import Simulation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asked() -> Simulation:
    """A payment whose payer has been asked and has not answered."""
    # The views read the machine's clock.
    simulation = Simulation(temperament="strict", start=SYSTEM_CLOCK.now())
    simulation.work()
    assert simulation.payment_now().status == PaymentStatus.AWAITING_APPROVAL
    return simulation


def grant_of(simulation: Simulation) -> Grant:
    return Grant.objects.get(payment=simulation.payment, kind=GrantKind.OUTGOING_PAYMENT)


def start(browser: Browser, grant: Grant) -> str:
    answer = browser.get(urlsplit(links.start_url(grant.id)).path)
    assert answer.status_code == 303
    return str(answer["Location"])


def approved_at_the_wallet(simulation: Simulation) -> str:
    """Path and query of the wallet's finish redirect."""
    location = simulation.decide("accept")
    return location.removeprefix("http://127.0.0.1:8000")


def grant_status_in(location: str) -> str:
    return parse_qs(urlsplit(location).query)["grantStatus"][0]


def test_start_sends_the_browser_to_the_wallet_and_marks_it(asked: Simulation) -> None:
    browser, grant = Browser(), grant_of(asked)

    location = start(browser, grant)

    assert location == grant.open_secrets().redirect
    (cookie,) = browser.cookies.values()
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/op/finish/"


def test_an_approval_in_the_browser_that_started_it_is_continued(asked: Simulation) -> None:
    browser = Browser()
    start(browser, grant_of(asked))

    answer = browser.get(approved_at_the_wallet(asked))

    assert answer.status_code == 303
    assert grant_status_in(answer["Location"]) == "APPROVED"
    asked.clock.advance(1)
    assert asked.run().status is PaymentStatus.COMPLETED


def test_an_approval_in_another_browser_waits_for_its_payer(asked: Simulation) -> None:
    answer = Browser().get(approved_at_the_wallet(asked))

    assert grant_status_in(answer["Location"]) == "CONFIRMATION_REQUIRED"
    asked.work()
    assert asked.payment_now().status == PaymentStatus.AWAITING_APPROVAL
    grant = grant_of(asked)

    services.confirm_grant(user=asked.payment.payer, grant_id=grant.id, now=asked.clock.now())

    assert asked.run().status is PaymentStatus.COMPLETED


def test_nothing_can_be_confirmed_before_an_approval_came_back(asked: Simulation) -> None:
    with pytest.raises(NotConfirmable):
        services.confirm_grant(
            user=asked.payment.payer, grant_id=grant_of(asked).id, now=asked.clock.now()
        )


def test_a_rejection_counts_in_the_browser_that_started(asked: Simulation) -> None:
    browser = Browser()
    start(browser, grant_of(asked))

    answer = browser.get(asked.decide("reject").removeprefix("http://127.0.0.1:8000"))

    assert grant_status_in(answer["Location"]) == "REJECTED"
    verdict = asked.run()
    assert (verdict.status, verdict.delivered) == (PaymentStatus.REJECTED, 0)


def test_a_rejection_from_elsewhere_changes_nothing(asked: Simulation) -> None:
    path = urlsplit(links.finish_url(grant_of(asked).id)).path

    Browser().get(path, {"result": "grant_rejected"})

    assert grant_of(asked).status == GrantStatus.AWAITING_APPROVAL


def test_forged_and_damaged_finishes_change_nothing(asked: Simulation) -> None:
    browser, grant = Browser(), grant_of(asked)
    start(browser, grant)
    genuine = parse_qs(urlsplit(approved_at_the_wallet(asked)).query)
    ref, proof = genuine["interact_ref"][0], genuine["hash"][0]
    path = urlsplit(links.finish_url(grant.id)).path

    for query in (
        {},
        {"interact_ref": ref},
        {"hash": proof},
        {"interact_ref": ref, "hash": "x"},
        {"interact_ref": ref, "hash": proof[:-4]},
        {"interact_ref": "another", "hash": proof},
        {"interact_ref": [ref, ref], "hash": proof},
        {"interact_ref": ref, "hash": [proof, proof]},
        {"interact_ref": ref, "hash": "ñ" * 44},
        {"result": "grant_invalid"},
        {"result": "<script>alert(1)</script>", "message": "<script>"},
    ):
        answer = browser.get(path, query)

        assert answer.status_code == 303
        assert "script" not in answer["Location"]
        assert grant_of(asked).status == GrantStatus.AWAITING_APPROVAL, query


def test_a_hash_for_another_authorization_server_changes_nothing(asked: Simulation) -> None:
    browser, grant = Browser(), grant_of(asked)
    start(browser, grant)
    secrets = grant.open_secrets()
    proof = finish_hash(
        client_nonce=secrets.client_nonce,
        interact_nonce=secrets.interact_nonce,
        interact_ref="ref",
        grant_endpoint="https://other.example/auth",
    )

    browser.get(urlsplit(links.finish_url(grant.id)).path, {"interact_ref": "ref", "hash": proof})

    assert grant_of(asked).status == GrantStatus.AWAITING_APPROVAL


def test_an_unknown_link_is_a_page_that_says_so() -> None:
    answer = Browser().get("/op/finish/nonsense")

    assert answer.status_code == 404
    assert b"not valid" in answer.content


def test_a_page_speaks_the_browsers_language() -> None:
    answer = Browser().get("/op/finish/nonsense", headers={"Accept-Language": "es-MX, en;q=0.5"})

    assert "no es válido" in answer.content.decode()
    assert b'<html lang="es">' in answer.content
    assert answer["Content-Language"] == "es"
    assert "Accept-Language" in answer["Vary"]


def test_fifty_finishes_at_once_are_one_continuation(asked: Simulation) -> None:
    browser, grant = Browser(), grant_of(asked)
    start(browser, grant)
    path = approved_at_the_wallet(asked)
    cookies = browser.cookies

    def finish(_: int) -> str:
        other_tab = Browser()
        other_tab.cookies = cookies
        try:
            return grant_status_in(other_tab.get(path)["Location"])
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(finish, range(50)))

    assert set(answers) == {"APPROVED"}
    assert asked.run().status is PaymentStatus.COMPLETED
    continued = WalletCall.objects.filter(
        payment=asked.payment, operation="continue-grant", is_answer=False
    )
    assert continued.count() == 1


def test_a_finish_after_the_end_only_shows_the_end(asked: Simulation) -> None:
    browser = Browser()
    start(browser, grant_of(asked))
    path = approved_at_the_wallet(asked)
    browser.get(path)
    asked.run()

    answer = browser.get(path)

    assert answer.status_code == 303
    assert Payment.objects.get(id=asked.payment.id).status == PaymentStatus.COMPLETED
    assert WalletCall.objects.filter(operation="create-outgoing-payment").count() == 2
