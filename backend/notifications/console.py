"""Mails of a developer's machine, on stderr: stdout is for what programs read."""

import sys
from typing import Any

from django.core.mail.backends.console import EmailBackend as DjangosBackend


class EmailBackend(DjangosBackend):
    """Writes mails down instead of sending them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"stream": sys.stderr, **kwargs})
