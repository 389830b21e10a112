"""Taking one claimed row as far as it goes on its own."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from backend.open_payments import OpenPaymentsError
from backend.outbound import HostBusy
from backend.payments import errors
from backend.payments.errors import LostRace
from backend.payments.outcomes import Outcome, outcome_of
from backend.payments.run import Run
from backend.payments.tokens import distrust_token
from backend.telemetry import metrics

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Run[Any])

# More steps in one claim than any row needs: a loop must not become a hot one.
MAX_STEPS = 60
AFTER_TOO_MANY_STEPS_SECONDS = 60


def drive(begin: Callable[[], R], *, step: Callable[[R], bool]) -> None:
    """Run steps until one waits; `step` says whether there was one to do.

    Safe to run again after any crash. Losing the claim ends the run silently: whoever has it now
    goes on from the rows.
    """
    try:
        run = begin()
        for _ in range(MAX_STEPS):
            if run.must_stop():
                break
            if run.has_had_its_turn():
                return run.rest()
            if not _take(run, step):
                break
        else:
            log.error("%s did %d steps in one claim", run.row, MAX_STEPS)
            if not run.is_over:
                run.try_later(at_least_seconds=AFTER_TOO_MANY_STEPS_SECONDS)
        if not run.is_over and run.row.lease_until is not None:
            run.release()
    except LostRace as race:
        metrics.FENCES_LOST.inc()
        log.info("%s", race)


def _take(run: R, step: Callable[[R], bool]) -> bool:
    try:
        return step(run)
    except HostBusy:
        # By our own rule, and the wallet was asked nothing: it says nothing of the payment.
        run.try_later()
        return True
    except OpenPaymentsError as error:
        _after_failed_call(run, error)
        return True


def _after_failed_call(run: Run[Any], error: OpenPaymentsError) -> None:
    """Decide after a repeatable call: ask again, with another token, or give up."""
    outcome = outcome_of(error, repeatable=True)
    log.info("%s: %s", run.row, error)
    if outcome is Outcome.RENEW_TOKEN and run.failed_grant is not None:
        distrust_token(run, run.failed_grant)
    elif run.may_have_sent:
        # Money may be moving: whatever a wallet says to a question, we ask again.
        run.try_later(at_least_seconds=run.retry_after(error))
    elif outcome is Outcome.TRY_LATER and run.now < run.row.deadline_at:
        run.try_later(at_least_seconds=run.retry_after(error))
    else:
        run.fail(
            {
                Outcome.TRY_LATER: errors.WALLET_UNAVAILABLE,
                Outcome.MISBEHAVED: errors.WALLET_MISBEHAVED,
                Outcome.KEY_REFUSED: errors.KEY_REFUSED,
            }.get(outcome, errors.REFUSED_BY_WALLET)
        )
