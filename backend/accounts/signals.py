"""What accounts tell those above them."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.dispatch import Signal

# A token or an API key of `user_id` has stopped working. May be sent once too often.
tokens_revoked = Signal()
# Somebody signs up or logs in whose address is to be confirmed. user: User, at: datetime. Sent in
# the transaction of that, as its last statement.
entered_unconfirmed = Signal()


def tell_revoked(user_id: UUID) -> None:
    """Send `tokens_revoked` once the surrounding transaction, if there is one, commits."""
    send = partial(tokens_revoked.send_robust, sender=None, user_id=user_id)
    transaction.on_commit(send, robust=True)
