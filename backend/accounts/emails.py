"""One spelling per e-mail address."""

import unicodedata


def normalise_email(email: str) -> str:
    """Trim and lower-case, so that one mailbox is one account however it is typed."""
    return unicodedata.normalize("NFKC", email).strip().lower()
