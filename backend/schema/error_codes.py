"""What every error code means, and what a client does then: for the schema and docs/errors.md.

The domains choose the codes (backend.errors); what is written here is for those who meet them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from backend.errors import ErrorCode


class Repeat(StrEnum):
    """Whether the very same request can succeed later: what `retryable` says with the code."""

    NO = "no"
    YES = "yes"
    SAID = "if `retryable`"


class Place(StrEnum):
    """Where a code stands."""

    REFUSAL = "refusal"
    TOP_LEVEL = "top level"
    FAILURE = "`Payment.failure`"
    HTTP = "HTTP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code. `meaning` and `advice` are sentences."""

    meaning: str
    advice: str
    repeat: Repeat = Repeat.NO
    places: tuple[Place, ...] = (Place.REFUSAL,)

    @property
    def description(self) -> str:
        """What the schema says of it."""
        return f"{self.meaning} {self.advice}"


CODES: Mapping[ErrorCode, Code] = MappingProxyType(
    {
        ErrorCode.VALIDATION: Code(
            meaning="An input has a value that cannot be used; `path` names it.",
            advice="Show the message beside that input.",
        ),
        ErrorCode.NOT_FOUND: Code(
            meaning="Nothing has this id, or the viewer may not see it: the two look the same.",
            advice="Leave the object's page.",
            places=(Place.REFUSAL, Place.HTTP),
        ),
        ErrorCode.FORBIDDEN: Code(
            meaning="The viewer sees the object, but this is for somebody else to do.",
            advice="Offer only what `allowedActions` lists.",
            places=(Place.REFUSAL, Place.HTTP),
        ),
        ErrorCode.UNAUTHENTICATED: Code(
            meaning="No token was sent, or it is unknown, expired or revoked.",
            advice="Log in, and send the request again with the new token.",
            places=(Place.TOP_LEVEL,),
        ),
        ErrorCode.BAD_CREDENTIALS: Code(
            meaning="E-mail address or password is wrong, and it is not said which.",
            advice="Let the person type again.",
        ),
        ErrorCode.INVALID_TRANSITION: Code(
            meaning=(
                "The object's status, or a deadline that has passed, does not allow this any more."
            ),
            advice="Read the object again, and show its `allowedActions`.",
            repeat=Repeat.SAID,
        ),
        ErrorCode.NO_SELECTED_WORKERS: Code(
            meaning="Nobody is selected for the job, so there is nobody's pay to secure.",
            advice="Select an application first, with decideApplications.",
        ),
        ErrorCode.VERSION_CHANGED: Code(
            meaning="The job has changed since the `expectedVersion` that the person saw.",
            advice="Read the job again, and let the person decide between the two versions.",
        ),
        ErrorCode.AMOUNT_CHANGED: Code(
            meaning="The sum is not the `expectedTotal` that the person was shown.",
            advice="Show `actual`, and ask again before sending it as the new `expectedTotal`.",
        ),
        ErrorCode.AMOUNT_OUT_OF_RANGE: Code(
            meaning="An amount, or a product of amounts, is above 9223372036854775807 (2^63-1).",
            advice="Ask for a smaller one.",
        ),
        ErrorCode.AMOUNT_TOO_SMALL: Code(
            meaning="The wallet would keep all of it for sending it: nothing would arrive.",
            advice="Nothing can be done about this sum; wallets lower their charges now and then.",
            repeat=Repeat.YES,
            places=(Place.FAILURE,),
        ),
        ErrorCode.ASSET_MISMATCH: Code(
            meaning="A wallet has another asset than the job, or than it had when it was added.",
            advice="Name a wallet with the job's assetCode and assetScale.",
        ),
        ErrorCode.WALLET_REQUIRED: Code(
            meaning="The person has no wallet that money could leave or reach.",
            advice="Have them add one with addWallet, then send the request again.",
        ),
        ErrorCode.WALLET_UNREACHABLE: Code(
            meaning=(
                "No Open Payments wallet answered at this address: there is none, or it is silent."
            ),
            advice="Let the person check the address; if it is right, try again later.",
            repeat=Repeat.YES,
        ),
        ErrorCode.WALLET_REJECTED: Code(
            meaning="A wallet answered and said no, or said something else than what was asked.",
            advice="Show the message, which says what can be done about it.",
            repeat=Repeat.SAID,
            places=(Place.FAILURE,),
        ),
        ErrorCode.WALLET_HOST_SUSPENDED: Code(
            meaning="An operator has suspended the provider of a wallet: nothing new begins there.",
            advice="Let the person use another wallet. What was approved before goes on.",
            repeat=Repeat.YES,
        ),
        ErrorCode.SELLER_NOT_FOUND: Code(
            meaning="There is no active seller with this `sellerId`.",
            advice="Leave `sellerId` out, or ask the operator for its spelling.",
        ),
        ErrorCode.MODE_UNAVAILABLE: Code(
            meaning="This installation does not take money in this way.",
            advice="The message names the way that is open; it is the operator who opens others.",
        ),
        ErrorCode.RETURN_URL_REFUSED: Code(
            meaning="The origin of `returnUrl` is not one that the operator listed.",
            advice="Ask the operator to add the app's origin to RETURN_URLS.",
        ),
        ErrorCode.ALREADY_FUNDED: Code(
            meaning="A funding stands behind the job already: settled, or waiting for its payer.",
            advice="Show that one, from `job.fundings`.",
        ),
        ErrorCode.GRANT_EXPIRED: Code(
            meaning="The payer did not decide in time, or a consent is over; nothing was charged.",
            advice="Offer to fund again, with a new idempotencyKey; for what is owed, renewGrant.",
            repeat=Repeat.YES,
            places=(Place.FAILURE,),
        ),
        ErrorCode.GRANT_REJECTED: Code(
            meaning="The payer said no at their wallet; nothing was charged.",
            advice="Offer to fund again, with a new idempotencyKey.",
            repeat=Repeat.YES,
            places=(Place.FAILURE,),
        ),
        ErrorCode.GRANT_EXHAUSTED: Code(
            meaning="The payment costs more by now than the payer approved; nothing was charged.",
            advice=(
                "Offer to fund again, so that the payer approves the new sum; for what is owed, "
                "renewGrant."
            ),
            repeat=Repeat.YES,
            places=(Place.FAILURE,),
        ),
        ErrorCode.GRANT_LOST: Code(
            meaning="The wallet's approval was lost on the way several times; nothing was charged.",
            advice="Offer to fund again later; for what is owed, renewGrant.",
            repeat=Repeat.YES,
            places=(Place.FAILURE,),
        ),
        ErrorCode.GRANT_REVOKED: Code(
            meaning="The payer took the approval back at their wallet; nothing was charged.",
            advice="Ask the payer to approve again, with renewGrant.",
            repeat=Repeat.YES,
            places=(Place.FAILURE,),
        ),
        ErrorCode.INSUFFICIENT_FUNDS: Code(
            meaning="The payer's wallet sent nothing, most often because it holds too little.",
            advice=(
                "Have the payer add money to it, then fund again; what is owed is tried again by "
                "itself, and by retryPayment."
            ),
            repeat=Repeat.YES,
            places=(Place.FAILURE,),
        ),
        ErrorCode.PARTIALLY_DELIVERED: Code(
            meaning="Only a part of the money arrived; `deliveredAmount` says how much.",
            advice="Do not fund again: the operator settles it.",
            places=(Place.FAILURE,),
        ),
        ErrorCode.NOT_DELIVERED: Code(
            meaning="The money did not arrive in time, and the payment was stopped for good.",
            advice=(
                "Offer to fund again; a charge in the payer's wallet is that wallet's matter. For "
                "what is owed offer retryPayment only to who has asked both wallets; of the "
                "treasury's money only operators decide."
            ),
            repeat=Repeat.YES,
            places=(Place.FAILURE,),
        ),
        ErrorCode.DEADLINE_TOO_FAR: Code(
            meaning="The payer's consent would have to last longer than can be asked for.",
            advice="Offer ESCROW, or to post the job again with closer deadlines.",
        ),
        ErrorCode.IDEMPOTENCY_CONFLICT: Code(
            meaning="This `idempotencyKey` was used before, with other input.",
            advice="Make a new UUID for each decision, and keep it only to repeat that one.",
        ),
        ErrorCode.CURSOR_EXPIRED: Code(
            meaning="Events behind this cursor are older than 30 days, and gone.",
            advice="Subscribe without `after`: the first item is the present state.",
        ),
        ErrorCode.BAD_CURSOR: Code(
            meaning="This is no cursor of this list or feed, in this order and with this filter.",
            advice="Start again without a cursor.",
        ),
        ErrorCode.RATE_LIMITED: Code(
            meaning="Too many tries; `extensions.retryAfterSeconds` says when the next one counts.",
            advice="Wait that long, then send the same request.",
            repeat=Repeat.YES,
            places=(Place.TOP_LEVEL,),
        ),
        ErrorCode.RATE_TOO_LOW: Code(
            meaning=(
                "Where a job fixes what is sent: less than half would arrive of what the payer's "
                "wallet said when they consented."
            ),
            advice="Try it again later; at that rate only an operator can have it paid.",
            repeat=Repeat.YES,
            places=(Place.FAILURE,),
        ),
        ErrorCode.QUERY_TOO_COMPLEX: Code(
            meaning="The document asks for more than one request may; the message names the limit.",
            advice="Ask for fewer fields, smaller pages, or in several requests.",
            places=(Place.TOP_LEVEL,),
        ),
        ErrorCode.BAD_REQUEST: Code(
            meaning="The request or its document is not one that this schema can answer.",
            advice="Correct the client: the message is for who writes it, and always English.",
            places=(Place.TOP_LEVEL, Place.HTTP),
        ),
        ErrorCode.UPSTREAM_UNAVAILABLE: Code(
            meaning=(
                "A wallet, the store of files or the database did not answer in time; nothing was "
                "lost."
            ),
            advice="Try again later.",
            repeat=Repeat.YES,
            places=(Place.REFUSAL, Place.FAILURE, Place.TOP_LEVEL, Place.HTTP),
        ),
        ErrorCode.INTERNAL: Code(
            meaning="A bug of the server; `extensions.logId` finds it in the operator's log.",
            advice=(
                "Report the logId. Repeat only what is said to be safe to repeat: something may "
                "have been done."
            ),
            places=(Place.TOP_LEVEL, Place.HTTP),
        ),
    }
)
