"""One test for each way through the flow, and one for each status a crash may leave behind."""

import math
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from django.conf import LazySettings

from backend.accounts.models import WalletAddress
from backend.open_payments import Operation
from backend.open_payments.types import OutgoingPayment
from backend.payments import workflow
from backend.payments.models import Attempt, Discrepancy, Grant, Payment, WalletCall
from backend.payments.patience import DECIDE_WITHIN, MAX_CONSENTS, MAX_REFUSALS
from backend.payments.paying import PaymentRun
from backend.payments.status import GrantKind, GrantStatus, PaymentStatus
from tests.simulation.simulator import Simulation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def simulation() -> Simulation:
    return Simulation(temperament="strict")


def statuses(simulation: Simulation) -> list[str]:
    rows = simulation.payment.transitions.order_by("at", "id")
    return [row.new for row in rows]


def calls(simulation: Simulation, operation: str) -> int:
    """How many requests of this kind certainly or possibly left us."""
    rows = WalletCall.objects.filter(payment=simulation.payment, operation=operation)
    return rows.filter(is_answer=True).count()


def test_a_payment_goes_from_created_to_completed(simulation: Simulation) -> None:
    verdict = simulation.run()

    assert statuses(simulation) == [
        "AWAITING_APPROVAL",
        "AUTHORIZED",
        "QUOTED",
        "SENDING",
        "SENT",
        "COMPLETED",
    ]
    assert verdict.delivered == 2500


def test_nothing_secret_is_left_when_a_payment_is_over(simulation: Simulation) -> None:
    simulation.run()

    for grant in Grant.objects.filter(payment=simulation.payment):
        assert grant.status in {GrantStatus.ENDED, GrantStatus.SUPERSEDED}
        assert grant.secrets == grant.interact_ref == ""


def test_secrets_do_not_open_on_another_row(simulation: Simulation) -> None:
    simulation.work()
    first, second = Grant.objects.filter(payment=simulation.payment)[:2]
    second.secrets = first.secrets

    with pytest.raises(Exception, match="does not decrypt"):
        second.open_secrets()


def test_the_payer_consents_to_one_receiver_and_the_quoted_debit(simulation: Simulation) -> None:
    simulation.options(fees={"bps": 100, "fixed": 25})
    simulation.work()

    payment = simulation.payment_now()

    assert payment.debit_value == payment.max_debit_value == 2550


def test_a_payer_with_another_currency_consents_to_a_little_more_and_pays_the_quote() -> None:
    simulation = Simulation(temperament="strict", payer_wallet="bob")

    verdict = simulation.run()

    payment = simulation.payment_now()
    assert verdict.status is PaymentStatus.COMPLETED
    assert payment.debit_amount
    assert payment.debit_amount.asset_code == "EUR"
    assert payment.max_debit_value == math.ceil(payment.debit_amount.value * Fraction(105, 100))
    assert payment.delivered_amount.asset_code == "USD"


def test_a_rate_that_moves_within_what_was_approved_does_not_stop_the_payment() -> None:
    simulation = Simulation(temperament="strict", payer_wallet="bob")
    simulation.work()
    simulation.options(fees={"bps": 300, "fixed": 0})

    assert simulation.run().status is PaymentStatus.COMPLETED


def test_a_payer_who_declines_is_not_charged(simulation: Simulation) -> None:
    simulation.approve = False

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.REJECTED, "GRANT_REJECTED")
    assert verdict.debits == 0


def test_a_payer_who_does_not_answer_lets_the_payment_expire(simulation: Simulation) -> None:
    simulation.work()
    simulation.clock.advance(DECIDE_WITHIN.total_seconds() + 1)

    simulation.work()

    payment = simulation.payment_now()
    assert (payment.status, payment.failure_code) == (PaymentStatus.EXPIRED, "GRANT_EXPIRED")
    assert payment.failure_retryable


def test_an_approval_as_late_as_the_deadline_still_counts(simulation: Simulation) -> None:
    simulation.options(interaction_life_s=3600)
    simulation.work()
    simulation.clock.advance(DECIDE_WITHIN.total_seconds() - 1)

    assert simulation.run().status is PaymentStatus.COMPLETED


