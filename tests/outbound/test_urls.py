"""Spellings of places a stranger must not make us call: refused before any look-up."""

import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import outbound
from backend.outbound.urls import normalise_origin
from tests.outbound.conftest import Call, Names
from tests.outbound.servers import WITNESS


def words(table: str) -> list[str]:
    return table.split()


LITERALS = words("""
127.0.0.1 127.1 127.0.1 0 0.0.0.0 2130706433 017700000001 0x7f000001 0x7f.0.0.1 0177.0.0.1
0x7f.1 127.0.0.1.  0300.0250.0.1 00000177.0.0.1 127.000.000.001 4294967295 255.255.255.255
169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 0xA9.0xFE.0xA9.0xFE 169.254.43518
169.16689662 425.510.425.510 100.100.100.200 192.0.0.192 168.63.129.16 10.0.0.1 10.1 167772161
172.16.0.1 172.31.255.255 192.168.0.1 192.168.257 198.18.0.1 100.64.0.1 224.0.0.1 240.0.0.1
8.8.8.8 1.1.1.1 134744072 0x08080808
[::] [::1] [0:0:0:0:0:0:0:1] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1]
[::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [0:0:0:0:0:ffff:127.0.0.1] [64:ff9b::127.0.0.1]
[64:ff9b::a9fe:a9fe] [64:ff9b:1::1] [2002:7f00:1::] [2002:a9fe:a9fe::1] [2001:0::1] [fe80::1]
[fe80::1%25eth0] [fe80::1%eth0] [fc00::1] [fd00:ec2::254] [fec0::1] [ff02::1] [100::1]
[2001:db8::1] [3fff::1] [5f00::1] [2606:4700:4700::1111]
""")

NAMES = [
    *words("""
localhost LOCALHOST localhost. localhost.localdomain foo.localhost metadata metadata.google.internal
instance-data instance-data.ec2.internal printer.local wallet.test nas.home.arpa router
kubernetes.default.svc.cluster.local 1.0.0.127.in-addr.arpa abcdefghij.onion gone.invalid
wallet_example.com -wallet.example wallet-.example wallet..example .wallet.example wallet.example.
*.example wallet.1 wallet.0x1 1.2.3.4.5 wallet.example.123 a
"""),
    "a." * 126 + "co",
    "a" * 64 + ".example",
    "example." + "a" * 64,
]

DISGUISED = [
    "①②⑦.⓪.⓪.①",
    "１２７.０.０.１",
    "127。0。0。1",
    "127．0．0．1",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "ｌｏｃａｌｈｏｓｔ",
    "local\u00adhost",
    "[::①]",
    "127%2e0%2e0%2e1",
    "%6c%6f%63%61%6c%68%6f%73%74",
    "wallet%00.example",
    "wallet.example%2f@127.0.0.1",
    "wallet.example\u2044.evil.example",
    "℡.example",
]

WHOLE = [
    "http://wallet.example/",
    "HTTP://wallet.example/",
    "//wallet.example/alice",
    "/alice",
    "wallet.example/alice",
    "$wallet.example/alice",
    "",
    "https://",
    "https:///alice",
    "https:wallet.example",
    "https:/wallet.example",
    "https://?",
    "https://#",
    "ftp://wallet.example/",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "dict://127.0.0.1:11211/",
    "ldap://127.0.0.1/",
    "tftp://127.0.0.1/x",
    "sftp://wallet.example/",
    "jar:http://127.0.0.1!/",
    "data:application/json,{}",
    "javascript:alert(1)",
    "ws://wallet.example/",
    "wss://wallet.example/",
    "unix:///var/run/docker.sock",
    "https+unix://%2fvar%2frun%2fdocker.sock/",
    "https://wallet.example:80/",
    "https://wallet.example:0/",
    "https://wallet.example:22/",
    "https://wallet.example:6379/",
    "https://wallet.example:8443/",
    "https://wallet.example:65536/",
    "https://wallet.example:-1/",
    "https://wallet.example:443:80/",
    "https://wallet.example:４４４/",
    "https://wallet.example:a/",
    "https://user@wallet.example/",
    "https://user:password@wallet.example/",
    "https://:@wallet.example/",
    "https://@wallet.example/",
    "https://wallet.example@127.0.0.1/",
    "https://127.0.0.1@wallet.example/",
    "https://wallet.example%40127.0.0.1/",
    "https://127.0.0.1:443@wallet.example:443@127.0.0.1/",
    "https://wallet.example\\@127.0.0.1/",
    "https://127.0.0.1\\@wallet.example/",
    "https://wallet.example\\.evil.example/",
    "https:\\\\wallet.example/",
    "https://wallet.example/\\127.0.0.1",
    "https:/\\wallet.example/",
    "https://wallet.example#@127.0.0.1/",
    "https://wallet.example/#fragment",
    "https://127.0.0.1#.wallet.example/",
    "https://127.0.0.1?.wallet.example/",
    "https://127.0.0.1/.wallet.example/",
    "https://127.0.0.1;.wallet.example/",
    "https://[::1/",
    "https://::1/",
    "https://[wallet.example]/",
    "https://[::1]wallet.example/",
    "https://wallet.example[::1]/",
    "https://wallet.example\r\nHost: 127.0.0.1/",
    "https://wallet.example/\r\nX: y",
    "https://wallet.example/\n",
    "https://wallet.example/\t",
    "https://wal\tlet.example/",
    "https://wal\nlet.example/",
    "https://wallet.example/\x00",
    "https://wallet.example/\x7f",
    "https://wallet.example/\x85",
    "https://wallet.example/\u00a0",
    "https://wallet.example/\u2028",
    "https://wallet.example/a b",
    " https://wallet.example/",
    "https://wallet.example/ ",
    "https:// wallet.example/",
    "https://wallet.example /",
    "https://wallet.example,127.0.0.1/",
    "https://wallet.example|127.0.0.1/",
    "https://wallet.example&127.0.0.1/",
    "https://wallet.example`127.0.0.1`/",
    "https://{127.0.0.1}/",
    "https://<127.0.0.1>/",
    "https://$(127.0.0.1)/",
    "https://wallet.example/" + "a" * 2030,
]

