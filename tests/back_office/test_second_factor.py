"""A password alone opens nothing in the back office."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from backend import rate_limits
from backend.accounts.models import User
from backend.back_office import second_factor
from backend.back_office.models import OperatorAction, SecondFactor
from backend.back_office.second_factor import WrongCode
from backend.encryption import CannotDecrypt
from backend.errors import RateLimited
from tests.back_office.people import PASSWORD, an_operator, code_of
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

STEP = timedelta(seconds=second_factor.STEP_SECONDS)


@pytest.fixture(autouse=True)
def _asked_for(settings: Settings) -> None:
    settings.OPERATORS_NEED_SECOND_FACTOR = True


def set_up(user: User) -> tuple[SecondFactor, list[str]]:
    factor = second_factor.begin(user, now=NOON)
    return second_factor.confirm(user, code_of(factor, NOON), now=NOON)


def key_on(page: str) -> str:
    found = re.search(r'class="bo-key">([A-Z2-7 ]+)<', page)
    assert found, page
    return found[1]


# --- codes ----------------------------------------------------------------------------------------


def test_the_key_is_not_in_the_row_that_keeps_it() -> None:
    factor = second_factor.begin(an_operator(), now=NOON)

    assert factor.open_key().hex() not in factor.sealed_key


def test_a_code_is_taken_once_and_only_while_it_is_shown_give_or_take_a_step() -> None:
    user = an_operator()
    factor, _ = set_up(user)
    soon = NOON + 4 * STEP

    with pytest.raises(WrongCode):
        second_factor.check(user, code_of(factor, NOON), now=NOON)
    with pytest.raises(WrongCode):
        second_factor.check(user, code_of(factor, soon - 2 * STEP), now=soon)
    second_factor.check(user, code_of(factor, soon - STEP), now=soon)
    with pytest.raises(WrongCode):
        second_factor.check(user, code_of(factor, soon - STEP), now=soon)


def test_each_recovery_code_is_taken_once_however_it_is_written() -> None:
    user = an_operator()
    _, codes = set_up(user)

    second_factor.check(user, codes[0].upper().replace("-", " "), now=NOON)
    second_factor.check(user, codes[1], now=NOON)

    with pytest.raises(WrongCode):
        second_factor.check(user, codes[0], now=NOON)
    assert len(set(codes)) == second_factor.RECOVERY_CODES


def test_a_recovery_code_lets_in_where_the_key_no_longer_opens(settings: Settings) -> None:
    user = an_operator()
    _, codes = set_up(user)
    settings.ENCRYPTION_KEYS = [f"lost:{base64.b64encode(b'.' * 32).decode()}"]

    second_factor.check(user, codes[0], now=NOON)

    with pytest.raises(CannotDecrypt):
        second_factor.check(user, "000000", now=NOON)


def test_a_key_that_somebody_looked_at_before_is_not_the_one_that_is_confirmed() -> None:
    user = an_operator()
    seen = second_factor.begin(user, now=NOON)
    second_factor.begin(user, now=NOON)

    with pytest.raises(WrongCode):
        second_factor.confirm(user, code_of(seen, NOON), now=NOON)


def test_guesses_are_counted() -> None:
    user = an_operator()
    factor, _ = set_up(user)
    rate_limits.limiter().reset()
    for _try in range(5):
        with pytest.raises(WrongCode):
            second_factor.check(user, "000000", now=NOON + 9 * STEP)

    with pytest.raises(RateLimited):
        second_factor.check(user, code_of(factor, NOON + 9 * STEP), now=NOON + 9 * STEP)


# --- the doors ------------------------------------------------------------------------------------


def log_in(client: Client, user: User) -> str:
    """Show the password, and return where that leads."""
    answer = client.post(
        "/admin/login/?next=/admin/ledger/account/",
        {"username": user.email, "password": PASSWORD, "next": "/admin/ledger/account/"},
        follow=True,
    )
    return str(answer.redirect_chain[-1][0])


def test_the_first_log_in_sets_it_up_and_every_other_one_asks_for_it(client: Client) -> None:
    user = an_operator()

    door = log_in(client, user)
    key_on(client.get(door).content.decode())
    now = datetime.now(UTC)
    factor = SecondFactor.objects.get(user=user)
    codes = client.post(door, {"code": code_of(factor, now)}).content.decode()
    inside = client.get("/admin/ledger/account/")
    client.post("/admin/logout/")
    door = log_in(client, user)
    refused = client.get("/admin/")
    entered = client.post(door, {"code": code_of(factor, now + STEP)})

    assert door == "/admin/second-factor/?next=%2Fadmin%2Fledger%2Faccount%2F"
    assert codes.count("<li><code>") == second_factor.RECOVERY_CODES
    assert inside.status_code == 200
    assert refused.status_code == 302
    assert entered["Location"] == "/admin/ledger/account/"
    assert client.get(entered["Location"]).status_code == 200


def test_no_page_opens_to_who_has_shown_a_password_only(client: Client) -> None:
    user = an_operator()
    set_up(user)
    client.force_login(user)

    for page in ("", "payments/payment/", "password_change/", "jsi18n/", "accounts/user/"):
        answer = client.get(f"/admin/{page}", follow=True)
        assert answer.redirect_chain[-1][0].startswith("/admin/second-factor/"), page


def test_a_slip_keeps_the_key_that_was_scanned_and_a_reload_makes_another(client: Client) -> None:
    client.force_login(an_operator())
    door = "/admin/second-factor/"

    shown = key_on(client.get(door).content.decode())
    after_a_slip = key_on(client.post(door, {"code": "12345"}).content.decode())
    reloaded = key_on(client.get(door).content.decode())

    assert shown == after_a_slip
    assert reloaded != shown


def test_a_session_gets_another_name_with_the_second_factor(client: Client) -> None:
    user = an_operator()
    factor, _ = set_up(user)
    client.force_login(user)
    before = client.session.session_key

    client.post("/admin/second-factor/", {"code": code_of(factor, datetime.now(UTC))})

    assert client.session.session_key != before


def test_nobody_is_sent_to_another_site(client: Client) -> None:
    user = an_operator()
    factor, _ = set_up(user)
    client.force_login(user)

    answer = client.post(
        "/admin/second-factor/?next=https://evil.example/",
        {"code": code_of(factor, datetime.now(UTC)), "next": "//evil.example/"},
    )

    assert answer["Location"] == "/admin/"


def test_who_is_no_operator_comes_to_no_door(client: Client) -> None:
    client.force_login(User.objects.create_user("ana@example.org", PASSWORD))

    answer = client.get("/admin/second-factor/")

    assert answer["Location"] == "/admin/login/"
    assert not SecondFactor.objects.exists()


def test_a_reset_shuts_open_sessions_out_and_lets_them_set_up_another(client: Client) -> None:
    user = an_operator()
    factor, _ = set_up(user)
    client.force_login(user)
    client.post("/admin/second-factor/", {"code": code_of(factor, datetime.now(UTC))})
    inside = client.get("/admin/")

    call_command("reset_second_factor", user.email.upper())

    assert inside.status_code == 200
    assert client.get("/admin/").status_code == 302
    key_on(client.get("/admin/second-factor/").content.decode())
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "nobody@example.org")


def test_setting_it_up_is_kept_with_what_operators_do_and_cannot_be_unwritten(
    client: Client,
) -> None:
    user = an_operator()
    client.force_login(user)
    client.get("/admin/second-factor/")
    code = code_of(SecondFactor.objects.get(user=user), datetime.now(UTC))

    client.post("/admin/second-factor/", {"code": code})

    kept = OperatorAction.objects.get(user=user)
    assert kept.object_id == str(user.pk)
    if connection.vendor == "postgresql":
        with pytest.raises(ProgrammingError), transaction.atomic():
            OperatorAction.objects.filter(id=kept.pk).delete()


def test_development_may_leave_it_out(client: Client, settings: Settings) -> None:
    settings.OPERATORS_NEED_SECOND_FACTOR = False
    client.force_login(an_operator())

    assert client.get("/admin/").status_code == 200
