"""The second wall: what looks like a secret is taken out of a line, wherever it came from.

The first is that nothing secret is handed to a logger. This one is for texts that others made: an
exception's, a library's, a URL that somebody sent.
"""

import re
from collections.abc import Callable, Iterable

HIDDEN = "…"
# Shorter ones would be found in words that are none.
_SHORTEST_SECRET = 8

_Rule = tuple[re.Pattern[str], str]

_RULES: tuple[_Rule, ...] = (
    # A key, to its end or to the end of what there is of it.
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(r"\b(bearer|gnap|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # Our own, which are recognisable on purpose: bearer tokens, API keys, webhook secrets.
    (re.compile(r"\b(faena_(?:test_|live_)?|whsec_)[\w+/=-]{12,}"), rf"\1{HIDDEN}"),
    # Paths that are capabilities: whoever has them may do something.
    (
        re.compile(r"(/op/(?:start|finish)|/files|/exports|/unsubscribe)/[^\s\"'?#]+"),
        rf"\1/{HIDDEN}",
    ),
    # The query of a URL: interact_ref, hash, and whatever else a wallet or a person puts there.
    (re.compile(r"\?[\w.~%+\[\]-]+=[^\s\"'<>)]*"), f"?{HIDDEN}"),
    (
        re.compile(
            r"([\"']?\b(?:password|passwd|secret|interact_ref|nonce|authorization|private_?key"
            r"|access_?token|token|api_?key)\b[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s,;)}\"']+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)


def redactor(secrets: Iterable[str] = ()) -> Callable[[str], str]:
    """A function that takes out of a text what looks like a secret, and these `secrets` as such."""
    # The longest first: one may be a part of another.
    known = sorted({each for each in secrets if len(each) >= _SHORTEST_SECRET}, key=len)[::-1]
    literal = re.compile("|".join(re.escape(each) for each in known)) if known else None

    def redact(text: str) -> str:
        if literal is not None:
            text = literal.sub(HIDDEN, text)
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
        return text

    return redact
