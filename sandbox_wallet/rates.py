"""What a payment costs: exchange rates, fees and the rounding between them.

Converting what is sent rounds down, converting what must arrive rounds up, so the exchange
never gives away a unit. The fee is `ceil(principal * bps / 10000) + fixed` in the sender's
asset: on the gross when the debit is fixed, on the net when the delivery is fixed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from sandbox_wallet.money import Asset

DEFAULT_RATES: Mapping[str, str] = {
    "USD:EUR": "0.92",
    "EUR:USD": "1.08",
    "USD:MXN": "17.05",
    "MXN:USD": "0.0586",
    "EUR:MXN": "18.41",
    "MXN:EUR": "0.0543",
}


class NoRate(Exception):
    """Nobody quotes this pair of currencies."""


class TooSmall(Exception):
    """The amount would arrive as nothing; `minimum` is the smallest debit that arrives."""

    def __init__(self, minimum: int) -> None:
        super().__init__(f"send at least {minimum}")
        self.minimum = minimum


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one quote says: `debit` leaves the sender, `receive` arrives.

    `fee` and `slack` are parts of the debit: what the wallet keeps, and what it sets aside in
    case the rate moves, which here always goes back.
    """

    debit: int
    receive: int
    fee: int
    slack: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The rates and fees in force between two assets."""

    rate: Fraction
    fee_bps: int
    fee_fixed: int
    slippage_bps: int

    @classmethod
    def between(
        cls,
        source: Asset,
        target: Asset,
        *,
        rates: Mapping[str, str],
        fee_bps: int,
        fee_fixed: int,
        slippage_bps: int,
    ) -> "Tariff":
        """Return the tariff from `source` to `target`, in smallest units of both.

        Raises:
            NoRate: the table does not have the pair.
        """
        if source.code == target.code:
            rate = Fraction(1)
        elif (quoted := rates.get(f"{source.code}:{target.code}")) is not None:
            rate = Fraction(quoted)
        else:
            raise NoRate(f"{source.code}:{target.code}")
        scaled = rate * Fraction(10) ** (target.scale - source.scale)
        return cls(rate=scaled, fee_bps=fee_bps, fee_fixed=fee_fixed, slippage_bps=slippage_bps)

    def fee_on(self, principal: int) -> int:
        """Return the fee for sending `principal`, in the sender's smallest unit."""
        return -(-principal * self.fee_bps // 10_000) + self.fee_fixed

    def fixed_send(self, debit: int) -> Price:
        """Price a payment whose debit is given.

        Raises:
            TooSmall: nothing would arrive.
        """
        fee = self.fee_on(debit)
        receive = floor((debit - fee) * self.rate)
        if receive < 1:
            raise TooSmall(self._smallest_debit())
        return Price(debit=debit, receive=receive, fee=fee)

    def fixed_receive(self, receive: int) -> Price:
        """Price a payment whose delivery is given."""
        principal = self.cost_of(receive)
        padded = -(-principal * (10_000 + self.slippage_bps) // 10_000)
        fee = self.fee_on(padded)
        return Price(debit=padded + fee, receive=receive, fee=fee, slack=padded - principal)

    def cost_of(self, receive: int) -> int:
        """Return what must be exchanged for `receive` to arrive, fee excluded."""
        return ceil(receive / self.rate)

    def _smallest_debit(self) -> int:
        debit = self.cost_of(1)
        while floor((debit - self.fee_on(debit)) * self.rate) < 1:
            debit = self.cost_of(1) + self.fee_on(debit)
        return debit
