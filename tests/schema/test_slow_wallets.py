"""Whoever looks at wallets that do not answer keeps nobody else waiting."""

import asyncio
import threading

import pytest

from backend.accounts import wallets
from backend.accounts.models import User
from backend.events.threads import in_database
from backend.open_payments import InvalidValue
from backend.schema.context import Context
from backend.schema.root import schema
from tests.schema.client import bearer_of
from tests.schema.world import NOON

pytestmark = pytest.mark.django_db(transaction=True)

MANY = "abcdefghij"
LOOK = "".join(f'{each}: lookupWallet(address: "{each}.example/x") {{ address }} ' for each in MANY)
ADD = """mutation { addWallet(input: {address: "evil.example/x"}) { errors { code } } }"""


@pytest.mark.parametrize("asked", [f"{{ {LOOK} }}", ADD])
async def test_wallets_that_do_not_answer_keep_nobody_from_the_database(
    asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    class Silent:
        def fetch(self, url: str) -> None:
            answers.wait(10)
            raise InvalidValue(url)

    monkeypatch.setattr(wallets, "wallet_directory", Silent)
    greedy, neighbour = [await in_database(an_account, name) for name in ("greedy", "neighbour")]

    looks = [asyncio.ensure_future(answer(asked, greedy)) for _ in MANY]
    await asyncio.sleep(0.2)
    found = await asyncio.wait_for(answer("{ viewer { displayName } }", neighbour), 3)

    assert found == {"viewer": {"displayName": "neighbour"}}
    answers.set()
    await asyncio.gather(*looks)


def an_account(name: str) -> str:
    user = User.objects.create_user(f"{name}@example.com", "correct horse", display_name=name)
    return bearer_of(user)


async def answer(query: str, bearer: str) -> object:
    class Noon:
        now = staticmethod(lambda: NOON)

    return (await schema.execute(query, context_value=Context(bearer=bearer, clock=Noon()))).data
