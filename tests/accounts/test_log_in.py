"""Logging in: one refusal for every reason, and few tries."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from backend.accounts import services
from backend.accounts.errors import BadCredentials
from backend.accounts.models import BearerToken, User
from backend.errors import ErrorCode, RateLimited
from tests.accounts.hashers import CountingHasher
from tests.accounts.people import NOON, PASSWORD, Form, log_in


@pytest.mark.django_db
def test_logging_in_gives_each_device_a_token_of_its_own() -> None:
    signed_up = Form().send()

    logged_in = log_in("ANA@example.com", now=NOON + timedelta(days=1))

    assert logged_in.user == signed_up.user
    assert logged_in.token != signed_up.token
    assert list(BearerToken.objects.order_by("created_at").values_list("label", flat=True)) == [
        "",
        "phone",
    ]
    assert User.objects.get().last_login == NOON + timedelta(days=1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ana@example.com", "wrong"),
        ("ana@example.com", ""),
        ("ana@example.com", PASSWORD + " "),
        ("ana@example.com", PASSWORD + "x" * 1_000_000),
        ("bea@example.com", PASSWORD),
        ("", ""),
        ("\x00", "\x00"),
        ("ana\x00@example.com", PASSWORD),
        ("\ud800@example.com", "\udfff"),
        ("ana@example.com", "\ud800"),
    ],
)
def test_every_wrong_pair_is_refused_in_the_same_words(email: str, password: str) -> None:
    Form().send()

    with pytest.raises(BadCredentials) as refused:
        log_in(email, password)

    assert refused.value.code == ErrorCode.BAD_CREDENTIALS
    assert refused.value.message == "E-mail address or password is wrong."
    assert BearerToken.objects.count() == 1


@pytest.mark.django_db
def test_a_closed_account_looks_like_a_wrong_password() -> None:
    Form().send()
    User.objects.update(is_active=False)

    with pytest.raises(BadCredentials):
        log_in()


@pytest.mark.django_db
def test_an_unknown_address_costs_as_many_hashes_as_a_known_one() -> None:
    Form().send()
    worked: list[int] = []

    for email in ("ana@example.com", "bea@example.com"):
        before = CountingHasher.worked
        with pytest.raises(BadCredentials):
            log_in(email, "wrong")
        worked.append(CountingHasher.worked - before)

    assert worked[0] == worked[1] > 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("device_name", "label"),
    [(" Ana's \x00phone\ud800 ", "Ana's phone"), ("x" * 500, "x" * 80), ("", "")],
)
def test_a_device_may_be_called_anything(device_name: str, label: str) -> None:
    Form().send()
    BearerToken.objects.all().delete()

    services.log_in(
        email="ana@example.com",
        password=PASSWORD,
        device_name=device_name,
        remote_address="",
        now=NOON,
    )

    assert BearerToken.objects.get().label == label


@pytest.mark.django_db
def test_a_person_without_password_cannot_log_in() -> None:
    User.objects.create_user("bot@example.com")

    with pytest.raises(BadCredentials):
        log_in("bot@example.com", "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("email", ["ana@example.com", "unknown@example.com"])
def test_of_sixty_guesses_at_once_from_sixty_networks_at_most_five_are_judged(email: str) -> None:
    Form().send()

    def guess(number: int) -> str:
        try:
            log_in(email.upper(), f"guess {number}", remote_address=f"198.51.100.{number}")
        except BadCredentials:
            return "judged"
        except RateLimited:
            return "limited"
        finally:
            connections.close_all()
        return "in"

    with ThreadPoolExecutor(20) as threads:
        outcomes = list(threads.map(guess, range(60)))

    assert outcomes.count("judged") == 5
    assert outcomes.count("limited") == 55


@pytest.mark.django_db
def test_the_right_password_does_not_open_an_account_whose_tries_are_used_up() -> None:
    Form().send()
    for _ in range(5):
        with pytest.raises(BadCredentials):
            log_in(password="wrong")

    with pytest.raises(RateLimited):
        log_in()


@pytest.mark.django_db
def test_one_network_cannot_try_one_password_on_everybody() -> None:
    for number in range(50):
        with pytest.raises(BadCredentials):
            log_in(f"person{number}@example.com", PASSWORD)

    with pytest.raises(RateLimited):
        log_in("person50@example.com", PASSWORD)
