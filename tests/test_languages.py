"""Language tags: which are taken, and how they are kept."""

import pytest

from backend.errors import ValidationFailed
from backend.languages import language_tag


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (None, ""),
        ("  ", ""),
        ("NAH", "nah"),
        ("es-mx", "es-MX"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("de-CH-1901", "de-CH-1901"),
        ("sl-Rozaj-biske", "sl-rozaj-biske"),
        ("zh-cmn-Hans-CN", "zh-cmn-Hans-CN"),
        ("en-US-u-islamcal", "en-US-u-islamcal"),
        ("de-CH-x-phonebk", "de-CH-x-phonebk"),
    ],
)
def test_language_tags_are_kept_in_their_recommended_casing(written: str | None, kept: str) -> None:
    assert language_tag(written) == kept
    assert language_tag(kept) == kept


@pytest.mark.parametrize("written", ["español", "e", "es_MX", "es-", "es-MX-" + "abcde-" * 6])
def test_what_is_no_tag_is_refused_and_named(written: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        language_tag(written)

    assert refusal.value.path == ("languageTag",)
