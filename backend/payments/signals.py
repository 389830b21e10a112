"""What this domain announces. It knows nothing of who listens.

All of them are sent inside the transaction of the change, so that what it was for changes in the
same commit: nobody ever sees one without the other, and no crash can come between them. A listener
that raises takes the change back, and the workflow tries again.
See docs/decisions/0003-payment-ended-inside-the-transaction.md.
"""

from django.dispatch import Signal

# A payment or a held grant is about to change its status, and nothing is locked yet. row: Payment
# or HeldGrant. Listeners lock what they will write, so that everybody takes locks in one order:
# job, funding, held grant, payment.
row_moving = Signal()
# A payment has another status, and goes on. payment: Payment, at: datetime.
payment_moved = Signal()
# A payment is over. payment: Payment, at: datetime.
payment_ended = Signal()
# A held grant has another status. held_grant: HeldGrant, at: datetime.
held_grant_moved = Signal()
# A payment has just taken a held grant past NEARLY_SPENT of its limit. held_grant: HeldGrant as it
# is now, at: datetime.
held_grant_nearly_spent = Signal()
