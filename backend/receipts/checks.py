"""A server that could not sign receipts, or whose old ones could not be checked, does not start."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from backend.checks import TAG
from backend.receipts import keys


@register(TAG, Tags.security)
def check_receipt_keys(app_configs: Sequence[AppConfig] | None, **_: Any) -> Iterable[CheckMessage]:
    """Report keys with which receipts cannot be signed, or not be checked."""
    del app_configs
    if not settings.RECEIPT_PRIVATE_KEY and not settings.RECEIPT_DEVELOPMENT_KEY_PATH:
        yield Error(
            "Without RECEIPT_PRIVATE_KEY no receipt can be signed, and no payment completed.",
            hint="Make one with `openssl genpkey -algorithm ed25519`, and keep it.",
            id="faena.E030",
        )
        return
    try:
        keys.published_keys()
    except ImproperlyConfigured as error:
        yield Error(
            str(error),
            hint="Give the key as unencrypted PKCS#8 PEM, and the retired ones as a JWK set.",
            id="faena.E031",
        )
