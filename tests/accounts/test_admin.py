"""The admin shows people and wallets, and no secret of theirs."""

import pytest
from django.contrib import admin
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory
from pytest_django import Settings

from backend.accounts.errors import BadCredentials
from backend.accounts.models import BearerToken, User, WalletAddress
from tests.accounts.people import PASSWORD, Form, log_in

pytestmark = pytest.mark.django_db


def test_an_operator_sees_no_password_hash_and_cannot_become_superuser_there() -> None:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.create_superuser("root@example.com", "x")
    form = admin.site.get_model_admin(User).get_form(request, Form().send().user)

    assert not {"password", "is_superuser", "user_permissions"} & set(form.base_fields)


def test_wallets_are_read_only_and_tokens_are_not_there_at_all() -> None:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.create_superuser("root@example.com", "x")
    wallets = admin.site.get_model_admin(WalletAddress)

    assert not wallets.has_add_permission(request)
    assert not wallets.has_change_permission(request)
    assert not wallets.has_delete_permission(request)
    assert not admin.site.is_registered(BearerToken)


def test_the_admins_forms_are_sent_with_an_origin_that_is_not_null(client: Client) -> None:
    # Fetch, "append a request Origin header": under no-referrer a form's is null, and refused.
    page = client.get("/admin/login/")

    assert page["Referrer-Policy"] == "same-origin"


@pytest.fixture
def _limited(settings: Settings) -> None:
    settings.AUTHENTICATION_BACKENDS = ["backend.accounts.backends.LimitedBackend"]


@pytest.mark.usefixtures("_limited")
def test_the_admins_door_opens_to_the_right_password_only() -> None:
    user = Form().send().user
    request = RequestFactory().post("/admin/login/")

    assert authenticate(request, username="ANA@example.com", password=PASSWORD) == user
    assert authenticate(request, username="ana@example.com", password="wrong") is None
    assert authenticate(request, username="bea@example.com", password=PASSWORD) is None
    assert authenticate(request, token="x") is None


@pytest.mark.usefixtures("_limited")
def test_guesses_at_the_admins_door_and_at_ours_are_counted_together() -> None:
    Form().send()
    request = RequestFactory().post("/admin/login/")
    for _ in range(3):
        with pytest.raises(BadCredentials):
            log_in(password="wrong")
    for _ in range(2):
        assert authenticate(request, username="ana@example.com", password="wrong") is None

    assert authenticate(request, username="ana@example.com", password=PASSWORD) is None
