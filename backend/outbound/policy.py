"""What may be reached and what a call may cost."""

from dataclasses import dataclass

from backend.outbound.urls import normalise_origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rule one client lives by.

    `allowed_origins` are exact development origins ("http://localhost:4000"): they may be plain
    http, any port and any address; every other rule holds for them too. `ca_file` is a PEM bundle
    trusted besides the public roots; None adds nothing. Durations are in seconds, sizes in bytes.
    A call may bring its own `request.extensions["total_timeout_seconds"]`.

    Raises:
        ValueError: an entry of `allowed_origins` is not scheme://host[:port].
    """

    allowed_origins: frozenset[str] = frozenset()
    ca_file: str | None = None
    total_timeout_seconds: float = 10.0
    connect_timeout_seconds: float = 4.0
    resolve_timeout_seconds: float = 2.0
    max_body_bytes: int = 256 * 1024
    max_header_bytes: int = 32 * 1024
    max_calls_per_host: int = 16
    slot_timeout_seconds: float = 2.0
    failures_before_rest: int = 5
    rest_seconds: float = 15.0

    def __post_init__(self) -> None:
        origins = frozenset(normalise_origin(origin) for origin in self.allowed_origins)
        object.__setattr__(self, "allowed_origins", origins)
