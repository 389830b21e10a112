import pytest

from tests.schema.client import data_of, execute
from tests.schema.world import a_person, a_wallet, global_id

pytestmark = pytest.mark.django_db


def test_wallets_are_chosen_and_removed() -> None:
    bob = a_person("bob")
    first, second = (global_id("Wallet", a_wallet(bob).id) for _ in range(2))
    query = """mutation ($first: ID!) {
      choose: setDefaultWallet(input: {walletId: $first}) { wallet { isDefault } errors { code } }
      remove: removeWallet(input: {walletId: $first}) { wallet { isDefault } errors { code } }
      again: setDefaultWallet(input: {walletId: $first}) { wallet { id } errors { code path } }
    }"""

    result = execute(query, variables={"first": first}, user=bob)

    assert data_of(result) == {
        "choose": {"wallet": {"isDefault": True}, "errors": []},
        "remove": {"wallet": {"isDefault": False}, "errors": []},
        "again": {"wallet": None, "errors": [{"code": "NOT_FOUND", "path": ["walletId"]}]},
    }
    left = data_of(execute("{ viewer { wallets { id } defaultWallet { id } } }", user=bob))
    assert left == {"viewer": {"wallets": [{"id": second}], "defaultWallet": {"id": second}}}
