"""What operators may say of the sums that a payment moved, where no wallet says it."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from backend.errors import AssetMismatch, Text, ValidationFailed
from backend.open_payments.types import Amount
from backend.payments.models import Payment
from backend.payments.quoting import LARGEST_VALUE, known_debit
from backend.payments.status import PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What arrived and what was debited, where outcome and rows do not say it; None: they do."""

    arrived_value: int | None
    debited_value: int | None


def sums(
    payment: Payment, outcome: PaymentStatus, *, arrived: Amount | None, debited: Amount | None
) -> Sums:
    """Judge what is said of `payment`, and leave out what goes without saying.

    Raises:
        AssetMismatch, ValidationFailed: it cannot be so, or more has to be said.
    """
    _require_asset(arrived, (payment.receive_asset_code, payment.receive_asset_scale), "arrived")
    _require_asset(debited, payment.sender.asset, "debited")
    arrived_value = _arrived(payment, outcome, arrived)
    some = outcome is PaymentStatus.COMPLETED or arrived_value is not None
    return Sums(
        arrived_value=arrived_value,
        debited_value=_debited(payment, arrived_value, debited, some=some),
    )


def whole(payment: Payment, said: Sums) -> tuple[int, int]:
    """What was to arrive, and what all of it takes from the sender, given that some arrived."""
    receive_value = payment.receive_value or said.arrived_value
    assert receive_value is not None
    if said.debited_value is None:
        debit = known_debit(payment, receive_value)
        assert debit is not None
    else:
        # Books take a part's share of it, rounded up: which is again what was said.
        part = said.arrived_value or receive_value
        debit = said.debited_value * receive_value // part
    return receive_value, debit


def _arrived(payment: Payment, outcome: PaymentStatus, arrived: Amount | None) -> int | None:
    wanted = payment.receive_value
    if outcome is PaymentStatus.COMPLETED:
        if wanted is None and not (arrived and arrived.value):
            raise _refused("arrived", _("What was to arrive was never fixed: say how much did."))
        if wanted is not None and arrived is not None and arrived.value != wanted:
            raise _refused(
                "arrived", _("COMPLETED is for all of it, {wanted}: of a part say FAILED."), wanted
            )
        return None if wanted is not None or arrived is None else arrived.value
    if arrived is None:
        return None
    if wanted is None or not 0 < arrived.value < wanted:
        raise _refused(
            "arrived", _("A part is more than nothing and less than what was to arrive.")
        )
    return arrived.value


def _debited(
    payment: Payment, arrived_value: int | None, debited: Amount | None, *, some: bool
) -> int | None:
    if not some:
        if debited is not None:
            raise _refused("debited", _("Nothing is booked as debited where nothing arrived."))
        return None
    receive_value = payment.receive_value or arrived_value
    assert receive_value is not None
    if debited is None:
        if known_debit(payment, receive_value) is None:
            raise _refused(
                "debited", _("What this took from the payer's wallet is not known here: say it.")
            )
        return None
    one_asset = payment.sender.asset == payment.receiver.asset
    if debited.value < ((arrived_value or receive_value) if one_asset else 1):
        raise _refused("debited", _("No less can have left the payer's wallet than arrived."))
    _whole_receive, whole_debit = whole(
        payment, Sums(arrived_value=arrived_value, debited_value=debited.value)
    )
    if whole_debit > LARGEST_VALUE:
        raise _refused("debited", _("This cannot be: all of it would cost more than is counted."))
    return debited.value


def _require_asset(amount: Amount | None, asset: tuple[str, int], path: str) -> None:
    code, scale = asset
    if amount is not None and (amount.asset_code, amount.asset_scale) != (code, scale):
        raise AssetMismatch(
            _("It is counted in {asset} with scale {scale} there."),
            path=(path,),
            asset=code,
            scale=scale,
        )


def _refused(path: str, sentence: Text, wanted: int | None = None) -> ValidationFailed:
    return ValidationFailed(sentence, path=(path, "value"), wanted=wanted)
