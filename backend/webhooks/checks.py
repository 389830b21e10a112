"""A secret that nobody could sign with is found at the start, not by the first sender."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from backend.checks import TAG
from backend.webhooks.signatures import BadSecret, key_of


@register(TAG, Tags.security)
def check_webhook_secrets(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> Iterable[CheckMessage]:
    """Report every entry of WEBHOOK_SECRETS that is no signing secret."""
    del app_configs
    for number, secret in enumerate(settings.WEBHOOK_SECRETS, start=1):
        try:
            key_of(secret)
        except BadSecret as problem:
            yield Error(
                f"WEBHOOK_SECRETS, entry {number}: {problem}",
                hint="Make one with: openssl rand -base64 32, and write whsec_ before it.",
                id="faena.E040",
            )