def test_a_wallet_whose_clock_is_minutes_behind_is_paid_from(simulation: Simulation) -> None:
    simulation.world.bank.advance(-600)

    verdict = simulation.run()

    assert (verdict.status, verdict.problems) == (PaymentStatus.COMPLETED, [])


def test_a_quote_is_alive_for_as_long_as_its_own_wallets_clock_says() -> None:
    options = {"closes_receiver": False, "refuses_closed_receiver": False}
    simulation = Simulation(temperament="loose", options=options)
    simulation.world.bank.advance(-240)
    # It is carried out just before the quote ends, by the clock of the wallet.
    simulation.fault(call="create-outgoing-payment", when="late", late_s=280, act="reset")

    verdict = simulation.run()

    assert (verdict.status, verdict.problems) == (PaymentStatus.COMPLETED, [])
    assert "UNKNOWN→AUTHORIZED quote expired unused" not in verdict.history


def test_a_quote_that_expired_during_consent_is_replaced(simulation: Simulation) -> None:
    simulation.work()
    before = Attempt.objects.get(payment=simulation.payment).quote_url
    simulation.clock.advance(400)

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    assert Attempt.objects.get(payment=simulation.payment).quote_url != before


def test_a_payment_that_became_dearer_than_approved_is_not_made(simulation: Simulation) -> None:
    simulation.work()
    simulation.options(fees={"bps": 500, "fixed": 0})

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "GRANT_EXHAUSTED")
    assert verdict.debits == 0


def test_a_wallet_without_money_fails_the_payment_and_says_so(simulation: Simulation) -> None:
    simulation.fault(call="create-outgoing-payment", act="insufficient_funds")

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "INSUFFICIENT_FUNDS")
    assert simulation.payment_now().failure_retryable
    assert verdict.problems == []


def test_a_part_that_arrived_is_told_as_a_part(simulation: Simulation) -> None:
    simulation.fault(call="create-outgoing-payment", act="partial_delivery", value=700)

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "PARTIALLY_DELIVERED")
    assert simulation.payment_now().delivered_value == verdict.delivered == 700
    assert Discrepancy.objects.filter(payment=simulation.payment).exists()


def test_a_wallet_that_shows_what_arrived_to_nobody_without_a_token_is_asked_with_one() -> None:
    simulation = Simulation(temperament="strict", options={"public_shows_received": False})
    began = simulation.clock.now()

    verdict = simulation.run()

    assert (verdict.status, verdict.problems) == (PaymentStatus.COMPLETED, [])
    ended = simulation.payment_now().updated_at
    assert ended - began < timedelta(minutes=1)


def test_money_that_takes_its_time_is_waited_for(simulation: Simulation) -> None:
    simulation.options(settle_s=45)

    assert simulation.run().status is PaymentStatus.COMPLETED


def test_money_that_never_comes_is_stopped_at_the_receiver(simulation: Simulation) -> None:
    simulation.fault(call="create-outgoing-payment", act="stay_funding")

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "NOT_DELIVERED")
    assert calls(simulation, "complete-incoming-payment") == 1
    assert verdict.problems == []


def test_a_lost_continuation_asks_the_payer_again(simulation: Simulation) -> None:
    simulation.fault(call="continue-grant", when="after", act="reset", times=2)

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    asked = Grant.objects.filter(payment=simulation.payment, kind=GrantKind.OUTGOING_PAYMENT)
    assert asked.count() == 2
    assert asked.filter(status=GrantStatus.LOST).count() == 1
    assert calls(simulation, "cancel-grant") == 1


@pytest.mark.parametrize("times", [1, 6])
def test_a_continuation_that_a_wallet_in_trouble_never_took_up_is_tried_until_it_does(
    simulation: Simulation, times: int
) -> None:
    simulation.fault(call="continue-grant", act="503", times=times)

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    assert calls(simulation, "continue-grant") == times + 1
    assert "CREATED" not in statuses(simulation)


def test_a_wallet_that_never_gives_the_token_is_not_asked_for_ever(simulation: Simulation) -> None:
    simulation.fault(call="continue-grant", act="503", times=1000)

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "GRANT_LOST")
    assert verdict.debits == 0


