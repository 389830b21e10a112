"""The one signal of this domain."""

from django.dispatch import Signal

# Sent with `payment` and `at` inside the transaction that ends the payment, so that what it was
# for changes in the same commit: nobody ever sees one without the other, and no crash can come
# between them. A listener that raises keeps the payment open, and the workflow tries again.
# See docs/decisions/0003-payment-ended-inside-the-transaction.md.
payment_ended = Signal()
