"""The switches of the sandbox: every quirk that real wallets differ in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from fractions import Fraction
from typing import Any

from sandbox_wallet.rates import DEFAULT_RATES

DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How this sandbox behaves. Durations are in seconds.

    `temperament` is a preset of five switches: `strict` is Rafiki's manner, `loose` the least
    a wallet may do. Setting one of the five afterwards overrides the preset.
    """

    temperament: str = "strict"
    single_use_quotes: bool = True
    outgoing_id_is_quote_id: bool = True
    grant_limits: bool = True
    closes_receiver: bool = True
    refuses_closed_receiver: bool = True

    settle_s: float = 0
    wait_s: int = 0
    quote_life_s: float = 300
    token_life_s: int = 600
    token_purge_s: float = 30 * DAY
    interaction_life_s: float = 600
    incoming_life_s: float = 30 * DAY

    fee_bps: int = 0
    fee_fixed: int = 0
    slippage_bps: int = 0
    rates: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_RATES))

    hash_encoding: str = "rafiki"
    created_window_s: int | None = 300
    rafiki_json: bool = False
    expired_incoming_vanishes: bool = True
    withdraws_unused: bool = False
    oldest_first: bool = False
    most_per_page: int = 100
    public_shows_received: bool = True
    auto_accept: bool = False
    client_origins: tuple[str, ...] = ()

    def changed(self, changes: Mapping[str, Any]) -> "Options":
        """Return these options with `changes`; `fees` is short for `fee_bps` and `fee_fixed`.

        Raises:
            ValueError: a name or a value is unknown; the message says which and why.
        """
        wanted = dict(changes)
        if (fees := wanted.pop("fees", None)) is not None:
            if not isinstance(fees, dict) or not set(fees) <= {"bps", "fixed"}:
                raise ValueError('fees must look like {"bps": 50, "fixed": 10}')
            wanted.update({f"fee_{name}": value for name, value in fees.items()})
        if (temperament := wanted.get("temperament")) is not None:
            if str(temperament) not in TEMPERAMENTS:
                raise ValueError("temperament must be strict or loose")
            wanted = {**TEMPERAMENTS[temperament], **wanted}
        known = {option.name for option in fields(self)}
        for name, value in wanted.items():
            if name not in known:
                raise ValueError(f"there is no option {name}; there are {sorted(known)}")
            wanted[name] = _checked(name, value)
        return replace(self, **wanted)

    def to_json(self) -> dict[str, Any]:
        """Return every option, ready for JSON."""
        return asdict(self)


TEMPERAMENTS: Mapping[str, Mapping[str, bool]] = {
    name: dict.fromkeys(
        (
            "single_use_quotes",
            "outgoing_id_is_quote_id",
            "grant_limits",
            "closes_receiver",
            "refuses_closed_receiver",
        ),
        name == "strict",
    )
    for name in ("strict", "loose")
}

_BOOLEANS = {*TEMPERAMENTS["strict"]} | {
    "rafiki_json",
    "expired_incoming_vanishes",
    "withdraws_unused",
    "oldest_first",
    "public_shows_received",
    "auto_accept",
}
_WHOLE = {
    "created_window_s",
    "wait_s",
    "token_life_s",
    "fee_bps",
    "fee_fixed",
    "slippage_bps",
    "most_per_page",
}


def _checked(name: str, value: Any) -> Any:
    """Return `value` as the option `name` wants it, or raise ValueError."""
    if name in _BOOLEANS:
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false")
        return value
    if name == "temperament":
        return value
    if name == "hash_encoding":
        if value not in ("rafiki", "rfc"):
            raise ValueError("hash_encoding must be rafiki or rfc")
        return value
    if name == "rates":
        return _checked_rates(value)
    if name == "client_origins":
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise ValueError("client_origins must be a list of origins")
        return tuple(value)
    if name == "created_window_s" and value is None:
        return None
    kinds = (int,) if name in _WHOLE else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not 0 <= value < 10**9:
        raise ValueError(f"{name} must be a number from 0, whole where it counts money")
    if name == "most_per_page" and value < 1:
        raise ValueError("most_per_page must be 1 or more: a page of nothing would never end")
    if name == "fee_bps" and value >= 10_000:
        raise ValueError("fee_bps must be below 10000: a wallet cannot keep everything")
    return value


def _checked_rates(value: Any) -> dict[str, str]:
    try:
        rates = {str(pair): str(rate) for pair, rate in value.items()}
        if all(pair.count(":") == 1 and Fraction(rate) > 0 for pair, rate in rates.items()):
            return rates
    except (AttributeError, ValueError, ZeroDivisionError):
        pass
    raise ValueError('rates must look like {"USD:MXN": "17.05"}')
