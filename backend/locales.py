"""Which of our languages somebody is spoken to in.

A sentence for people is kept as a translatable text and its values, and becomes a sentence where
it is shown, inside `translation.override(language)`: nothing is awaited in there, so that two
operations of one process, each in its own language, never meet.
"""

from django.utils.translation.trans_real import (
    get_supported_language_variant,
    parse_accept_lang_header,
)

ENGLISH = "en"


def language_for(*, profile: str, accept_language: str) -> str:
    """The language of a person: the one in their profile, else the first we know of those that
    an `Accept-Language` value names, else English.

    Both may be empty, and `accept_language` may be any text: what cannot be read asks for nothing.
    """
    if profile:
        return profile
    # RFC 9110 section 12.5.4; the best comes first.
    for tag, _quality in parse_accept_lang_header(accept_language):
        try:
            return get_supported_language_variant(tag)
        except LookupError:
            continue
    return ENGLISH
