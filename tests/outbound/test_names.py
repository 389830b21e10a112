"""A public-looking name proves nothing: what it resolves to decides, for every connection."""

import threading
import time
from collections.abc import Sequence

import httpx
import pytest

from backend import outbound
from tests.outbound.conftest import Call, Names, policy_for
from tests.outbound.servers import OK, WITNESS, answering, serving
from tests.outbound.test_addresses import PRIVATE

HOSTILE = [address for address in PRIVATE if address]


@pytest.mark.parametrize("address", HOSTILE)
@pytest.mark.parametrize("company", ["alone", "behind", "before"])
def test_a_hostile_answer_condemns_the_name(address: str, company: str, call: Call) -> None:
    answer = {
        "alone": [address],
        "behind": ["1.1.1.1", "2606:4700:4700::1111", address],
        "before": [address, "1.1.1.1"],
    }[company]

    with WITNESS.watching() as connects, pytest.raises(outbound.DestinationRefused):
        call("https://wallet.example/alice", policy=outbound.Policy(), resolve=Names(answer))

    assert connects == []


def test_the_second_answer_of_a_rebinding_name_is_checked_too(call: Call) -> None:
    with serving(answering(OK)) as server:
        policy = outbound.Policy(
            allowed_origins=frozenset({f"http://rebind.example:{server.port}"}),
        )
        names = Names(["127.0.0.1"], ["127.0.0.1"])
        call(
            f"http://rebind.example:{server.port}/",
            f"http://rebind.example:{server.port}/",
            policy=policy,
            resolve=names,
            fresh_connection=True,
        )

        assert names.asked == ["rebind.example"] * 2  # one look-up per connection, none beside it
        assert server.connections == 2


def test_a_name_is_looked_up_once_per_connection_so_check_and_use_cannot_differ(
    call: Call,
) -> None:
    names = Names(["10.0.0.1"], ["1.1.1.1"])

    with pytest.raises(outbound.DestinationRefused):
        call("https://wallet.example/", policy=outbound.Policy(), resolve=names)

    assert names.asked == ["wallet.example"]


def test_a_development_name_may_resolve_to_loopback_only_on_its_own_port(call: Call) -> None:
    policy = outbound.Policy(allowed_origins=frozenset({"http://wallet.example:4000"}))

    with WITNESS.watching() as connects, pytest.raises(outbound.DestinationRefused):
        call("https://wallet.example/", policy=policy, resolve=Names(["127.0.0.1"]))

    assert connects == []


def test_an_unknown_name_is_certainly_not_sent(call: Call) -> None:
    def nobody(host: str, port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    with pytest.raises(outbound.NameNotResolved) as raised:
        call("https://wallet.example/", policy=outbound.Policy(), resolve=nobody)

    assert isinstance(raised.value, httpx.ConnectError)


def test_a_name_without_addresses_is_certainly_not_sent(call: Call) -> None:
    with pytest.raises(outbound.NameNotResolved):
        call("https://wallet.example/", policy=outbound.Policy(), resolve=Names([]))


def test_a_slow_resolver_costs_no_more_than_its_limit(call: Call) -> None:
    release = threading.Event()

    def slow(host: str, port: int) -> Sequence[str]:
        release.wait(10)
        return ["1.1.1.1"]

    started = time.monotonic()
    with pytest.raises(outbound.NameNotResolved):
        call(
            "https://wallet.example/",
            policy=outbound.Policy(resolve_timeout_seconds=0.3),
            resolve=slow,
        )
    took = time.monotonic() - started
    release.set()

    assert took < 1.5


def test_the_next_address_is_tried_when_the_first_does_not_answer(call: Call) -> None:
    with serving(answering(OK)) as server:
        policy = policy_for(server.port, host="wallet.example")
        names = Names(["127.0.0.2", "127.0.0.1"])  # nobody listens on the first

        response = call(f"http://wallet.example:{server.port}/", policy=policy, resolve=names)

    assert response.status_code == 200
