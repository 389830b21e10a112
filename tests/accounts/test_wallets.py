"""Wallets: what is typed, what their document says, and what must never be called."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections
from pytest_django import Settings

from backend import outbound
from backend.accounts import services
from backend.accounts.errors import WalletUnusable
from backend.accounts.models import User, WalletAddress
from backend.accounts.wallets import HttpWallets, kept_wallets, own_wallet
from backend.errors import (
    AssetMismatch,
    ErrorCode,
    NotFound,
    RateLimited,
    ValidationFailed,
    WalletRequired,
)
from backend.ids import new_id
from tests.accounts.people import NOON, a_person
from tests.outbound.conftest import Names
from tests.outbound.servers import WITNESS, Server, read_request, serving


class Wallets:
    """A loopback server of wallet documents, and the directory that reads it."""

    def __init__(self, server: Server, documents: dict[str, Any]) -> None:
        self.base = f"http://127.0.0.1:{server.port}"
        self.documents = documents
        policy = outbound.Policy(allowed_origins=frozenset({self.base}), total_timeout_seconds=2)
        self.http = outbound.client(policy)
        self.directory = HttpWallets(self.http)

    def open(self, name: str, **changes: object) -> str:
        document = {
            "id": f"{self.base}/{name}",
            "publicName": name.title(),
            "assetCode": "USD",
            "assetScale": 2,
            "authServer": f"{self.base}/auth",
            "resourceServer": f"{self.base}/op",
        }
        self.documents[f"/{name}"] = document | changes
        return f"{self.base}/{name}"

    def add(self, user: User, address: str, *, make_default: bool = False) -> WalletAddress:
        return services.add_wallet(
            user=user, address=address, make_default=make_default, now=NOON, wallets=self.directory
        )


@pytest.fixture
def wallets(settings: Settings) -> Iterator[Wallets]:
    documents: dict[str, Any] = {}

    def handler(connection: Any) -> None:
        while head := read_request(connection):
            path = head.split(b" ")[1].decode()
            document = documents.get(path)
            body = json.dumps(document).encode() if isinstance(document, dict) else b"{}"
            status = b"200 OK" if path in documents else b"404 Not Found"
            connection.sendall(
                b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (status, len(body), body)
            )

    with serving(handler) as server:
        wallets = Wallets(server, documents)
        settings.OP_DEV_ORIGINS = frozenset({wallets.base})
        yield wallets
        wallets.http.close()


@pytest.mark.django_db
def test_a_wallet_is_saved_as_its_own_document_describes_it(wallets: Wallets) -> None:
    user = a_person()
    wallets.open("ana", assetCode="MXN")

    wallet = wallets.add(user, f"  {wallets.base}/ana/ ")

    saved = WalletAddress.objects.get()
    assert saved == wallet
    assert saved.url == f"{wallets.base}/ana"
    assert saved.asset == ("MXN", 2)
    assert (saved.asset.code, saved.asset.scale) == ("MXN", 2)
    assert (saved.public_name, saved.owner, saved.checked_at) == ("Ana", user, NOON)
    assert saved.auth_server == f"{wallets.base}/auth"


@pytest.mark.django_db
def test_looking_a_wallet_up_saves_nothing(wallets: Wallets) -> None:
    wallet = services.lookup_wallet(
        address=wallets.open("ana"), principal="somebody", now=NOON, wallets=wallets.directory
    )

    assert wallet.public_name == "Ana"
    assert WalletAddress.objects.count() == 0


@pytest.mark.django_db
def test_adding_a_wallet_again_refreshes_it(wallets: Wallets) -> None:
    user = a_person()
    first = wallets.add(user, wallets.open("ana"))
    wallets.open("ana", publicName="Ana\u202e María ", authServer=f"{wallets.base}/moved")

    again = wallets.add(user, f"{wallets.base}/ana")

    assert again.id == first.id
    assert again.public_name == "Ana María"
    assert again.auth_server == f"{wallets.base}/moved"


@pytest.mark.django_db
def test_a_wallet_that_changed_its_asset_is_not_the_wallet_that_was_added(
    wallets: Wallets,
) -> None:
    user = a_person()
    wallets.add(user, wallets.open("ana"))
    wallets.open("ana", assetCode="EUR")

    with pytest.raises(AssetMismatch):
        wallets.add(user, f"{wallets.base}/ana")

    assert WalletAddress.objects.get().asset_code == "USD"


@pytest.mark.django_db
def test_the_first_wallet_is_the_default_until_another_is_chosen(wallets: Wallets) -> None:
    user = a_person()
    first = wallets.add(user, wallets.open("first"))
    second = wallets.add(user, wallets.open("second"))
    assert (first.is_default, second.is_default) == (True, False)

    third = wallets.add(user, wallets.open("third"), make_default=True)

    assert third.is_default
    assert WalletAddress.objects.get(is_default=True) == third
    again = wallets.add(user, second.url, make_default=True)
    assert WalletAddress.objects.get(is_default=True) == again == second


@pytest.mark.django_db
def test_a_default_is_chosen_among_ones_own_wallets(wallets: Wallets) -> None:
    user, other = a_person(), a_person("other")
    first, second = (wallets.add(user, wallets.open(name)) for name in ("first", "second"))
    foreign = wallets.add(other, wallets.open("foreign"))

    for _ in range(2):
        assert services.set_default_wallet(user=user, wallet_id=second.id) == second

    assert WalletAddress.objects.get(owner=user, is_default=True) == second
    for stray in (foreign.id, new_id()):
        with pytest.raises(NotFound):
            services.set_default_wallet(user=user, wallet_id=stray)
    assert set(WalletAddress.objects.filter(is_default=True)) == {second, foreign}
    assert first in kept_wallets(user)


@pytest.mark.django_db
def test_a_removed_wallet_is_kept_for_what_was_agreed_and_comes_back_when_it_is_added_again(
    wallets: Wallets,
) -> None:
    user = a_person()
    first, second, third = (wallets.add(user, wallets.open(name)) for name in ("a", "b", "c"))

    for _ in range(2):
        removed = services.remove_wallet(user=user, wallet_id=first.id, now=NOON)

    assert (removed.removed_at, removed.is_default) == (NOON, False)
    assert set(kept_wallets(user)) == {second, third}
    assert WalletAddress.objects.get(owner=user, is_default=True) == second
    with pytest.raises(NotFound):
        services.set_default_wallet(user=user, wallet_id=first.id)
    with pytest.raises(NotFound):
        own_wallet(user=user, wallet_id=first.id, path="payerWalletId", to_do="Add a wallet.")

    assert wallets.add(user, first.url) == first
    assert set(kept_wallets(user)) == {first, second, third}
    assert WalletAddress.objects.get(owner=user, is_default=True) == second


@pytest.mark.django_db
def test_who_has_removed_all_wallets_has_none(wallets: Wallets) -> None:
    user = a_person()
    only = wallets.add(user, wallets.open("only"))

    services.remove_wallet(user=user, wallet_id=only.id, now=NOON)

    with pytest.raises(WalletRequired):
        own_wallet(user=user, wallet_id=None, path="payerWalletId", to_do="Add a wallet.")
    assert wallets.add(user, only.url).is_default


@pytest.mark.django_db
def test_nobody_removes_a_foreign_wallet(wallets: Wallets) -> None:
    foreign = wallets.add(a_person("other"), wallets.open("foreign"))

    for stray in (foreign.id, new_id()):
        with pytest.raises(NotFound):
            services.remove_wallet(user=a_person(), wallet_id=stray, now=NOON)

    foreign.refresh_from_db()
    assert foreign.removed_at is None


@pytest.mark.django_db(transaction=True)
def test_of_wallets_that_are_chosen_and_removed_at_once_one_is_the_default(
    wallets: Wallets,
) -> None:
    user = a_person()
    mine = [wallets.add(user, wallets.open(f"w{number}")) for number in range(6)]

    def change(number: int) -> None:
        try:
            if number % 2:
                services.set_default_wallet(user=user, wallet_id=mine[number].id)
            else:
                services.remove_wallet(user=user, wallet_id=mine[number].id, now=NOON)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(change, range(6)))

    assert set(kept_wallets(user)) == {mine[1], mine[3], mine[5]}
    assert WalletAddress.objects.get(owner=user, is_default=True).removed_at is None


@pytest.mark.django_db(transaction=True)
def test_of_many_first_wallets_added_at_once_one_is_the_default(wallets: Wallets) -> None:
    user = a_person()
    addresses = [wallets.open(f"w{number}") for number in range(8)]

    def add(address: str) -> None:
        try:
            wallets.add(user, address, make_default=address.endswith("3"))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, addresses))

    assert WalletAddress.objects.filter(owner=user).count() == 8
    assert WalletAddress.objects.get(owner=user, is_default=True).url.endswith("w3")


@pytest.mark.django_db
def test_two_people_may_name_the_same_wallet(wallets: Wallets) -> None:
    address = wallets.open("shared")

    assert wallets.add(a_person(), address) != wallets.add(a_person(), address)


@pytest.mark.django_db
def test_a_wallet_of_the_platform_has_no_owner_and_exists_once(wallets: Wallets) -> None:
    address = wallets.open("treasury")

    for days in (0, 1):
        wallet = services.add_platform_wallet(
            address=address, now=NOON + timedelta(days=days), wallets=wallets.directory
        )

    assert WalletAddress.objects.get() == wallet
    assert (wallet.owner, wallet.is_default) == (None, False)
    assert wallet.checked_at == NOON + timedelta(days=1)


def a_row(**fields: Any) -> WalletAddress:
    plain = {
        "url": "https://wallet.example/ana",
        "asset_code": "USD",
        "asset_scale": 2,
        "auth_server": "https://auth.example",
        "resource_server": "https://wallet.example",
        "checked_at": NOON,
    }
    return WalletAddress.objects.create(**(plain | fields))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mine", "changes"),
    [
        (True, {}),
        (False, {}),
        (True, {"url": "https://wallet.example/other", "is_default": True}),
        (False, {"url": "https://wallet.example/other", "is_default": True}),
        (True, {"url": "https://wallet.example/other", "asset_scale": 256}),
    ],
    ids=["same url", "same url without owner", "two defaults", "default without owner", "scale"],
)
def test_the_database_itself_keeps_the_rules(mine: bool, changes: dict[str, Any]) -> None:
    owner = a_person() if mine else None
    a_row(owner=owner, is_default=mine)

    with pytest.raises(IntegrityError):
        a_row(owner=owner, **changes)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "not a wallet",
        "http://wallet.example/ana",
        "https://127.0.0.1/ana",
        "https://2130706433/",
        "https://[::1]/ana",
        "https://user@wallet.example/ana",
        "https://wallet.example:8443/ana",
        "https://wallet.example/ana?x=1",
        "https://wallet.example/ana#x",
        "https://wallet.example\\@127.0.0.1/",
        "$127.0.0.1/ana",
        "file:///etc/passwd",
        "a" * 3000,
    ],
)
def test_what_is_not_spelt_like_a_wallet_is_refused_with_a_sentence_and_no_call(
    address: str,
) -> None:
    with WITNESS.watching() as connects, pytest.raises(ValidationFailed) as refused:
        services.add_wallet(user=a_person(), address=address, make_default=True, now=NOON)

    assert refused.value.path == ("address",)
    assert refused.value.message.endswith(".")
    assert [where for where in connects if isinstance(where, tuple) and where[1] == 443] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "answer", [["127.0.0.1"], ["169.254.169.254"], ["1.1.1.1", "10.0.0.1"], ["::ffff:127.0.0.1"]]
)
def test_a_name_that_leads_into_our_network_is_refused_like_a_wallet_that_is_down(
    answer: list[str],
) -> None:
    with (
        outbound.client(outbound.Policy(), resolve=Names(answer)) as http,
        WITNESS.watching() as connects,
        pytest.raises(WalletUnusable) as refused,
    ):
        services.add_wallet(
            user=a_person(),
            address="$wallet.example/ana",
            make_default=True,
            now=NOON,
            wallets=HttpWallets(http),
        )

    assert [where for where in connects if isinstance(where, tuple) and where[1] == 443] == []
    assert refused.value.code == ErrorCode.WALLET_UNREACHABLE
    assert str(refused.value) == str(WalletUnusable())
    assert WalletAddress.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"id": "https://other.example/ana"},
        {"id": 5},
        {"assetScale": "2"},
        {"assetScale": 256},
        {"assetCode": ""},
        {"assetCode": "X" * 33},
        {"authServer": "http://169.254.169.254/"},
        {"authServer": "https://10.0.0.1/auth"},
        {"resourceServer": "https://localhost/op"},
        {"resourceServer": "file:///etc/passwd"},
        {"resourceServer": None},
    ],
)
def test_a_document_that_lies_or_points_into_our_network_is_no_wallet(
    changes: dict[str, Any], wallets: Wallets
) -> None:
    address = wallets.open("ana", **changes)

    with pytest.raises(WalletUnusable) as refused:
        wallets.add(a_person(), address)

    assert str(refused.value) == str(WalletUnusable())
    assert WalletAddress.objects.count() == 0


@pytest.mark.django_db
def test_a_wallet_with_units_too_small_to_count_is_refused_with_a_reason(wallets: Wallets) -> None:
    person = a_person()

    with pytest.raises(ValidationFailed, match="ETH with scale 18") as refused:
        wallets.add(person, wallets.open("ana", assetCode="ETH", assetScale=18))

    assert refused.value.path == ("address",)
    assert WalletAddress.objects.count() == 0
    assert wallets.add(person, wallets.open("eva", assetCode="ETH", assetScale=9)).asset_scale == 9


@pytest.mark.django_db
def test_an_unknown_wallet_looks_like_one_that_is_down(wallets: Wallets) -> None:
    with pytest.raises(WalletUnusable) as unknown:
        wallets.add(a_person(), f"{wallets.base}/nobody")

    assert str(unknown.value) == str(WalletUnusable())


@pytest.mark.django_db
def test_a_person_cannot_use_us_to_scan_for_wallets(wallets: Wallets) -> None:
    scanner, other = a_person(), a_person()
    for number in range(20):
        with pytest.raises(WalletUnusable):
            wallets.add(scanner, f"{wallets.base}/{number}")

    with pytest.raises(RateLimited):
        wallets.add(scanner, wallets.open("ana"))

    assert wallets.add(other, f"{wallets.base}/ana").public_name == "Ana"


@pytest.mark.django_db
def test_without_a_directory_given_the_process_uses_its_own_guarded_one(
    wallets: Wallets,
) -> None:
    address = wallets.open("ana")

    wallet = services.add_wallet(user=a_person(), address=address, make_default=True, now=NOON)

    assert wallet.public_name == "Ana"
