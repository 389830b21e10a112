"""The admin shows people and wallets, and no secret of theirs."""

import pytest
from django.contrib import admin
from django.test import RequestFactory

from backend.accounts.models import BearerToken, User, WalletAddress
from tests.accounts.people import Form

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
