import pytest

from backend.telemetry.redaction import redactor

SECRET = "oT3ei9quaiT3ooNg"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"sent with GNAP {SECRET} to /continue",
        f"faena_{SECRET}{SECRET}",
        f"faena_live_{SECRET} is not known",
        f"whsec_{SECRET}=",
        f"GET https://faena.example/op/finish/{SECRET} 303",
        f"GET /op/start/{SECRET}",
        f"PUT /files/{SECRET}:1",
        f"Not Found: /exports/{SECRET}",
        f"GET /healthz?hash={SECRET}&x=1",
        f"https://wallet.example/interact/1?interact_ref={SECRET}",
        f"password={SECRET}",
        f'{{"access_token": "{SECRET}", "expires_in": 600}}',
        f"{{'nonce': '{SECRET}'}}",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str) -> None:
    assert SECRET not in redactor()(text)


def test_a_known_secret_is_taken_out_wherever_it_stands() -> None:
    redact = redactor([SECRET, f"{SECRET}longer", ""])

    assert redact(f"a{SECRET}longer and b{SECRET}") == "a… and b…"


@pytest.mark.parametrize(
    "text",
    [
        "FUND 0197e6b2-5d1c-7b60-8a0e-2f2d3b1c4d5e CREATED begins",
        "the token has expired",
        "wake-ups: ConnectionError; subscribers poll until Redis is back",
        "https://wallet.example/alice answered 503",
        "What now? Nothing.",
    ],
)
def test_what_an_operator_needs_stays(text: str) -> None:
    assert redactor()(text) == text
