"""Fetching the public documents of client wallets that live outside the sandbox."""

from typing import Any

import httpx

_LARGEST = 64 * 1024


def fetch(url: str) -> Any:
    """Return the JSON at `url`, or None when there is none; its origin was allowed by option."""
    try:
        with (
            httpx.Client(timeout=5, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url, headers={"accept": "application/json"}) as response,
        ):
            body = b""
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LARGEST:
                    return None
            return httpx.Response(200, content=body).json() if response.is_success else None
    except (httpx.HTTPError, ValueError):
        return None
