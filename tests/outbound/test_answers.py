"""What an answer may cost: seconds, bytes and nothing else."""

import gzip
import socket
import time

import httpx
import pytest

from backend import outbound
from tests.outbound.conftest import Call, policy_for
from tests.outbound.servers import OK, Handler, answering, read_request, serving


def dripping(*, first: bytes, then: bytes, pause: float = 0.05) -> Handler:
    def handler(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(first)
        for _ in range(200):
            time.sleep(pause)
            connection.sendall(then)

    return handler


HEAD = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "header": dripping(first=HEAD + b"X-Slow: ", then=b"a"),
    "headers": dripping(first=HEAD, then=b"X: y\r\n"),
    "interim answers": dripping(first=b"", then=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": dripping(first=HEAD + b"Content-Length: 10000\r\n\r\n", then=b" "),
    "chunks": dripping(first=HEAD + b"Transfer-Encoding: chunked\r\n\r\n", then=b"1\r\n \r\n"),
    "body without length": dripping(first=HEAD + b"\r\n", then=b" "),
    "silence": dripping(first=b"", then=b""),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_a_drip_ends_at_the_total_deadline_and_counts_as_maybe_sent(drip: str, call: Call) -> None:
    with serving(DRIPS[drip]) as server:
        started = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            call(
                f"http://127.0.0.1:{server.port}/",
                policy=policy_for(server.port, total_timeout_seconds=0.6),
            )
        took = time.monotonic() - started

    assert 0.5 < took < 1.5


def test_a_request_may_bring_its_own_total_time(call: Call) -> None:
    with serving(DRIPS["body"]) as server:
        started = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            call(
                f"http://127.0.0.1:{server.port}/",
                policy=policy_for(server.port, total_timeout_seconds=30),
                total_timeout_seconds=0.4,
            )
        took = time.monotonic() - started

    assert took < 1.5


def test_a_tls_handshake_that_never_ends_is_certainly_not_sent(call: Call) -> None:
    def drip_handshake(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\x40\x00")
        for _ in range(100):
            time.sleep(0.05)
            connection.sendall(b"\x02")

    with serving(drip_handshake) as server:
        started = time.monotonic()
        with pytest.raises((httpx.ConnectTimeout, httpx.ConnectError)):
            call(
                f"https://127.0.0.1:{server.port}/",
                policy=policy_for(server.port, scheme="https", total_timeout_seconds=0.6),
            )
        took = time.monotonic() - started

    assert took < 1.5


def ok(*headers: bytes, body: bytes = b"{}") -> bytes:
    return HEAD + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


BOMB = gzip.compress(b" " * 5_000_000)
TOO_MUCH = {
    "announced length": ok(b"Content-Length: 2000", body=b" " * 2000),
    "a length no body follows": ok(b"Content-Length: 99999999999999999999", body=b""),
    "chunks": ok(b"Transfer-Encoding: chunked", body=b"7d0\r\n" + b" " * 2000 + b"\r\n0\r\n\r\n"),
    "endless chunk framing": ok(
        b"Transfer-Encoding: chunked", body=(b"1;" + b"x" * 4000 + b"\r\n \r\n") * 30
    ),
    "no length": ok(b"Connection: close", body=b" " * 2000),
    "gzip": ok(b"Content-Encoding: gzip", b"Content-Length: %d" % len(BOMB), body=BOMB[:900]),
    "two encodings": ok(
        b"Content-Encoding: identity", b"Content-Encoding: br", b"Content-Length: 2"
    ),
    "encoding list": ok(b"content-encoding: gzip, identity", b"Content-Length: 2"),
    "one large header": ok(b"X: " + b"a" * 40_000, b"Content-Length: 2"),
    "one endless header": HEAD + b"X: " + b"a" * 200_000,
    "many small headers": ok(*[b"X: y"] * 2_000, b"Content-Length: 2"),
    "interim answers": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 3_000 + OK,
}


@pytest.mark.parametrize("answer", TOO_MUCH)
def test_an_answer_that_is_too_much_is_not_read_and_counts_as_maybe_sent(
    answer: str, call: Call
) -> None:
    def handler(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(TOO_MUCH[answer])

    with serving(handler) as server:
        policy = policy_for(server.port, max_body_bytes=1000, total_timeout_seconds=5)

        with pytest.raises(httpx.RemoteProtocolError):
            call(f"http://127.0.0.1:{server.port}/", policy=policy)


@pytest.mark.parametrize("length", [0, 1, 999, 1000])
def test_an_answer_up_to_the_limit_is_read_whole(length: int, call: Call) -> None:
    answer = ok(b"Content-Encoding: identity", b"Content-Length: %d" % length, body=b"a" * length)
    with serving(answering(answer)) as server:
        policy = policy_for(server.port, max_body_bytes=1000)

        response = call(f"http://127.0.0.1:{server.port}/", policy=policy)

    assert response.content == b"a" * length


def test_a_body_of_the_full_default_size_passes_in_small_chunks(call: Call) -> None:
    body = b"40\r\n" + b"a" * 64 + b"\r\n"
    answer = ok(b"Transfer-Encoding: chunked", body=body * 4096 + b"0\r\n\r\n")
    with serving(answering(answer)) as server:
        response = call(f"http://127.0.0.1:{server.port}/", policy=policy_for(server.port))

    assert len(response.content) == 256 * 1024


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["/elsewhere", "http://169.254.169.254/", "//127.0.0.1:1/", "https://b.example/"]
)
def test_a_redirect_is_an_answer_like_any_other(status: int, location: str, call: Call) -> None:
    answer = b"HTTP/1.1 %d X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (
        status,
        location.encode(),
    )
    with serving(answering(answer)) as server:
        response = call(f"http://127.0.0.1:{server.port}/", policy=policy_for(server.port))

        assert response.status_code == status
        assert server.connections == 1


def test_not_even_a_caller_who_asks_for_it_is_redirected() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"
    with serving(answering(answer)) as server, outbound.client(policy_for(server.port)) as client:
        response = client.get(f"http://127.0.0.1:{server.port}/", follow_redirects=True)

    assert response.status_code == 302
    assert response.history == []


def test_cookies_are_neither_kept_nor_sent() -> None:
    heads: list[bytes] = []

    def handler(connection: socket.socket) -> None:
        while head := read_request(connection):
            heads.append(head)
            connection.sendall(OK.replace(b"\r\n", b"\r\nSet-Cookie: a=b; Path=/\r\n", 1))

    with serving(handler) as server, outbound.client(policy_for(server.port)) as client:
        client.get(f"http://127.0.0.1:{server.port}/")
        client.get(f"http://127.0.0.1:{server.port}/")

        assert len(client.cookies) == 0

    assert len(heads) == 2
    assert not any(b"cookie" in head.lower() for head in heads)


def test_we_ask_for_plain_json_and_say_little_about_ourselves() -> None:
    heads: list[bytes] = []

    def handler(connection: socket.socket) -> None:
        heads.append(read_request(connection))
        connection.sendall(OK)

    with serving(handler) as server, outbound.client(policy_for(server.port)) as client:
        client.get(f"http://127.0.0.1:{server.port}/")

    assert b"accept: application/json\r\n" in heads[0].lower()
    assert b"accept-encoding: identity\r\n" in heads[0].lower()
    assert b"user-agent: faena\r\n" in heads[0].lower()


GARBAGE = [
    b"",
    b"\r\n",
    b"\x00" * 100,
    b"garbage",
    b"<html>no</html>",
    b"SSH-2.0-OpenSSH_9.9\r\n",
    b"+PONG\r\n",
    b"HTTP/2 200 OK\r\n\r\n",
    b"HTTP/1.1\r\n\r\n",
    b"HTTP/1.1 abc OK\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\n\r\n",
    b"HTTP/1.1 99 Low\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n",
    ok(b"Content-Length: -1"),
    ok(b"Content-Length: 2, 3"),
    ok(b"Content-Length: 2, 2"),
    ok(b"Content-Length: 2", b"Content-Length: 3"),
    ok(b"Content-Length: 0x2"),
    ok(b"Content-Length: " + b"9" * 5000),
    ok(b"Content-Length: \xb2"),
    ok(b"Transfer-Encoding: gzip"),
    ok(b"Transfer-Encoding: chunked, chunked"),
    ok(b"Transfer-Encoding: chunked", b"Content-Length: 2", body=b"2\r\n{}\r\n0\r\n\r\n"),
    ok(b"Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n"),
    ok(b"Transfer-Encoding: chunked", body=b"-1\r\n{}\r\n0\r\n\r\n"),
    ok(b"Transfer-Encoding: chunked", body=b"f" * 20 + b"\r\n{}\r\n0\r\n\r\n"),
    ok(b"No colon"),
    ok(b": no name"),
    ok(b"Sp ace: x"),
    ok(b"Nul: \x00"),
    ok(b"Latin: \xe9", b"Content-Length: 2"),
    ok(b"Content-Type: application/json; charset=bogus", b"Content-Length: 2"),
    ok(b"Location: http://[", b"Content-Length: 2").replace(b"200 OK", b"302 Found"),
    ok(b"Location: \xff\xfe", b"Content-Length: 2").replace(b"200 OK", b"302 Found"),
    ok(b"Set-Cookie: \xff=\xfe; expires=never; domain=", b"Content-Length: 2"),
]


@pytest.mark.parametrize("answer", GARBAGE)
def test_any_bytes_are_an_answer_or_a_transport_error_that_may_have_been_sent(
    answer: bytes, call: Call
) -> None:
    def handler(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    with serving(handler) as server:
        policy = policy_for(server.port, total_timeout_seconds=3)
        try:
            response = call(f"http://127.0.0.1:{server.port}/", policy=policy)
        except (httpx.ReadError, httpx.RemoteProtocolError):
            return

    assert response.content in (b"{}", b"")
