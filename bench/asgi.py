"""The product in front of a sandbox on plain http, and a bare Django beside it."""

from typing import cast

from django.core.asgi import get_asgi_application
from django.test import override_settings
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.asgi import application as product

# Without any middleware, so that the baseline is the least that Django can do.
with override_settings(MIDDLEWARE=[]):
    bare = cast(ASGIApp, get_asgi_application())


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Send what is under /bench/ to the bare Django, everything else to the product."""
    is_bare = scope["type"] == "http" and scope["path"].startswith("/bench/")
    await (bare if is_bare else product)(scope, receive, send)
