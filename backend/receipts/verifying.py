"""Whether a text is a receipt that one of these keys signed. Needs no database and no network."""

import re
from enum import StrEnum
from typing import Any

import jwt
from django.utils.translation import gettext_lazy as _

from backend.errors import Text
from backend.receipts.issuing import TYPE, VERSION
from backend.receipts.keys import ALGORITHM, KeySet

LONGEST = 64 * 1024
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


class Flaw(StrEnum):
    """Why a text is not a receipt of ours. Adding one is not a breaking change."""

    NOT_A_RECEIPT = "NOT_A_RECEIPT"
    WRONG_ALGORITHM = "WRONG_ALGORITHM"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    WRONG_ISSUER = "WRONG_ISSUER"
    UNKNOWN_VERSION = "UNKNOWN_VERSION"


SENTENCES: dict[Flaw, Text] = {
    Flaw.NOT_A_RECEIPT: _("This is not the text of a receipt, or not all of it."),
    Flaw.WRONG_ALGORITHM: _("Receipts are signed with EdDSA; this is not."),
    Flaw.UNKNOWN_KEY: _("The key that this names is not one of the published ones."),
    Flaw.BAD_SIGNATURE: _("The signature does not fit: this was changed, or never issued."),
    Flaw.WRONG_ISSUER: _("The signature fits, but the receipt is not from this issuer."),
    Flaw.UNKNOWN_VERSION: _("The signature fits, but this check is too old for the receipt."),
}


class NotGenuine(Exception):
    """The text proves nothing; `flaw` says why."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw)
        self.flaw = flaw

    @property
    def message(self) -> str:
        """A sentence for people, in the active language."""
        return str(SENTENCES[self.flaw])


def verify(jws: str, *, keys: KeySet, issuer: str) -> dict[str, Any]:
    """What the receipt says, if one of `keys` signed it for `issuer`.

    The receipt decides nothing about its own check: not the algorithm, and of the key no more
    than which one of `keys` it is.

    Raises:
        NotGenuine: it is not one.
    """
    if len(jws) > LONGEST or not COMPACT.fullmatch(jws):
        raise NotGenuine(Flaw.NOT_A_RECEIPT)
    key = keys.get(_key_id(jws))
    if key is None:
        raise NotGenuine(Flaw.UNKNOWN_KEY)
    try:
        # Not its date: the clock of whoever checks it may be wrong, and a receipt does not expire.
        options: Any = {"verify_iat": False, "require": ["iss", "iat"]}
        claims: dict[str, Any] = jwt.decode(
            jws, key, algorithms=[ALGORITHM], issuer=issuer, options=options
        )
    except jwt.InvalidSignatureError as error:
        raise NotGenuine(Flaw.BAD_SIGNATURE) from error
    except jwt.InvalidIssuerError as error:
        raise NotGenuine(Flaw.WRONG_ISSUER) from error
    except jwt.InvalidTokenError as error:
        raise NotGenuine(Flaw.NOT_A_RECEIPT) from error
    if claims.get("v") != VERSION:
        raise NotGenuine(Flaw.UNKNOWN_VERSION)
    return claims


def _key_id(jws: str) -> str:
    try:
        header = jwt.get_unverified_header(jws)
    except jwt.InvalidTokenError as error:
        raise NotGenuine(Flaw.NOT_A_RECEIPT) from error
    if header.get("alg") != ALGORITHM:
        raise NotGenuine(Flaw.WRONG_ALGORITHM)
    # Exactly what we write: nothing that would bring a key along (jwk, jku, x5c) or change what is
    # signed (b64, crit).
    if header.keys() != {"alg", "kid", "typ"} or header["typ"] != TYPE:
        raise NotGenuine(Flaw.NOT_A_RECEIPT)
    kid: str = header["kid"]
    return kid
