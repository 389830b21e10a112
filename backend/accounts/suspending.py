"""Wallet providers with which nothing new is begun, because an operator has suspended them.

Consents that were given before stay, and so does what is paid under them: nobody loses pay that
was promised. New consents, new wallets and new applications are refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from backend.accounts.errors import WalletHostSuspended
from backend.accounts.models import SuspendedHost, WalletAddress


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
    return {urlsplit(server).netloc.lower() for server in servers}


def host_in(text: str) -> str:
    """The host in what somebody typed: a host, a wallet address or a payment pointer; "": none."""
    address = text.strip().removeprefix("$")
    url = address if "://" in address else f"https://{address}"
    try:
        host = urlsplit(url).netloc.lower()
    except ValueError:
        return ""
    return "" if "@" in host or any(each.isspace() for each in host) else host
