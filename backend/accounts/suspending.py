"""Wallet providers with which nothing new is begun, because an operator has suspended them.

Consents that were given before stay, and so does what is paid under them: nobody loses pay that
was promised. New consents, new wallets and new applications are refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from backend.accounts.errors import WalletHostSuspended
from backend.accounts.models import SuspendedHost, WalletAddress

DEFAULT_PORTS = {"https": 443, "http": 80}


def refuse_suspended(wallets: Iterable[WalletAddress], *, path: tuple[str, ...] = ()) -> None:
    """Pass silently when the providers of all `wallets` may be used for something new.

    Joins the caller's transaction; one query for all of them.

    Raises:
        WalletHostSuspended: one of them is suspended; `path` names the input field.
    """
    by_host = {host: wallet for wallet in wallets for host in hosts_of(wallet)}
    suspended = SuspendedHost.objects.filter(host__in=by_host).order_by("host").first()
    if suspended is not None:
        raise WalletHostSuspended(by_host[suspended.host].url, path=path)


def hosts_of(wallet: WalletAddress) -> set[str]:
    """Every host that money of this wallet depends on: an address may be on a domain of its own."""
    servers = (wallet.url, wallet.auth_server, wallet.resource_server)
    return {host_in(server) for server in servers}


def host_in(text: str) -> str:
    """The host in what somebody typed: a host, a wallet address or a payment pointer; "": none."""
    address = text.strip().removeprefix("$")
    url = address if "://" in address else f"https://{address}"
    try:
        parts = urlsplit(url)
        # Else whoever runs a wallet could spell its host in another way, and not be suspended.
        host = (parts.hostname or "").rstrip(".").encode("idna").decode()
        port = None if parts.port == DEFAULT_PORTS.get(parts.scheme) else parts.port
    except ValueError:
        return ""
    if "@" in parts.netloc or any(each.isspace() for each in parts.netloc):
        return ""
    return f"{host}:{port}" if host and port else host