REFUSED = (
    [f"https://{host}/alice" for host in LITERALS + NAMES + DISGUISED]
    + [f"http://{host}/latest/meta-data/" for host in LITERALS]
    + [f"https://{host}:8080/" for host in LITERALS[:20]]
    + WHOLE
)

ACCEPTED = [
    "https://wallet.example/alice",
    "https://wallet.example",
    "https://wallet.example:443/alice",
    "HTTPS://Wallet.Example/alice",
    "https://a.b.c.wallet.example/op/auth/6d7f?x=1&y=%40",
    "https://ilp.interledger-test.dev/username",
    "https://xn--bcher-kva.example/alice",
    "https://bücher.example/alice",
    "https://wallet.xn--p1ai/alice",
    "https://1.wallet.example/alice",
    "https://127.0.0.1.wallet.example/alice",
    "https://" + "a" * 63 + ".example/",
]


def test_the_tables_hold_more_than_two_hundred_hostile_spellings() -> None:
    assert len(set(REFUSED)) == len(REFUSED) > 200


@pytest.mark.parametrize("url", REFUSED)
def test_a_hostile_spelling_is_refused_without_look_up_or_connection(url: str, call: Call) -> None:
    names = Names(["127.0.0.1"])

    with WITNESS.watching() as connects, pytest.raises(outbound.DestinationRefused):
        call(url, policy=outbound.Policy(), resolve=names)

    assert names.asked == []
    assert [where for where in connects if not _is_event_loops_own(where)] == []


def _is_event_loops_own(where: object) -> bool:
    return not isinstance(where, tuple)


@pytest.mark.parametrize("url", REFUSED)
def test_the_transport_refuses_it_again_however_the_request_was_built(url: str) -> None:
    try:
        request = httpx.Request("GET", url)
    except (httpx.InvalidURL, UnicodeError):
        return  # httpx itself cannot express it
    names = Names(["127.0.0.1"])  # for what httpx has made harmless by percent-encoding it
    with (
        outbound.client(outbound.Policy(), resolve=names) as client,
        WITNESS.watching() as connects,
        pytest.raises(httpx.ConnectError),
    ):
        client.send(request)

    assert connects == []


@pytest.mark.parametrize("url", ACCEPTED)
def test_an_ordinary_wallet_url_passes(url: str) -> None:
    assert outbound.check_url(url).scheme == "https"


def test_a_development_origin_is_exact_in_scheme_host_and_port() -> None:
    allowed = outbound.Policy(allowed_origins=frozenset({"http://127.0.0.1:4000"})).allowed_origins

    assert outbound.check_url("http://127.0.0.1:4000/alice", allowed_origins=allowed)

    for near in (
        "https://127.0.0.1:4000/alice",
        "http://127.0.0.1:4001/alice",
        "http://127.0.0.1/alice",
        "http://localhost:4000/alice",
        "http://127.0.0.1:4000@evil.example/",
        "http://a@127.0.0.1:4000/alice",
        "http://127.1:4000/alice",
    ):
        with pytest.raises(outbound.DestinationRefused):
            outbound.check_url(near, allowed_origins=allowed)


@pytest.mark.parametrize(
    ("origin", "normal"),
    [
        ("http://localhost", "http://localhost:80"),
        ("https://Wallet.Example/", "https://wallet.example:443"),
        ("http://[::1]:4000", "http://[::1]:4000"),
    ],
)
def test_a_configured_origin_is_brought_into_one_form(origin: str, normal: str) -> None:
    assert normalise_origin(origin) == normal


@pytest.mark.parametrize(
    "origin",
    ["", "localhost:4000", "*", "http://", "ftp://a", "http://a/b", "http://u@a", "http://a?b"],
)
def test_a_configured_origin_that_is_none_stops_the_start(origin: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        outbound.Policy(allowed_origins=frozenset({origin}))


PIECES = st.sampled_from(
    [
        "https",
        "http",
        "://",
        "/",
        "//",
        "\\",
        "@",
        ":",
        "#",
        "?",
        "%",
        "%2e",
        ".",
        "..",
        "[",
        "]",
        "::1",
        "127.0.0.1",
        "0x7f",
        "1",
        "localhost",
        "wallet.example",
        "example",
        "a",
        "443",
        "80",
        "xn--",
        "。",
        "．",
        "①",
        "\xad",
        "é",
        "&",
        ";",
        ",",
        "$",
        "_",
        "-",
        "*",
        "|",
        "\t",
    ]
)


@given(
    st.lists(PIECES, max_size=12).map("".join)
    | st.lists(PIECES).map("".join).map("https://".__add__)
)
def test_whatever_passes_is_https_to_a_dotted_name_that_ends_in_letters(text: str) -> None:
    try:
        url = outbound.check_url(text)
    except outbound.DestinationRefused:
        return

    assert url.scheme == "https"
    assert url.port is None
    assert not url.userinfo
    assert re.fullmatch(r"([a-z0-9-]+\.)+([a-z]{2,}|xn--[a-z0-9-]+)", url.raw_host.decode())
