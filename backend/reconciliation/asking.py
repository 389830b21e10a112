"""Asking senders' wallets, none of them for longer than is fair to the others.

Whoever runs a wallet decides how long each answer takes and whether its list ends.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import TypeVar

from backend.clock import Clock
from backend.open_payments import Client, OpenPaymentsError, WalletUnreachable
from backend.open_payments.errors import WalletRejected
from backend.open_payments.exchange import ListOperation, Operation
from backend.open_payments.types import Page
from backend.payments.lists import HasNoEnd, to_the_end
from backend.payments.models import HeldGrant
from backend.payments.status import GrantScope

log = logging.getLogger(__name__)
T = TypeVar("T")

# All senders together: the receivers' wallets have to have their turn in the same night.
SENDERS_WITHIN = timedelta(hours=1)
# One sender, whatever is asked and under however many consents. Its list is read from the first
# order on, unlike where a payment looks for its own: thousands of them take less than this.
PAYER_WITHIN = timedelta(minutes=1)
# Every payout of the platform is in the list of its own wallet.
TREASURY_WITHIN = timedelta(minutes=10)
MOST_PAGES = 1000


class Asking:
    """Keeps account, during one run, of how long each sender's wallet has been asked.

    A wallet that gives no answer, or whose list cannot be read to its end, is not asked again
    in this run. One that refuses a token is: another consent may still be good.
    """

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._until = clock.now() + SENDERS_WITHIN
        self._asked_for: dict[str, timedelta] = {}
        self._given_up: set[str] = set()

    def may_ask(self, held: HeldGrant) -> bool:
        """Whether there is time for the wallet of this consent, and sense in asking it."""
        return held.sender.url not in self._given_up and self._time_left(held) > timedelta()

    def ask(self, held: HeldGrant, operation: Operation[T]) -> T:
        """Send it to the wallet of this consent, which must be one that may be asked.

        Raises:
            OpenPaymentsError: as `Client.send` does.
        """
        url, began = held.sender.url, self._clock.now()
        try:
            return self._client.send(operation)
        except WalletUnreachable:
            self._give_up(held, "it does not answer")
            raise
        finally:
            before = self._asked_for.get(url, timedelta())
            self._asked_for[url] = before + (self._clock.now() - began)

    def pages(self, held: HeldGrant, first_page: ListOperation[T]) -> Iterator[Page[T]]:
        """The pages of a list of this consent's wallet, to its end.

        Raises:
            OpenPaymentsError: as `Client.send` does.
            HasNoEnd: it has more pages than can be read. What was not read is not known.
        """

        def ask(page_of: ListOperation[T]) -> Page[T]:
            return self.ask(held, page_of)

        within = self._time_left(held)
        try:
            yield from to_the_end(
                first_page, ask=ask, now=self._clock.now, within=within, most_pages=MOST_PAGES
            )
        except WalletRejected:
            raise
        except (OpenPaymentsError, HasNoEnd):
            self._give_up(held, "its list cannot be read to its end")
            raise

    def _time_left(self, held: HeldGrant) -> timedelta:
        is_treasury = held.scope == GrantScope.TREASURY
        fair = TREASURY_WITHIN if is_treasury else PAYER_WITHIN
        own = fair - self._asked_for.get(held.sender.url, timedelta())
        return min(own, self._until - self._clock.now())

    def _give_up(self, held: HeldGrant, why: str) -> None:
        if held.sender.url not in self._given_up:
            self._given_up.add(held.sender.url)
            log.warning("%s is not asked any more in this run: %s", held.sender, why)
