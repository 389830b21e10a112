"""Money in and out, exactly as Open Payments writes it."""

import strawberry
from django.utils.translation import gettext_lazy as _

from backend.errors import ErrorCode, FaenaError, ValidationFailed
from backend.open_payments import types as op
from backend.open_payments.errors import InvalidValue
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scalars import UInt64

LARGEST_VALUE = 2**63 - 1


class AmountOutOfRange(FaenaError):
    """More than this server can keep exactly."""

    code = ErrorCode.AMOUNT_OUT_OF_RANGE


@rule(WITH_PARENT)
@strawberry.type(
    description=(
        'A sum of money in the asset\'s smallest unit: value "1250" in USD with scale 2 is 12.50.'
    )
)
class Amount:
    value: UInt64 = strawberry.field(description="How many of the asset's smallest units.")
    asset_code: str = strawberry.field(
        description="What is counted, as the wallets call it: a code of ISO 4217, or another name."
    )
    asset_scale: int = strawberry.field(
        description="How many decimal places to show: one whole is 10^assetScale smallest units."
    )

    @classmethod
    def of(cls, amount: op.Amount) -> "Amount":
        return cls(
            value=UInt64(amount.value),
            asset_code=amount.asset_code,
            asset_scale=amount.asset_scale,
        )

    @classmethod
    def from_parts(cls, value: int, asset_code: str, asset_scale: int) -> "Amount":
        return cls(value=UInt64(value), asset_code=asset_code, asset_scale=asset_scale)

    @classmethod
    def of_maybe(cls, amount: op.Amount | None) -> "Amount | None":
        return cls.of(amount) if amount is not None else None


@strawberry.input(description="A sum of money in the asset's smallest unit.")
class AmountInput:
    value: UInt64 = strawberry.field(description='How many smallest units, such as "1250".')
    asset_code: str = strawberry.field(
        description="As `Amount.assetCode` or a wallet gives it: USD."
    )
    asset_scale: int = strawberry.field(
        description="As `Amount.assetScale` or a wallet gives it: 0 to 255."
    )

    def to_amount(self, *, path: tuple[str, ...]) -> op.Amount:
        """The domain's Amount; `path` is where this input stands, for the error.

        Raises:
            AmountOutOfRange: above 2^63-1.
            ValidationFailed: code or scale are not an asset's.
        """
        if self.value > LARGEST_VALUE:
            raise AmountOutOfRange(
                _("Amounts above {most} are not supported."),
                path=(*path, "value"),
                most=LARGEST_VALUE,
            )
        try:
            return op.Amount(
                value=self.value, asset_code=self.asset_code, asset_scale=self.asset_scale
            )
        except InvalidValue as error:
            raise ValidationFailed(
                _("This is no asset: its code is a short text, its scale a number from 0 to 255."),
                path=path,
            ) from error
