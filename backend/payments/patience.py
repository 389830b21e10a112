"""How long a payment may take, and how often something may be tried, before it ends."""

from datetime import datetime, timedelta

# CREATED: until the payer can be asked.
PREPARE_FOR = timedelta(minutes=10)
# AWAITING_APPROVAL: the payer's time to decide.
DECIDE_WITHIN = timedelta(minutes=15)
# AUTHORIZED and later: until the order is given. In flight a payment never fails by time alone:
# past this deadline a person is told.
SEND_WITHIN = timedelta(minutes=30)
# What is made to be paid into takes no money after that.
RECEIVER_LIFE = timedelta(days=1)
# ILP packets live up to 30 seconds: after that nothing that left in time is still under way.
IN_FLIGHT_FOR = timedelta(seconds=35)
# A quote that would live longer has no end that anybody could wait for: some wallets say never.
LONGEST_QUOTE_LIFE = timedelta(hours=6)

# How often one payment asks its payer for consent, whatever became of the earlier ones.
MAX_CONSENTS = 3
# How many times one payment may try to move the money, each after proof that the last is dead.
MAX_ATTEMPTS = 3
# How many certain refusals of the order in a row lead to a new quote before it is given up.
MAX_REFUSALS = 5


def pause_seconds(*, first: float, tries: int, longest: float) -> float:
    """Seconds to wait after so many tries: a little more each time."""
    return min(first * 1.6 ** min(tries, 50), longest)


# Some wallets say never as the year 9999, to which nothing can be added.
NEVER = timedelta(days=3650)


def in_our_time(told: datetime, *, now: datetime) -> datetime:
    """What a wallet says of when, near enough to reckon with."""
    return max(now - NEVER, min(told, now + NEVER))
