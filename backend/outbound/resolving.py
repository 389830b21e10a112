"""From a name to the addresses we may connect to: one look-up, every answer checked."""

import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from backend.outbound.addresses import is_public
from backend.outbound.errors import DestinationRefused, NameNotResolved

Resolver = Callable[[str, int], Sequence[str]]
"""Blocking: (host, port) to textual addresses; raises OSError when there are none."""

# getaddrinfo cannot be interrupted. A look-up that is given up on keeps its thread until the
# system's resolver gives up too, so their number is bounded.
MAX_LOOKUPS = 32


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask the operating system, in the order it prefers. May block far beyond any deadline."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def literal(host: str) -> str | None:
    """`host` if it is an IP address itself (a development origin's), None if it is a name."""
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def checked(addresses: Sequence[str], *, must_be_public: bool) -> Sequence[str]:
    """Return `addresses` if the rule accepts all of them.

    One bad answer condemns the good ones beside it: a name that is half ours to attack is an
    attacker's name.

    Raises:
        NameNotResolved: there are none.
        DestinationRefused: at least one is not public though `must_be_public`.
    """
    if not addresses:
        raise NameNotResolved("the name has no address")
    if must_be_public and not all(is_public(address) for address in addresses):
        raise DestinationRefused("the name resolves to an address that is not public")
    return addresses


class BoundedResolver:
    """Runs a blocking resolver in threads of its own, so that a slow one costs only its limit."""

    def __init__(self, resolve: Resolver) -> None:
        self._resolve = resolve
        self._slots = threading.BoundedSemaphore(MAX_LOOKUPS)

    def __call__(self, host: str, port: int, *, timeout_seconds: float) -> Sequence[str]:
        """Resolve within `timeout_seconds`.

        Raises:
            NameNotResolved: there is no such name, the resolver failed or took too long.
        """
        if not self._slots.acquire(timeout=timeout_seconds):
            raise NameNotResolved("too many names are being resolved")
        answer: list[Sequence[str]] = []
        failure: list[Exception] = []

        def look_up() -> None:
            try:
                answer.append(self._resolve(host, port))
            except Exception as error:
                failure.append(error)
            finally:
                self._slots.release()

        # A daemon of its own rather than an executor: those are joined at exit, and a resolver
        # that hangs would hang the exit too.
        thread = threading.Thread(target=look_up, name="outbound-resolver", daemon=True)
        thread.start()
        thread.join(timeout_seconds)
        if failure:
            raise NameNotResolved("the name cannot be resolved") from failure[0]
        if not answer:
            raise NameNotResolved("the name was not resolved in time")
        return answer[0]
