"""Connections: whose they are, how long they live, and what it means when there is none."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx
import pytest

from backend import outbound
from backend.outbound.gates import AsyncBulkhead, Breaker, Bulkhead
from tests.outbound.certificates import Authority
from tests.outbound.conftest import Call, Names, policy_for
from tests.outbound.servers import OK, answering, read_request, serving


def server_tls(pem: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody can listen on while it is reserved, and that refuses connections."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


def test_tls_is_checked_against_the_name_while_the_connection_goes_to_the_address(
    call: Call, authority: Authority
) -> None:
    tls = server_tls(authority.issue("wallet.example"))
    asked: list[str | None] = []
    tls.sni_callback = lambda connection, name, context: asked.append(name)
    heads: list[bytes] = []

    def handler(connection: socket.socket) -> None:
        heads.append(read_request(connection))
        connection.sendall(OK)

    with serving(handler, tls=tls) as server:
        policy = policy_for(
            server.port, host="wallet.example", scheme="https", ca_file=authority.ca_file
        )
        response = call(
            f"https://wallet.example:{server.port}/alice",
            policy=policy,
            resolve=Names(["127.0.0.1"]),
        )

    assert response.status_code == 200
    assert asked == ["wallet.example"]
    assert f"host: wallet.example:{server.port}".encode() in heads[0].lower()


@pytest.mark.parametrize(
    ("name", "days", "trusted"),
    [("other.example", 1, True), ("wallet.example", -5, True), ("wallet.example", 1, False)],
    ids=["another name", "expired", "unknown authority"],
)
def test_a_certificate_that_does_not_fit_is_certainly_not_sent(
    name: str, days: int, trusted: bool, call: Call, authority: Authority
) -> None:
    received: list[bytes] = []

    def handler(connection: socket.socket) -> None:
        received.append(read_request(connection))

    with serving(handler, tls=server_tls(authority.issue(name, days=days))) as server:
        policy = policy_for(
            server.port,
            host="wallet.example",
            scheme="https",
            ca_file=authority.ca_file if trusted else None,
        )
        with pytest.raises(httpx.ConnectError):
            call(
                f"https://wallet.example:{server.port}/",
                policy=policy,
                resolve=Names(["127.0.0.1"]),
            )

    assert [head for head in received if head] == []


def test_a_connection_is_kept_and_used_again(call: Call) -> None:
    with serving(answering(OK)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        call(url, url, url, policy=policy_for(server.port))

        assert server.connections == 1


def test_a_call_that_wants_a_fresh_connection_gets_one_and_leaves_none(call: Call) -> None:
    with serving(answering(OK)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        call(url, url, url, policy=policy_for(server.port), method="POST", fresh_connection=True)

        assert server.connections == 3


def test_a_fresh_call_neither_takes_nor_leaves_the_kept_connection() -> None:
    with serving(answering(OK)) as server, outbound.client(policy_for(server.port)) as client:
        url = f"http://127.0.0.1:{server.port}/"
        client.get(url)
        client.post(url, extensions={"fresh_connection": True})
        client.get(url)

        assert server.connections == 2


def test_a_refused_connection_is_certainly_not_sent(call: Call, closed_port: int) -> None:
    with pytest.raises(httpx.ConnectError):
        call(f"http://127.0.0.1:{closed_port}/", policy=policy_for(closed_port))


@pytest.mark.parametrize(
    "last_words", [b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_a_connection_lost_after_the_request_is_never_called_unsent(
    last_words: bytes, call: Call
) -> None:
    def handler(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(last_words)

    with serving(handler) as server, pytest.raises(httpx.TransportError) as raised:
        call(f"http://127.0.0.1:{server.port}/", policy=policy_for(server.port), method="POST")

    assert not isinstance(
        raised.value, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout
    )
    assert isinstance(raised.value, httpx.ReadError | httpx.RemoteProtocolError)


def test_a_reset_after_the_request_is_never_called_unsent(call: Call) -> None:
    def handler(connection: socket.socket) -> None:
        read_request(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    with serving(handler) as server, pytest.raises(httpx.ReadError):
        call(f"http://127.0.0.1:{server.port}/", policy=policy_for(server.port), method="POST")


def test_the_environments_proxy_is_not_used(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering(b"HTTP/1.1 418 X\r\nContent-Length: 0\r\n\r\n")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        with serving(answering(OK)) as server:
            response = call(f"http://127.0.0.1:{server.port}/", policy=policy_for(server.port))

    assert response.status_code == 200
    assert proxy.connections == 0


def test_one_slow_host_takes_only_its_own_slots() -> None:
    release = threading.Event()

    def stuck(connection: socket.socket) -> None:
        while read_request(connection):
            release.wait(10)
            connection.sendall(OK)

    with serving(stuck) as slow, serving(answering(OK)) as healthy:
        policy = policy_for(slow.port, healthy.port, max_calls_per_host=3, slot_timeout_seconds=0.2)
        with outbound.client(policy) as client, ThreadPoolExecutor(8) as threads:
            slow_url = f"http://127.0.0.1:{slow.port}/"
            waiting = [threads.submit(client.get, slow_url) for _ in range(3)]
            while slow.connections < 3:
                time.sleep(0.01)

            with pytest.raises(outbound.HostBusy):
                client.get(slow_url)
            assert client.get(f"http://127.0.0.1:{healthy.port}/").status_code == 200

            release.set()
            assert [each.result(5).status_code for each in waiting] == [200] * 3
            assert client.get(slow_url).status_code == 200

    assert slow.connections <= 4


async def test_a_slow_host_takes_only_its_own_slots_of_coroutines() -> None:
    bulkhead = AsyncBulkhead(limit=1)
    await bulkhead.enter("a", timeout_seconds=1)

    with pytest.raises(outbound.HostBusy):
        await bulkhead.enter("a", timeout_seconds=0.05)
    await bulkhead.enter("b", timeout_seconds=0.05)

    bulkhead.leave("a")
    await bulkhead.enter("a", timeout_seconds=0.05)


async def test_a_cancelled_wait_for_a_slot_leaves_nothing_behind() -> None:
    bulkhead = AsyncBulkhead(limit=1)
    await bulkhead.enter("a", timeout_seconds=1)

    with anyio.move_on_after(0.05):
        await bulkhead.enter("a", timeout_seconds=5)
    bulkhead.leave("a")

    await bulkhead.enter("a", timeout_seconds=0.05)


def test_a_slot_comes_back_whatever_becomes_of_the_call() -> None:
    answers = iter([b"nonsense\r\n\r\n", OK.replace(b"200 OK", b"500 X"), OK])

    def handler(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(next(answers, OK))

    with (
        serving(handler) as server,
        outbound.client(
            policy_for(server.port, max_calls_per_host=1, slot_timeout_seconds=0.2)
        ) as client,
    ):
        url = f"http://127.0.0.1:{server.port}/"
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(url)
        with pytest.raises(httpx.ConnectTimeout):
            client.get(url, extensions={"total_timeout_seconds": 1e-9, "fresh_connection": True})
        with client.stream("GET", url) as unread:
            assert unread.status_code == 500

        assert client.get(url).status_code == 200


def test_many_threads_share_one_client_and_each_gets_its_own_answer() -> None:
    def echo(connection: socket.socket) -> None:
        while head := read_request(connection):
            path = head.split(b" ")[1]
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path)
            )

    with serving(echo) as server, outbound.client(policy_for(server.port)) as client:

        def ask(number: int) -> bool:
            fresh = {"fresh_connection": number % 3 == 0}
            url = f"http://127.0.0.1:{server.port}/{number}"
            return client.get(url, extensions=fresh).text == f"/{number}"

        with ThreadPoolExecutor(12) as threads:
            assert all(threads.map(ask, range(300)))


def test_a_host_that_refuses_connections_is_left_alone_for_a_while(closed_port: int) -> None:
    policy = policy_for(closed_port, failures_before_rest=3, rest_seconds=30)
    with outbound.client(policy) as client:
        for _ in range(3):
            with pytest.raises(httpx.ConnectError, match="refused"):
                client.get(f"http://127.0.0.1:{closed_port}/")

        with pytest.raises(outbound.HostResting):
            client.get(f"http://127.0.0.1:{closed_port}/")


def test_a_host_that_answers_badly_is_not_left_alone() -> None:
    with serving(answering(b"garbage\r\n\r\n")) as server:
        policy = policy_for(server.port, failures_before_rest=1)
        with outbound.client(policy) as client:
            for _ in range(4):
                with pytest.raises(httpx.RemoteProtocolError):
                    client.get(f"http://127.0.0.1:{server.port}/")


def test_after_the_rest_one_call_probes_and_its_outcome_decides() -> None:
    now = [100.0]
    breaker = Breaker(failures_before_rest=2, rest_seconds=10, clock=lambda: now[0])
    breaker.failed("a")
    breaker.admit("a")
    breaker.failed("a")
    with pytest.raises(outbound.HostResting):
        breaker.admit("a")
    breaker.admit("b")

    now[0] += 10
    breaker.admit("a")  # the probe
    with pytest.raises(outbound.HostResting):
        breaker.admit("a")  # and only one

    breaker.connected("a")
    breaker.admit("a")


def test_what_is_remembered_about_strangers_hosts_is_bounded() -> None:
    breaker = Breaker(failures_before_rest=1, rest_seconds=10)
    for number in range(5000):
        breaker.failed(str(number))

    breaker.admit("0")  # forgotten
    with pytest.raises(outbound.HostResting):
        breaker.admit("4999")


def test_a_bulkhead_forgets_hosts_nobody_calls() -> None:
    bulkhead = Bulkhead(limit=1)
    for number in range(100):
        bulkhead.enter(str(number), timeout_seconds=0.1)
        bulkhead.leave(str(number))

    bulkhead.enter("0", timeout_seconds=0.1)
