"""Another password: whoever knew the old one is out, by whichever way it was changed."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.management.commands import changepassword
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from backend.accounts import services
from backend.accounts.errors import BadCredentials, WrongPassword
from backend.accounts.models import BearerToken, User
from backend.accounts.signals import tokens_revoked
from backend.errors import RateLimited, ValidationFailed
from tests.accounts.hashers import InterruptedHasher
from tests.accounts.people import ADDRESS, NOON, PASSWORD, Form, log_in

pytestmark = pytest.mark.django_db

ANOTHER = "a staple horse corrects batteries"


@pytest.fixture
def told() -> Iterator[list[object]]:
    people: list[object] = []

    def listen(**said: object) -> None:
        people.append(said["user_id"])

    tokens_revoked.connect(listen)
    yield people
    tokens_revoked.disconnect(listen)


def change(
    session: services.Session,
    current: str = PASSWORD,
    new: str = ANOTHER,
    *,
    address: str = ADDRESS,
) -> None:
    services.change_password(
        user=User.objects.get(id=session.user.pk),
        current=current,
        new=new,
        header=f"Bearer {session.token}",
        remote_address=address,
        now=NOON,
    )


def is_in(session: services.Session) -> bool:
    return services.user_for_bearer(header=f"Bearer {session.token}", now=NOON) is not None


# --- by whichever way -----------------------------------------------------------------------------


def test_a_password_that_is_saved_ends_all_sessions_of_this_person_and_says_so(
    told: list[object], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    mine, hers = [Form().send(), log_in()], Form(email="bea@example.com").send()
    user = User.objects.get(id=mine[0].user.pk)

    with django_capture_on_commit_callbacks(execute=True):
        user.set_password(ANOTHER)
        user.save()

    assert [is_in(session) for session in (*mine, hers)] == [False, False, True]
    assert told == [user.pk]


def test_what_is_saved_besides_the_password_ends_none() -> None:
    session = Form().send()
    user = User.objects.get(id=session.user.pk)

    user.display_name = "Anna"
    user.save()

    assert is_in(session)


def test_a_newer_hash_of_the_same_password_ends_none(settings: Settings) -> None:
    session = Form().send()
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]

    log_in()

    assert User.objects.get().password.startswith("pbkdf2")
    assert is_in(session)


def test_an_operators_own_change_in_the_admin_ends_their_sessions(client: Client) -> None:
    session = Form().send()
    User.objects.update(is_staff=True)
    client.force_login(User.objects.get())

    answer = client.post(
        "/admin/password_change/",
        {"old_password": PASSWORD, "new_password1": ANOTHER, "new_password2": ANOTHER},
    )

    assert answer.status_code == 302
    assert not is_in(session)


def test_the_command_for_forgotten_passwords_ends_their_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = Form().send()
    monkeypatch.setattr(changepassword.Command, "_get_pass", lambda *_: ANOTHER)

    call_command("changepassword", "ana@example.com", verbosity=0)

    assert not is_in(session)
    assert is_in(log_in(password=ANOTHER))


# --- by oneself -----------------------------------------------------------------------------------


def test_who_changes_their_password_stays_and_is_logged_out_elsewhere(
    told: list[object], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    here, elsewhere, hers = Form().send(), log_in(), Form(email="bea@example.com").send()

    with django_capture_on_commit_callbacks(execute=True):
        change(here)

    assert [is_in(session) for session in (here, elsewhere, hers)] == [True, False, True]
    assert told == [here.user.pk]
    assert is_in(log_in(password=ANOTHER))
    with pytest.raises(BadCredentials):
        log_in()


@pytest.mark.parametrize("wrong", ["", "wrong", PASSWORD + " ", "\ud800", "x" * 1_000_000])
def test_it_takes_the_password_that_they_have(wrong: str) -> None:
    here, elsewhere = Form().send(), log_in()

    with pytest.raises(WrongPassword) as refused:
        change(here, wrong)

    assert refused.value.path == ("currentPassword",)
    assert is_in(elsewhere)
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize("poor", ["", "short", "12345678", "ana@example.com", "\0" * 12, "x" * 257])
def test_a_password_that_signing_up_refuses_is_refused(poor: str) -> None:
    here, elsewhere = Form().send(), log_in()

    with pytest.raises(ValidationFailed) as refused:
        change(here, new=poor)

    assert refused.value.path == ("newPassword",)
    assert is_in(elsewhere)


def test_guesses_at_it_are_counted_together_with_those_of_logging_in() -> None:
    here = Form().send()
    for number in range(5):
        with pytest.raises(WrongPassword):
            change(here, f"guess {number}", address=f"198.51.100.{number}")

    with pytest.raises(RateLimited):
        change(here)
    with pytest.raises(RateLimited):
        log_in()


# --- at the same time -----------------------------------------------------------------------------


@pytest.fixture
def meanwhile(settings: Settings) -> Iterator[list[Callable[[], object]]]:
    settings.PASSWORD_HASHERS = ["tests.accounts.hashers.InterruptedHasher"]
    yield InterruptedHasher.meanwhile
    InterruptedHasher.meanwhile.clear()


def test_a_log_in_that_was_judged_by_the_old_password_opens_nothing(
    meanwhile: list[Callable[[], object]],
) -> None:
    here = Form().send()
    meanwhile.append(lambda: change(here))

    with pytest.raises(BadCredentials):
        log_in(now=NOON + timedelta(seconds=1))

    assert BearerToken.objects.filter(revoked_at=None).count() == 1
    assert User.objects.get().last_login is None


def test_of_two_changes_at_once_one_wins(meanwhile: list[Callable[[], object]]) -> None:
    here, elsewhere = Form().send(), log_in()
    meanwhile.append(lambda: change(elsewhere, new="whoever came first has it"))

    with pytest.raises(WrongPassword):
        change(here)

    assert User.objects.get().check_password("whoever came first has it")
    assert [is_in(here), is_in(elsewhere)] == [False, True]
