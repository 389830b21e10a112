"""Reading what a wallet lists for us, as far back as it matters.

The specification names no order: Rafiki's is newest first, and a wallet that has another one must
not be read as if it had nothing new. Nor is a page as long as was asked.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar

from backend.open_payments import operations
from backend.open_payments.exchange import ListOperation
from backend.open_payments.types import OutgoingPayment, Page
from backend.payments.models import Grant
from backend.payments.paying import PaymentRun

# Of the wallet and of ours. Generous: it costs a page more.
CLOCKS_APART = timedelta(hours=1)
AT_ONCE, MAX_PAGES = 100, 50
# Whoever runs the wallet decides how long a list is and how long each page takes.
READ_WITHIN = timedelta(seconds=20)
T = TypeVar("T")


class HasNoEnd(Exception):
    """A wallet lists more than can be read. What was not read is not known."""


def to_the_end(
    first_page: ListOperation[T],
    *,
    ask: Callable[[ListOperation[T]], Page[T]],
    now: Callable[[], datetime],
    within: timedelta = READ_WITHIN,
    most_pages: int = MAX_PAGES,
) -> Iterator[Page[T]]:
    """The pages of a list, the last one included; `ask` sends the request for each.

    May be repeated. Spec: resource server, schema `page-info`: `hasNextPage`, `endCursor`.

    Raises:
        OpenPaymentsError: as `ask` does, or where the list goes on but does not move.
        HasNoEnd: after `most_pages`, or when `within` was over, there was still more.
    """
    page_of, until = first_page, now() + within
    for _ in range(most_pages):
        page = ask(page_of)
        yield page
        following = page_of.follow(page)
        if following is None:
            return
        if now() >= until:
            break
        page_of = following
    raise HasNoEnd


def pages(run: PaymentRun, grant: Grant, page_of: Any, *, since: datetime) -> Iterator[Any]:
    """The items of each page, back to before `since` if the newest come first, else all.

    Raises:
        OpenPaymentsError, HasNoEnd: as `to_the_end`.
    """
    times: list[datetime] = []
    listed = to_the_end(page_of, ask=lambda each: run.ask(each, grant=grant), now=lambda: run.now)
    for page in listed:
        yield page.items
        times += [item.created_at for item in page.items]
        if _newest_first(times) and times[-1] < since - CLOCKS_APART:
            return


def orders(
    run: PaymentRun, grant: Grant, *, since: datetime
) -> Iterator[Sequence[OutgoingPayment]]:
    """The orders that the sender's wallet lists for us, as `pages` reads them."""
    page_of = operations.list_outgoing_payments(
        resource_server=run.payment.sender.resource_server,
        token=grant.open_secrets().access_token,
        wallet_address=run.payment.sender.url,
        first=AT_ONCE,
    )
    return pages(run, grant, page_of, since=since)


def _newest_first(times: Sequence[datetime]) -> bool:
    """Whether what was read shows that; one time alone, or the same again, shows nothing."""
    if not times or times[0] == times[-1]:
        return False
    return all(one >= other for one, other in pairwise(times))
