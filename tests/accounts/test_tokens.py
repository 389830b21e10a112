"""From an Authorization value to a person, and back to nobody."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts import services, tokens
from backend.accounts.models import BearerToken, User
from backend.errors import NotFound
from backend.ids import new_id
from tests.accounts.people import NOON, Form, log_in

pytestmark = pytest.mark.django_db


def who(header: str | None, *, hours: float = 0) -> User | None:
    return services.user_for_bearer(header=header, now=NOON + timedelta(hours=hours))


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER  {}", " Bearer {} "])
def test_a_bearer_token_is_its_user(form: str) -> None:
    session = Form().send()

    assert who(form.format(session.token)) == session.user


@pytest.mark.parametrize(
    "form",
    [
        "",
        "Bearer",
        "Bearer ",
        "{}",
        "Basic {}",
        "GNAP {}",
        "Bearer {}x",
        "Bearer x{}",
        "Bearer {0} {0}",
        "Bearer {0},Bearer {0}",
        "Bearer faena_" + "A" * 43,
        "Bearer \x00{}",
        "Bearer " + "a" * 100_000,
    ],
)
def test_anything_else_is_nobody(form: str) -> None:
    session = Form().send()

    assert who(form.format(session.token)) is None


def test_no_header_is_nobody() -> None:
    assert who(None) is None


def test_a_digest_from_a_stolen_database_is_no_token() -> None:
    Form().send()
    digest = BearerToken.objects.get().digest

    assert who(f"Bearer {digest}") is None
    assert who(f"Bearer faena_{digest[:43]}") is None


def test_a_token_dies_at_its_expiry() -> None:
    header = f"Bearer {Form().send().token}"

    assert who(header, hours=90 * 24 - 0.001) is not None
    assert who(header, hours=90 * 24) is None


def test_a_token_of_a_closed_account_is_nobody() -> None:
    header = f"Bearer {Form().send().token}"
    User.objects.update(is_active=False)

    assert who(header) is None


def test_logging_out_ends_this_device_only_and_may_be_repeated() -> None:
    laptop, phone = f"Bearer {Form().send().token}", f"Bearer {log_in().token}"

    for _ in range(2):
        services.log_out(header=laptop, everywhere=False, now=NOON)

    assert who(laptop) is None
    assert who(phone) is not None


def test_logging_out_everywhere_ends_all_devices_of_this_person_only() -> None:
    ana = [f"Bearer {Form().send().token}", f"Bearer {log_in().token}"]
    bea = f"Bearer {Form(email='bea@example.com').send().token}"

    services.log_out(header=ana[0], everywhere=True, now=NOON)

    assert [who(header) for header in ana] == [None, None]
    assert who(bea) is not None


def test_one_device_is_logged_out_from_another_and_nobody_elses() -> None:
    laptop, phone = f"Bearer {Form().send().token}", f"Bearer {log_in().token}"
    bea = Form(email="bea@example.com").send()
    user = who(laptop)
    assert user is not None
    on_phone = next(
        token for token in tokens.live_tokens(user, now=NOON) if tokens.is_of(phone, token)
    )
    foreign = BearerToken.objects.get(user=bea.user)

    for _ in range(2):
        services.end_session(user=user, session_id=on_phone.id, now=NOON)
    for stray in (foreign.id, new_id()):
        with pytest.raises(NotFound):
            services.end_session(user=user, session_id=stray, now=NOON)

    assert who(phone) is None
    assert who(laptop) == user
    assert who(f"Bearer {bea.token}") == bea.user
    assert [tokens.is_of(laptop, token) for token in tokens.live_tokens(user, now=NOON)] == [True]


def test_a_dead_token_cannot_log_others_out() -> None:
    laptop, phone = f"Bearer {Form().send().token}", f"Bearer {log_in().token}"
    services.log_out(header=laptop, everywhere=False, now=NOON)

    services.log_out(header=laptop, everywhere=True, now=NOON)
    services.log_out(header=None, everywhere=True, now=NOON)

    assert who(phone) is not None


def test_use_is_written_down_at_most_hourly() -> None:
    header = f"Bearer {Form().send().token}"

    with CaptureQueriesContext(
        connection,
    ) as within_the_hour:
        who(header, hours=0.9)
    who(header, hours=1)
    who(header, hours=1.5)

    assert len(within_the_hour) == 1
    assert BearerToken.objects.get().last_used_at == NOON + timedelta(hours=1)
