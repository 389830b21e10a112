"""Our signatures against the specification's example, and against its own Python library."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from backend.webhooks import signatures
from backend.webhooks.signatures import BadSecret, NotGenuine, headers_for, key_of, verify

# From the specification: the scheme of signatures, with its example.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EXAMPLE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
EXAMPLE_AT = datetime.fromtimestamp(1614265330, UTC)
EXAMPLE_BODY = b'{"test": 2432232314}'
EXAMPLE_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_specifications_example_is_signed_as_there() -> None:
    headers = headers_for(id=EXAMPLE_ID, body=EXAMPLE_BODY, keys=[key_of(SECRET)], at=EXAMPLE_AT)

    assert headers == {
        "webhook-id": EXAMPLE_ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": EXAMPLE_SIGNATURE,
    }


def test_the_specifications_example_is_genuine() -> None:
    found = verify(
        headers={
            "webhook-id": EXAMPLE_ID,
            "webhook-timestamp": "1614265330",
            "webhook-signature": f"v1,AAAA v2,BBBB {EXAMPLE_SIGNATURE}",
        },
        body=EXAMPLE_BODY,
        keys=[key_of(SECRET)],
        now=EXAMPLE_AT,
    )

    assert found == EXAMPLE_ID


@given(body=st.text().map(lambda text: text.encode(errors="replace")))
def test_the_specifications_library_accepts_what_we_sign(body: bytes) -> None:
    secret, other = signatures.new_secret(), signatures.new_secret()
    keys = [key_of(other), key_of(secret)]

    headers = headers_for(id="msg_1", body=body, keys=keys, at=datetime.now(UTC))

    for each in (secret, other):
        standardwebhooks.Webhook(each).verify(body, headers, json_parse=False)


def test_we_accept_what_the_specifications_library_signs() -> None:
    secret, now = signatures.new_secret(), datetime.now(UTC)
    signature = standardwebhooks.Webhook(secret).sign("msg_1", now, '{"a":"ñ"}')

    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }

    body = '{"a":"ñ"}'.encode()
    assert verify(headers=headers, body=body, keys=[key_of(secret)], now=now) == "msg_1"


@pytest.mark.parametrize(
    ("seconds", "genuine"), [(-301, False), (-300, True), (300, True), (301, False)]
)
def test_a_signature_lives_five_minutes_either_way(seconds: int, genuine: bool) -> None:
    key = key_of(SECRET)
    headers = headers_for(id="msg_1", body=b"{}", keys=[key], at=EXAMPLE_AT)
    now = EXAMPLE_AT + timedelta(seconds=seconds)

    if genuine:
        assert verify(headers=headers, body=b"{}", keys=[key], now=now)
    else:
        with pytest.raises(NotGenuine):
            verify(headers=headers, body=b"{}", keys=[key], now=now)


_text = st.text(max_size=60)


@given(id=_text, timestamp=_text, signature=_text, body=st.binary(max_size=60))
def test_whatever_is_not_genuine_is_refused_in_one_way(
    id: str, timestamp: str, signature: str, body: bytes
) -> None:
    headers = dict(
        zip(
            (signatures.ID, signatures.TIMESTAMP, signatures.SIGNATURE),
            (id, timestamp, signature),
            strict=True,
        )
    )

    with pytest.raises(NotGenuine):
        verify(headers=headers, body=body, keys=[key_of(SECRET)], now=EXAMPLE_AT)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_AAAA", "whsec_" + "!" * 44, "whsec_" + "A" * 100, "ñ"]
)
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(BadSecret):
        key_of(secret)


def test_a_new_secret_has_256_bits_and_is_another_each_time() -> None:
    made = {signatures.new_secret() for _ in range(100)}

    assert len(made) == 100
    assert all(len(base64.b64decode(each.removeprefix("whsec_"))) == 32 for each in made)


def test_without_secrets_nothing_is_genuine() -> None:
    headers: dict[str, Any] = headers_for(
        id="msg_1", body=b"{}", keys=[key_of(SECRET)], at=EXAMPLE_AT
    )

    with pytest.raises(NotGenuine):
        verify(headers=headers, body=b"{}", keys=[], now=EXAMPLE_AT)
