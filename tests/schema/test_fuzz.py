"""A short run of what `python -m tools.fuzz` does for minutes: nothing crashes the server."""

import logging
from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from backend.open_payments import Ed25519Signer
from backend.payments import wallets
from backend.schema import schema
from tests.schema.server import Server
from tools.fuzz.people import People
from tools.fuzz.run import code_of, fuzz

NOBODY_LISTENS = "http://127.0.0.1:1"
WALLET = {
    "id": f"{NOBODY_LISTENS}/alice",
    "assetCode": "USD",
    "assetScale": 2,
    "authServer": NOBODY_LISTENS,
    "resourceServer": NOBODY_LISTENS,
}
SEED = 20260601


@pytest.fixture
def platform(settings: LazySettings) -> Iterator[None]:
    """A platform that can ask wallets, in a world where none answers."""
    settings.OP_DEV_ORIGINS = frozenset({NOBODY_LISTENS})
    settings.OP_CLIENT_KEY_ID = "platform-key-1"
    settings.OP_CLIENT_PRIVATE_KEY = Ed25519Signer.generate("platform-key-1").to_pem()
    wallets._client_of.cache_clear()
    yield
    wallets._client_of.cache_clear()


@pytest.mark.usefixtures("platform")
@pytest.mark.django_db(transaction=True)
def test_no_generated_document_ends_in_an_error_of_the_server(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    people = People(wallet=WALLET, seed=SEED)

    with caplog.at_level(logging.ERROR):
        report = fuzz(
            url=server.graphql,
            askers=people,
            ids=people.begin(),
            seed=SEED,
            examples=6,
        )

    assert report.faults == []
    assert report.troubles == {}
    assert caplog.text == ""
    core = schema._schema
    assert core.query_type is not None and core.mutation_type is not None
    assert set(report.asked) == {
        f"{type}.{name}" for type in (core.query_type, core.mutation_type) for name in type.fields
    }
    assert len(report.went_through) > 10


REFUSED = b'{"data": {"applyToJob": {"errors": [{"code": "NOT_FOUND"}]}}}'


@pytest.mark.parametrize(
    ("status", "content", "code"),
    [
        (200, b'{"data": {"applyToJob": {"errors": []}}}', "ok"),
        (200, REFUSED, "NOT_FOUND"),
        (200, b'{"data": {"applyToJob": {"application": null}}}', "unknown"),
        (
            200,
            b'{"data": null, "errors": [{"extensions": {"code": "BAD_REQUEST"}}]}',
            "BAD_REQUEST",
        ),
        (
            200,
            b'{"data": null, "errors": [{"extensions": {"code": "INTERNAL"}}]}',
            "FAULT: INTERNAL",
        ),
        (200, b'{"data": null, "errors": [{"message": "?"}]}', "FAULT: without a code"),
        (500, b"{}", "FAULT: HTTP 5xx"),
        (200, b"<h1>Server error</h1>", "FAULT: not JSON"),
    ],
)
def test_an_error_of_the_server_is_told_from_a_refusal(
    status: int, content: bytes, code: str
) -> None:
    assert code_of("Mutation.applyToJob", status, content) == code