def test_a_wallet_that_has_been_away_for_weeks_is_asked_all_the_same(
    simulation: Simulation,
) -> None:
    simulation.options(settle_s=3600)
    while simulation.payment_now().status != PaymentStatus.SENT:
        simulation.payment = simulation.payment_now()
        simulation.visit_wallet()
        if not simulation.work():
            simulation._wait()
    simulation.fault(call="*", act="reset", times=5)
    Payment.objects.filter(id=simulation.payment.id).update(tries=2000)

    for _ in range(4):
        if not simulation.work():
            simulation._wait()

    assert simulation.payment_now().tries > 2000


def test_a_consent_lost_three_times_gives_up(simulation: Simulation) -> None:
    simulation.fault(call="continue-grant", when="after", act="reset", times=1000)

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "GRANT_LOST")
    assert verdict.debits == 0


def test_a_lost_answer_to_the_order_is_found_at_the_wallet(simulation: Simulation) -> None:
    simulation.options(settle_s=20)
    simulation.fault(call="create-outgoing-payment", when="after", act="reset")

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    assert statuses(simulation)[-4:] == ["SENDING", "UNKNOWN", "SENT", "COMPLETED"]
    assert calls(simulation, "create-outgoing-payment") == 1


def test_an_order_that_never_arrived_is_proven_dead_before_the_payer_is_asked_again(
    simulation: Simulation,
) -> None:
    simulation.fault(call="create-outgoing-payment", when="before", act="reset")

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    dead, alive = Attempt.objects.filter(payment=simulation.payment).order_by("number")
    assert dead.proof == "receiver closed with nothing received"
    assert dead.dead_at
    assert dead.fenced_at
    assert dead.dead_at - dead.fenced_at >= timedelta(seconds=35)
    assert alive.incoming_payment_url != dead.incoming_payment_url


def test_an_order_that_comes_into_effect_after_its_receiver_was_closed_delivers_nothing(
    simulation: Simulation,
) -> None:
    simulation.fault(
        call="create-outgoing-payment", when="late", act="silence", seconds=10, late_s=30
    )

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    assert verdict.problems == []


def test_where_nobody_can_complete_the_quote_is_waited_out(simulation: Simulation) -> None:
    simulation.options(closes_receiver=False)
    simulation.fault(call="create-outgoing-payment", when="before", act="reset")

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    dead = Attempt.objects.get(payment=simulation.payment, number=1)
    assert dead.proof == "quote expired, absent twice, nothing received"
    consents = Grant.objects.filter(payment=simulation.payment, kind=GrantKind.OUTGOING_PAYMENT)
    assert consents.count() == 1


def test_a_token_that_died_while_nobody_worked_is_rotated(simulation: Simulation) -> None:
    simulation.options(token_life_s=60)
    simulation.work()
    simulation.fault(call="create-quote", when="before", act="503", retry_after=120)

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    assert calls(simulation, "rotate-token") == 1


def test_a_lost_rotation_asks_the_payer_again(simulation: Simulation) -> None:
    simulation.options(token_life_s=60)
    simulation.work()
    simulation.fault(call="create-quote", when="before", act="503", retry_after=120)
    simulation.fault(call="rotate-token", when="after", act="reset")

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    assert Grant.objects.filter(payment=simulation.payment, status=GrantStatus.LOST).count() == 1
    assert calls(simulation, "cancel-grant") == 1


def test_a_grant_that_the_payer_revoked_asks_again_or_fails_without_a_charge(
    simulation: Simulation,
) -> None:
    simulation.fault(call="create-outgoing-payment", act="revoke_grant")

    verdict = simulation.run()

    assert verdict.problems == []
    assert verdict.status in {PaymentStatus.COMPLETED, PaymentStatus.FAILED}


def test_a_wallet_that_refuses_every_quote_is_not_asked_for_ever(simulation: Simulation) -> None:
    simulation.fault(call="create-outgoing-payment", act="expire_quote", times=1000)

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "WALLET_REJECTED")
    assert calls(simulation, "create-outgoing-payment") == MAX_REFUSALS + 1


