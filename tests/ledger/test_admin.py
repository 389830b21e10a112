"""Operators look at the books in the admin, and write nothing there."""

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

from backend.accounts.models import User
from backend.ledger import refs
from backend.ledger.models import Account, Entry, Transfer
from tests.ledger.books import USD, a_payer, a_payment, moved

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("root@example.com", "x")


@pytest.mark.parametrize("model", [Account, Transfer, Entry])
def test_nothing_is_added_changed_or_deleted_there(operator: User, model: type[Account]) -> None:
    request = RequestFactory().get("/admin/")
    request.user = operator
    page = admin.site.get_model_admin(model)

    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)


def test_every_page_of_the_books_can_be_seen_and_searched(client: Client, operator: User) -> None:
    transfer = moved(a_payer(), refs.fees(USD), 123_457, payment=a_payment())
    client.force_login(operator)
    pages = [
        "/admin/ledger/account/",
        f"/admin/ledger/account/{refs.fees(USD).id}/change/",
        "/admin/ledger/transfer/",
        f"/admin/ledger/transfer/?q={transfer.payment_id}",
        f"/admin/ledger/transfer/{transfer.id}/change/",
        "/admin/ledger/entry/",
        f"/admin/ledger/entry/?q={transfer.payment_id}",
    ]

    answers = [client.get(page) for page in pages]

    assert [answer.status_code for answer in answers] == [200] * len(pages)
    amounts = "123457" in answers[0].content.decode(), "123457" in answers[5].content.decode()
    assert amounts == (True, True)
