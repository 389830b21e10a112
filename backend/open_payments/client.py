"""The synchronous client: one exchange is one call."""

from collections.abc import Iterator
from typing import TypeVar

import httpx

from backend.open_payments import wire
from backend.open_payments.exchange import Answer, ListOperation, Operation
from backend.open_payments.keys import Signer

T = TypeVar("T")


class Client:
    """Sends operations over `http`, whose timeouts and destinations are its owner's business.

    `signer` None can only read what is public. Safe to share between threads, as `http` is.
    """

    def __init__(
        self,
        http: httpx.Client,
        signer: Signer | None = None,
        clock: wire.Clock = wire.system_clock,
    ) -> None:
        self._http, self._signer, self._clock = http, signer, clock

    def exchange(self, operation: Operation[T], *, within_seconds: float | None = None) -> Answer:
        """Sign and send the request, and return the answer unread.

        Safe to repeat if `operation.repeatable`. Redirects are answers here, never followed.
        `within_seconds`: as `total_timeout_seconds` of the request; None is up to `http`.

        Raises:
            WalletUnreachable: there is no answer.
            InvalidValue: the operation has to be signed and there is no signer.
        """
        request = wire.build_request(
            operation, build=self._http.build_request, signer=self._signer, clock=self._clock
        )
        if within_seconds is not None:
            request.extensions["total_timeout_seconds"] = within_seconds
        try:
            response = self._http.send(request, auth=None, follow_redirects=False)
        except httpx.HTTPError as error:
            raise wire.unreachable(operation, error) from error
        return wire.answer_from(response)

    def send(self, operation: Operation[T]) -> T:
        """Exchange and read the answer.

        Raises:
            WalletUnreachable: there is no answer.
            WalletRejected, UnexpectedResponse, MismatchedResponse: see `Operation.parse`.
        """
        return operation.parse(self.exchange(operation))

    def pages(self, first_page: ListOperation[T]) -> Iterator[T]:
        """Iterate over the items of a list from `first_page` on, asking page by page.

        Raises:
            UnexpectedResponse: also when the list does not end within reason.
        """
        operation = first_page
        for _ in range(wire.MAX_PAGES):
            page = self.send(operation)
            yield from page.items
            following = operation.follow(page)
            if following is None:
                return
            operation = following
        raise wire.too_many_pages(first_page)
