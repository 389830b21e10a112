"""Which language somebody is spoken to in."""

import pytest

from backend.locales import language_for


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        ("", "en"),
        ("es", "es"),
        ("ES-mx", "es"),
        ("es-419, es;q=0.9", "es"),
        ("en-GB, es;q=0.9", "en"),
        ("fr, es;q=0.8, en;q=0.5", "es"),
        ("en;q=0.1, es;q=0.2", "es"),
        ("es;q=0, en", "en"),
        ("nah, zap", "en"),
        ("*", "en"),
        ("es" * 400, "en"),
        ("\x00;;q=,,é", "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_the_client_asks_for_a_language(accept_language: str, language: str) -> None:
    assert language_for(profile="", accept_language=accept_language) == language


def test_the_profile_goes_first() -> None:
    assert language_for(profile="es", accept_language="en") == "es"
