import pytest

from backend.open_payments import (
    Answer,
    MismatchedResponse,
    OpenPaymentsError,
    UnexpectedResponse,
    WalletUnreachable,
    operations,
)
from backend.payments.outcomes import Outcome, outcome_of


def unreachable(*, request_sent: bool) -> WalletUnreachable:
    return WalletUnreachable("create-quote", reason="reset", request_sent=request_sent)


def refused(status: int, body: bytes, **headers: str) -> OpenPaymentsError:
    """What the library makes of a 4xx to an order to pay."""
    order = operations.create_outgoing_payment(
        resource_server="https://wallet.example/op",
        token="t",
        wallet_address="https://wallet.example/alice",
        quote="https://wallet.example/op/quotes/1",
    )
    with pytest.raises(OpenPaymentsError) as caught:
        order.parse(Answer(status=status, headers=headers, body=body))
    return caught.value


def rs_error(status: int, description: str) -> bytes:
    return b'{"error":{"code":"%d","description":"%s"}}' % (status, description.encode())


NEVER_LEFT = unreachable(request_sent=False)
MAYBE_LEFT = unreachable(request_sent=True)
SERVER_ERROR = UnexpectedResponse("create-quote", status=503, reason="busy")
OTHER_ANSWER = MismatchedResponse("receiver", expected="a", received="b")


@pytest.mark.parametrize(
    ("error", "repeatable", "once"),
    [
        (NEVER_LEFT, Outcome.TRY_LATER, Outcome.TRY_LATER),
        (MAYBE_LEFT, Outcome.TRY_LATER, Outcome.UNKNOWN),
        (SERVER_ERROR, Outcome.TRY_LATER, Outcome.UNKNOWN),
        (OTHER_ANSWER, Outcome.MISBEHAVED, Outcome.UNKNOWN),
        (refused(500, b"Internal Server Error"), Outcome.TRY_LATER, Outcome.UNKNOWN),
        (refused(408, b"Request Timeout"), Outcome.TRY_LATER, Outcome.UNKNOWN),
        (refused(429, b"Too Many Requests"), Outcome.TRY_LATER, Outcome.UNKNOWN),
        (refused(301, b""), Outcome.TRY_LATER, Outcome.UNKNOWN),
        (refused(200, b"<html>"), Outcome.TRY_LATER, Outcome.UNKNOWN),
        (refused(201, b"<html>"), Outcome.TRY_LATER, Outcome.UNKNOWN),
        (refused(400, b"<html>a proxy's words</html>"), Outcome.REFUSED, Outcome.UNKNOWN),
        (refused(400, rs_error(400, "invalid quote")), Outcome.REFUSED, Outcome.REFUSED),
        (refused(403, rs_error(403, "unauthorized")), Outcome.REFUSED, Outcome.REFUSED),
        (refused(404, rs_error(404, "unknown quote")), Outcome.REFUSED, Outcome.REFUSED),
        (refused(409, rs_error(409, "wrong state")), Outcome.REFUSED, Outcome.REFUSED),
        (
            refused(403, rs_error(403, "Inactive Token")),
            Outcome.RENEW_TOKEN,
            Outcome.RENEW_TOKEN,
        ),
        (
            refused(401, rs_error(401, "Signature validation error: no key")),
            Outcome.KEY_REFUSED,
            Outcome.KEY_REFUSED,
        ),
    ],
)
def test_each_error_has_one_outcome_for_either_kind_of_call(
    error: OpenPaymentsError, repeatable: Outcome, once: Outcome
) -> None:
    assert outcome_of(error, repeatable=True) is repeatable
    assert outcome_of(error, repeatable=False) is once
