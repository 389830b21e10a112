"""Signing up: what is created, what is refused and what a refusal tells."""

from dataclasses import replace

import pytest
from django.db import IntegrityError

from backend.accounts.models import BearerToken, User
from backend.errors import ErrorCode, RateLimited, ValidationFailed
from tests.accounts.hashers import CountingHasher
from tests.accounts.people import NOON, Form

pytestmark = pytest.mark.django_db


def test_signing_up_makes_an_ordinary_person_who_is_logged_in() -> None:
    session = Form(email="  Ana@Example.COM ").send()

    user = User.objects.get(id=session.user.id)
    assert (user.email, user.display_name, user.locale) == ("ana@example.com", "Ana", "es")
    assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)
    assert user.created_at == NOON
    assert user.password.startswith("argon2$argon2id$")
    assert BearerToken.objects.get().user == user


def test_the_token_is_stored_only_as_a_digest() -> None:
    session = Form().send()

    row = BearerToken.objects.values().get()
    secret = session.token.removeprefix("faena_")
    assert len(secret) == 43
    assert not any(secret in str(value) for value in row.values())


@pytest.mark.parametrize("again", ["ana@example.com", "ANA@EXAMPLE.COM", " Ana@Example.Com\n"])
def test_one_mailbox_is_one_account_however_it_is_typed(again: str) -> None:
    Form().send()

    with pytest.raises(ValidationFailed) as taken:
        replace(Form(), email=again).send()

    assert User.objects.count() == 1
    assert taken.value.path == ("email",)


def test_a_taken_address_is_refused_like_an_unusable_one_and_costs_a_hash_too() -> None:
    Form().send()
    before = CountingHasher.worked

    with pytest.raises(ValidationFailed) as taken:
        Form().send()
    with pytest.raises(ValidationFailed) as unusable:
        replace(Form(), email="nobody").send()

    assert CountingHasher.worked == before + 1
    assert taken.value.message == unusable.value.message


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("email", "", "email"),
        ("email", "ana", "email"),
        ("email", "a" * 250 + "@example.com", "email"),
        ("email", "ana@example.com\nbcc: x@example.com", "email"),
        ("email", "ana@example.com\x00", "email"),
        ("email", "ana@\ud800ex.com", "email"),
        ("password", "", "password"),
        ("password", "short", "password"),
        ("password", "password1234", "password"),
        ("password", "73951846273", "password"),
        ("password", "ana@example.com", "password"),
        ("password", "x" * 257, "password"),
        ("password", "correct \ud800 horse battery", "password"),
        ("display_name", "  ", "displayName"),
        ("display_name", "a" * 81, "displayName"),
        ("display_name", "Ana\x00", "displayName"),
        ("display_name", "Ana\u202e", "displayName"),
        ("locale", "fr", "locale"),
        ("locale", "", "locale"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_saved(field: str, value: str, path: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        replace(Form(), **{field: value}).send()

    assert refused.value.code == ErrorCode.VALIDATION
    assert refused.value.path == (path,)
    assert User.objects.count() == 0


def test_one_network_signs_up_only_so_many_people() -> None:
    form = replace(Form(), password="")  # refused early, counted all the same
    for number in range(20):
        with pytest.raises(ValidationFailed):
            replace(form, remote_address=f"2001:db8:1:2::{number:x}").send()

    with pytest.raises(RateLimited) as limited:
        replace(form, remote_address="2001:db8:1:2:ffff::1").send()

    assert 0 < limited.value.retry_after_seconds <= 3600
    assert replace(Form(), remote_address="2001:db8:1:3::1").send().user.email == "ana@example.com"


def test_the_database_itself_refuses_an_address_in_capitals() -> None:
    with pytest.raises(IntegrityError):
        User.objects.create(email="Ana@example.com", display_name="Ana", created_at=NOON)


def test_only_the_command_line_makes_superusers() -> None:
    root = User.objects.create_superuser("Root@Example.com", "x")
    plain = User.objects.create_user("plain@example.com", "x")

    assert (root.email, root.is_superuser, root.is_staff) == ("root@example.com", True, True)
    assert (plain.is_superuser, plain.is_staff) == (False, False)
    assert User.objects.get_by_natural_key("ROOT@example.com") == root
