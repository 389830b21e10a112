"""Access tokens that need nobody's consent: for incoming payments and for quotes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings

from backend.ids import new_id
from backend.open_payments import IssuedGrant, operations
from backend.open_payments.grants import incoming_payment_access, quote_access
from backend.open_payments.types import AccessToken
from backend.payments import errors
from backend.payments.models import Grant, GrantSecrets
from backend.payments.patience import NEVER
from backend.payments.run import Run
from backend.payments.status import GrantKind, GrantStatus

if TYPE_CHECKING:
    from backend.payments.paying import PaymentRun


def with_token(run: PaymentRun, kind: GrantKind, step: Callable[[PaymentRun, Grant], None]) -> None:
    """Do `step` with a live token for incoming payments or quotes, getting that token first.

    Both calls may be repeated, so one commit holds what both brought.
    """
    grant = live_grant(run, kind)
    if grant is None:
        # Operators may demand a person even here; nobody is there to be asked.
        return run.give_up(errors.REFUSED_BY_WALLET)
    return step(run, grant)


def live_grant(run: PaymentRun, kind: GrantKind) -> Grant | None:
    """The grant whose token can be used now, asked for if need be; None: only a person gets one."""
    return run.grant_with_token(kind) or _request_token(run, kind)


def _request_token(run: PaymentRun, kind: GrantKind) -> Grant | None:
    """Ask for a grant that needs no consent. Repeating leaves an unused grant behind, no more."""
    if kind is GrantKind.INCOMING_PAYMENT:
        wallet = run.payment.receiver
        access = incoming_payment_access(identifier=wallet.url)
    else:
        wallet = run.payment.sender
        access = quote_access()
    issued = run.ask(
        operations.request_grant(
            auth_server=wallet.auth_server,
            client=settings.OP_CLIENT_WALLET_ADDRESS,
            access=[access],
        )
    )
    if not isinstance(issued, IssuedGrant) or issued.access_token is None:
        return None
    grant = Grant(
        id=new_id(),
        payment=run.payment,
        kind=kind,
        status=GrantStatus.APPROVED,
        auth_server=wallet.auth_server,
        token_expires_at=token_end(run, issued.access_token),
        created_at=run.now,
    )
    grant.secrets = grant.seal_secrets(
        GrantSecrets(
            access_token=issued.access_token.value, manage_url=issued.access_token.manage_url
        )
    )
    run.replace_grant(grant)
    return grant


def distrust_token(run: Run[Any], grant: Grant) -> None:
    """A wallet no longer accepts this token: never use it again."""
    pause = 0.2 * 2 ** min(run.row.tries, 10)
    with run.commit(wait_seconds=pause, tries=run.row.tries + 1):
        if grant.kind == GrantKind.OUTGOING_PAYMENT:
            run.distrust(grant)
        else:
            run.end_grant(grant, GrantStatus.SUPERSEDED)


def token_end(run: Run[Any], token: AccessToken) -> datetime | None:
    """When the token stops working; None when the server named no end."""
    if token.expires_in is None:
        return None
    return run.now + timedelta(seconds=min(token.expires_in, NEVER.total_seconds()))
