"""A payer's consent, beat by beat: ask, wait, collect the token, renew it, give it back.

The same beats for a consent to one payment and for one that is held for many (vault.py); what a
lost token means is the caller's to say. Continuing and rotating are done once: a wallet issues a
token to the first that asks, and an answer that is lost takes the token with it.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from backend.ids import new_id
from backend.open_payments import (
    Interact,
    IssuedGrant,
    OpenPaymentsError,
    PendingGrant,
    new_nonce,
    operations,
)
from backend.open_payments.errors import (
    ContinuationInvalid,
    ContinuedTooSoon,
    GrantDenied,
    MismatchedResponse,
    NotFound,
    TokenInactive,
)
from backend.payments import errors, links
from backend.payments.models import Grant, GrantSecrets
from backend.payments.outcomes import Outcome, outcome_of
from backend.payments.patience import DECIDE_WITHIN
from backend.payments.run import Run
from backend.payments.status import GrantKind, GrantStatus
from backend.payments.tokens import token_end
from backend.telemetry import metrics

log = logging.getLogger(__name__)

# Whoever has to wait longer is told so again when they continue.
LONGEST_WAIT_SECONDS = 60
DEFAULT_WAIT_SECONDS = 5

# What becomes of a row whose token is lost for good, or was taken back.
OnLoss = Callable[[Grant], None]


def ask(run: Run[Any], *, limit: int, **fields: Any) -> None:
    """Request the grant that the payer approves at their wallet; `limit` in the sender's asset.

    `fields` of the row are saved with it. Repeating leaves a request behind that nobody sees.
    """
    grant_id, nonce = new_id(), new_nonce()
    pending = run.ask(
        operations.request_grant(
            auth_server=run.sender.auth_server,
            client=settings.OP_CLIENT_WALLET_ADDRESS,
            access=[run.access(limit)],
            interact=Interact(finish_uri=links.finish_url(grant_id), client_nonce=nonce),
        )
    )
    if not isinstance(pending, PendingGrant):
        return run.fail(errors.WALLET_MISBEHAVED)
    expires_at = run.now + DECIDE_WITHIN
    grant = Grant(
        id=grant_id,
        **{run.NAMED: run.row},
        kind=GrantKind.OUTGOING_PAYMENT,
        status=GrantStatus.AWAITING_APPROVAL,
        auth_server=run.sender.auth_server,
        max_debit_value=limit,
        continue_after=_wait_over(run, pending),
        expires_at=expires_at,
        created_at=run.now,
    )
    grant.secrets = grant.seal_secrets(
        GrantSecrets(
            client_nonce=nonce,
            interact_nonce=pending.interact_nonce,
            redirect=pending.redirect,
            continue_uri=pending.continuation.uri,
            continue_token=pending.continuation.token,
        )
    )
    with run.commit(run.AWAITING_APPROVAL, wait_until=expires_at, deadline_at=expires_at, **fields):
        run.add_grant(grant)


def await_approval(run: Run[Any], *, deadline_at: datetime, on_loss: OnLoss) -> None:
    """See what the finish view recorded on the grant: yes, no, or nothing until it is too late.

    `deadline_at` is the row's once the payer has consented.
    """
    grant = run.grant(GrantKind.OUTGOING_PAYMENT)
    assert grant is not None and grant.expires_at is not None
    if grant.status == GrantStatus.REJECTED:
        return run.fail(errors.CONSENT_REJECTED, status=run.REJECTED)
    if grant.status == GrantStatus.APPROVED and grant.confirmed:
        return _collect(run, grant, deadline_at, on_loss)
    if run.now < grant.expires_at:
        with run.commit(wait_until=grant.expires_at):
            return None
    with run.commit(run.EXPIRED, **errors.CONSENT_EXPIRED.fields()):
        run.end_grant(grant, GrantStatus.EXPIRED)


def _collect(run: Run[Any], grant: Grant, deadline_at: datetime, on_loss: OnLoss) -> None:
    """Collect the access token. Wallets issue it once: a lost answer is a lost token."""
    if grant.continue_after and run.now < grant.continue_after and not run.row.pending_call_id:
        with run.commit(wait_until=grant.continue_after):
            return None
    secrets = grant.open_secrets()
    operation = operations.continue_grant(
        uri=secrets.continue_uri,
        token=secrets.continue_token,
        interact_ref=grant.open_interact_ref(),
        requested=[run.access(grant.max_debit_value or 0)],
    )
    try:
        issued = run.ask_once(operation, grant=grant)
    except OpenPaymentsError as error:
        return _after_failed_continue(run, grant, error, on_loss)
    if not isinstance(issued, IssuedGrant) or issued.access_token is None:
        return run.fail(errors.WALLET_MISBEHAVED)
    token, continuation = issued.access_token, issued.continuation
    fresh = GrantSecrets(
        access_token=token.value,
        manage_url=token.manage_url,
        continue_uri=continuation.uri if continuation else "",
        continue_token=continuation.token if continuation else "",
    )
    with run.commit(run.CONSENTED, deadline_at=deadline_at):
        run.update_grant(
            grant,
            secrets=grant.seal_secrets(fresh),
            interact_ref="",
            token_expires_at=token_end(run, token),
            lost_answers=0,
        )


def _after_failed_continue(
    run: Run[Any], grant: Grant, error: OpenPaymentsError, on_loss: OnLoss
) -> None:
    log.info("%s, continue: %s", run.row, error)
    if isinstance(error, ContinuedTooSoon):
        return run.try_later(at_least_seconds=DEFAULT_WAIT_SECONDS)
    if isinstance(error, MismatchedResponse):
        return run.fail(errors.WALLET_MISBEHAVED)
    outcome = outcome_of(error, repeatable=False)
    if outcome is Outcome.TRY_LATER:
        return run.try_later(at_least_seconds=run.retry_after(error))
    if outcome is Outcome.UNKNOWN and _may_ask_once_more(run, grant):
        return _ask_once_more(run, grant, error)
    if isinstance(error, GrantDenied) and grant.lost_answers == 0:
        return run.fail(errors.CONSENT_REJECTED, status=run.REJECTED)
    if outcome is Outcome.KEY_REFUSED and grant.lost_answers == 0:
        return run.fail(errors.KEY_REFUSED)
    # Any other no to a grant that was approved: its token went to the answer we never got.
    metrics.GRANTS_LOST.labels(type(run.row).__name__).inc()
    return on_loss(grant)


def _may_ask_once_more(run: Run[Any], grant: Grant) -> bool:
    return grant.lost_answers == 0 or bool(run.now < run.row.deadline_at)


def _ask_once_more(run: Run[Any], grant: Grant, error: OpenPaymentsError) -> None:
    """Ask again: a wallet in trouble may never have seen the question.

    If it has, it will say no: it gives a token once. Only that no says that the token is lost.
    """
    with run.later(at_least_seconds=max(1, run.retry_after(error))):
        run.update_grant(grant, lost_answers=1)


def rotate(run: Run[Any], grant: Grant, *, on_loss: OnLoss, **fields: Any) -> None:
    """Swap the access token for a fresh one. The old one dies at once: a lost answer loses both.

    `fields` of the row are saved with it.
    """
    secrets = grant.open_secrets()
    operation = operations.rotate_token(
        manage_url=secrets.manage_url,
        token=secrets.access_token,
        requested=[run.access(grant.max_debit_value or 0)],
    )
    try:
        token = run.ask_once(operation, grant=grant)
    except OpenPaymentsError as error:
        log.info("%s, rotate: %s", run.row, error)
        outcome = outcome_of(error, repeatable=False)
        if outcome is Outcome.TRY_LATER:
            return run.try_later(at_least_seconds=run.retry_after(error))
        if outcome is Outcome.UNKNOWN and _may_ask_once_more(run, grant):
            return _ask_once_more(run, grant, error)
        if outcome is Outcome.KEY_REFUSED:
            # That is about us, and says nothing of the token: a consent outlives our mistake.
            return run.give_up(errors.KEY_REFUSED)
        metrics.GRANTS_LOST.labels(type(run.row).__name__).inc()
        return on_loss(grant)
    fresh = GrantSecrets(
        access_token=token.value,
        manage_url=token.manage_url,
        continue_uri=secrets.continue_uri,
        continue_token=secrets.continue_token,
    )
    with run.commit(**{"tries": run.row.tries, **fields}):
        run.update_grant(
            grant,
            secrets=grant.seal_secrets(fresh),
            token_expires_at=token_end(run, token),
            lost_answers=0,
        )


def revoke(run: Run[Any], grant: Grant) -> None:
    """Have the wallet end the grant with all its tokens; one that is gone already is no error.

    Repeating is harmless.

    Raises:
        OpenPaymentsError: the wallet did not do it, or nobody knows whether it did.
        HostBusy, LostRace: as `Run.ask`; nothing was sent.

    Spec: auth server, DELETE /continue/{id}; without a continuation, DELETE /token/{id}.
    """
    secrets = grant.open_secrets()
    if secrets.continue_uri:
        operation = operations.cancel_grant(uri=secrets.continue_uri, token=secrets.continue_token)
    else:
        operation = operations.revoke_token(
            manage_url=secrets.manage_url, token=secrets.access_token
        )
    try:
        run.ask(operation, grant=grant)
    except (ContinuationInvalid, TokenInactive, NotFound):
        return


def give_back(run: Run[Any], grant: Grant) -> None:
    """Revoke a grant whose token is lost; else the payer would see it approved until it ends.

    Asked once only: nobody can spend with it, and what comes next must not wait for it.

    Raises:
        HostBusy, LostRace: as `Run.ask`; nothing was sent.
    """
    try:
        revoke(run, grant)
    except OpenPaymentsError as error:
        log.warning("%s: its lost grant stays approved at the wallet: %s", run.row, error)


def _wait_over(run: Run[Any], pending: PendingGrant) -> datetime:
    # RFC 9635 section 3.1: without `wait`, at least five seconds.
    seconds = pending.continuation.wait_seconds
    asked = DEFAULT_WAIT_SECONDS if seconds is None else seconds
    return run.now + timedelta(seconds=min(asked, LONGEST_WAIT_SECONDS))