def test_a_payer_is_asked_three_times_at_most(simulation: Simulation) -> None:
    simulation.fault(call="continue-grant", when="after", act="reset", times=2)
    simulation.fault(call="create-outgoing-payment", when="before", act="reset", times=1000)

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.FAILED
    asked = Grant.objects.filter(payment=simulation.payment, kind=GrantKind.OUTGOING_PAYMENT)
    assert asked.count() == MAX_CONSENTS


def test_a_key_that_the_wallet_no_longer_knows_fails_with_the_reason(
    simulation: Simulation,
) -> None:
    simulation.fault(call="request-grant:incoming-payment", act="revoked_key", times=50)

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "WALLET_REJECTED")
    assert "key" in simulation.payment_now().failure_message


def test_a_wallet_that_is_away_is_waited_for_and_then_given_up(simulation: Simulation) -> None:
    simulation.fault(call="create-incoming-payment", act="503", times=1000)

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "UPSTREAM_UNAVAILABLE")
    assert simulation.payment_now().failure_retryable


@pytest.mark.parametrize("act", ["echo_other_receiver", "echo_other_amount"])
def test_a_quote_for_something_else_ends_the_payment(simulation: Simulation, act: str) -> None:
    simulation.fault(call="create-quote", when="after", act=act)

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "WALLET_REJECTED")
    assert verdict.debits == 0


@pytest.mark.parametrize("act", ["echo_other_receiver", "echo_other_amount", "garbage"])
def test_an_unbelievable_answer_to_the_order_is_reconciled(
    simulation: Simulation, act: str
) -> None:
    simulation.options(settle_s=5)
    simulation.fault(call="create-outgoing-payment", when="after", act=act)

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    assert "UNKNOWN" in statuses(simulation)


def test_a_wallet_that_changed_its_servers_is_not_paid(simulation: Simulation) -> None:
    seller = simulation.payment.receiver
    WalletAddress.objects.filter(id=seller.id).update(
        auth_server="http://sandbox.example/auth/elsewhere",
        checked_at=simulation.clock.at - timedelta(minutes=11),
    )

    verdict = simulation.run()

    assert (verdict.status, verdict.failure) == (PaymentStatus.FAILED, "WALLET_REJECTED")


def test_a_wallet_document_older_than_ten_minutes_is_read_again(simulation: Simulation) -> None:
    old = simulation.clock.at - timedelta(minutes=11)
    WalletAddress.objects.filter(id=simulation.payment.receiver_id).update(checked_at=old)

    simulation.run()

    assert calls(simulation, "get-wallet-address") == 1


def test_continuing_too_soon_waits_and_continues(simulation: Simulation) -> None:
    simulation.options(wait_s=5)

    assert simulation.run().status is PaymentStatus.COMPLETED


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_order_that_an_older_release_gave_in_other_words_is_found_or_proven_dead(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    given = workflow._order

    def in_other_words(run: PaymentRun, grant: Grant | None) -> Operation[OutgoingPayment]:
        order = given(run, grant)
        assert order.body is not None
        other = order.body.replace(b'"attempt"', b'"release":"older","attempt"')
        return replace(order, body=other) if simulation.deaths else order

    monkeypatch.setattr(workflow, "_order", in_other_words)

    def dies(_point: int) -> bool:
        point = simulation.points.names[-1]
        at_the_order = point.startswith(f"{moment} POST") and point.endswith("/outgoing-payments")
        return at_the_order and simulation.deaths == 0

    verdict = simulation.run(crash=dies)

    assert simulation.deaths == 1
    assert verdict.problems == []
    assert verdict.status == PaymentStatus.COMPLETED


def test_a_payment_past_its_deadline_in_flight_is_noted_and_still_watched(
    simulation: Simulation, settings: LazySettings
) -> None:
    simulation.options(settle_s=30)
    for _ in range(20):
        simulation.payment = simulation.payment_now()
        if simulation.payment.status == PaymentStatus.SENT:
            break
        simulation.visit_wallet()
        if not simulation.work():
            simulation._wait()
    Payment.objects.filter(id=simulation.payment.id).update(
        deadline_at=simulation.clock.at - timedelta(seconds=1)
    )

    verdict = simulation.run()

    assert verdict.status is PaymentStatus.COMPLETED
    assert Discrepancy.objects.get(payment=simulation.payment).kind == "PAST_DEADLINE"
