"""Keys for programs: made, approved, used and revoked."""

from collections.abc import Collection
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from backend.accounts import api_keys
from backend.accounts.api_keys import Issued
from backend.accounts.callers import caller_for_bearer
from backend.accounts.errors import KeyRefused
from backend.accounts.models import ApiKey, Scope, User
from backend.errors import Forbidden, NotFound, RateLimited, ValidationFailed
from backend.ids import new_id
from tests.accounts.people import NOON, Form

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return Form().send().user


@pytest.fixture
def operator() -> User:
    return User.objects.create_user("op@example.com", is_staff=True)


def a_key(owner: User, *scopes: Scope, test_mode: bool = True, name: str = "Shop") -> Issued:
    return api_keys.create_api_key(
        owner=owner, name=name, scopes=scopes or [Scope.READ], test_mode=test_mode, now=NOON
    )


def owner_of(secret: str, *, seconds: float = 0) -> User:
    return api_keys.working_key(secret, now=NOON + timedelta(seconds=seconds)).owner


def refusal(secret: str) -> str:
    with pytest.raises(KeyRefused) as refused:
        owner_of(secret)
    return refused.value.message


def test_a_key_acts_for_its_owner_and_only_its_hash_is_kept(ana: User) -> None:
    made = a_key(ana)

    assert owner_of(made.secret) == ana
    row = str(ApiKey.objects.values().get())
    assert made.secret not in row
    assert made.secret[-30:] not in row
    assert made.secret.startswith(made.key.prefix)
    assert made.key.prefix.startswith("faena_test_")
    assert len(made.key.prefix) == len("faena_test_") + 4


@pytest.mark.parametrize("form", ["", "{}x", "x{}", "faena_{}", "faena_test_" + "A" * 43, "\x00{}"])
def test_anything_else_is_no_key(ana: User, form: str) -> None:
    assert refusal(form.format(a_key(ana).secret)) == "This API key is unknown or was revoked."


def test_a_session_is_no_key_and_a_key_no_session(ana: User) -> None:
    session = Form(email="bea@example.com").send()

    assert refusal(session.token)
    person = caller_for_bearer(header=f"Bearer {session.token}", now=NOON)
    program = caller_for_bearer(header=f"Bearer {a_key(ana).secret}", now=NOON)
    assert person and (person.user, person.key) == (session.user, None)
    assert program and program.user == ana
    assert program.key is not None


def test_a_key_of_a_closed_account_is_refused(ana: User) -> None:
    secret = a_key(ana).secret
    User.objects.update(is_active=False)

    assert refusal(secret)


def test_a_revoked_key_is_refused_at_once_and_the_others_go_on(ana: User) -> None:
    lost, kept = a_key(ana), a_key(ana)

    api_keys.revoke_api_key(user=ana, key_id=lost.key.id, now=NOON)

    assert refusal(lost.secret) == "This API key is unknown or was revoked."
    assert owner_of(kept.secret) == ana
    assert [key.id for key in api_keys.live_keys(ana)] == [kept.key.id]
    with pytest.raises(NotFound):
        api_keys.revoke_api_key(user=ana, key_id=lost.key.id, now=NOON)


def test_nobody_else_can_revoke_a_key_but_an_operator(ana: User, operator: User) -> None:
    made = a_key(ana)
    bea = Form(email="bea@example.com").send().user
    auditor = User.objects.create_user("auditor@example.com", is_auditor=True)

    for key_id in (made.key.id, new_id()):
        with pytest.raises(NotFound):
            api_keys.revoke_api_key(user=bea, key_id=key_id, now=NOON)
    with pytest.raises(Forbidden):
        api_keys.revoke_api_key(user=auditor, key_id=made.key.id, now=NOON)
    assert owner_of(made.secret) == ana

    api_keys.revoke_api_key(user=operator, key_id=made.key.id, now=NOON)
    assert refusal(made.secret)


@pytest.mark.parametrize("here", [True, False])
def test_an_installation_makes_keys_of_its_own_kind_only(
    ana: User, settings: Settings, here: bool
) -> None:
    settings.TEST_MODE = here

    assert a_key(ana, test_mode=here).secret.startswith(f"faena_{'test' if here else 'live'}_")
    with pytest.raises(ValidationFailed) as refused:
        a_key(ana, test_mode=not here)
    assert refused.value.path == ("testMode",)


def test_a_test_key_does_not_work_where_money_is_real(ana: User, settings: Settings) -> None:
    secret = a_key(ana).secret
    settings.TEST_MODE = False

    assert "real money" in refusal(secret)
    # Nor does a row that somebody has renamed.
    ApiKey.objects.update(digest=api_keys._digest(secret.replace("test", "live")))
    assert refusal(secret.replace("test", "live"))


def test_a_live_key_does_not_work_where_money_is_play_money(
    ana: User, operator: User, settings: Settings
) -> None:
    settings.TEST_MODE = False
    made = a_key(ana, test_mode=False)
    api_keys.approve_api_key(user=operator, key_id=made.key.id, now=NOON)
    assert owner_of(made.secret) == ana

    settings.TEST_MODE = True
    assert "play money" in refusal(made.secret)


def test_a_live_key_works_once_an_operator_has_approved_it(
    ana: User, operator: User, settings: Settings
) -> None:
    settings.TEST_MODE = False
    made = a_key(ana, test_mode=False)
    assert refusal(made.secret) == "This API key waits for the approval of an operator."
    with pytest.raises(Forbidden):
        api_keys.approve_api_key(user=ana, key_id=made.key.id, now=NOON)

    for _ in range(2):
        approved = api_keys.approve_api_key(user=operator, key_id=made.key.id, now=NOON)

    assert (approved.approved_at, approved.approved_by) == (NOON, operator)
    assert owner_of(made.secret) == ana


def test_use_is_written_down_at_most_once_a_minute(ana: User) -> None:
    made = a_key(ana)
    assert made.key.last_used_at is None

    owner_of(made.secret)
    with CaptureQueriesContext(connection) as within_the_minute:
        owner_of(made.secret, seconds=59)
    assert len(within_the_minute) == 1
    assert ApiKey.objects.get().last_used_at == NOON

    owner_of(made.secret, seconds=60)
    owner_of(made.secret, seconds=90)
    assert ApiKey.objects.get().last_used_at == NOON + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("name", "scopes", "path"),
    [("", [Scope.READ], "name"), ("x" * 81, [Scope.READ], "name"), ("Shop", [], "scopes")],
)
def test_a_key_has_a_name_and_a_scope(
    ana: User, name: str, scopes: Collection[Scope], path: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        api_keys.create_api_key(owner=ana, name=name, scopes=scopes, test_mode=True, now=NOON)

    assert refused.value.path == (path,)


def test_keys_are_made_so_often_and_kept_so_many(
    ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "MOST_KEYS", 2)
    first, _second = a_key(ana), a_key(ana)
    with pytest.raises(ValidationFailed):
        a_key(ana)

    api_keys.revoke_api_key(user=ana, key_id=first.key.id, now=NOON)
    a_key(ana)

    monkeypatch.setattr(api_keys, "MOST_KEYS", 100)
    for _ in range(26):
        a_key(ana)
    with pytest.raises(RateLimited):
        a_key(ana)
