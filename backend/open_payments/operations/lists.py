"""Lists and their pages."""

from collections.abc import Callable
from dataclasses import fields
from typing import TypeVar
from urllib.parse import quote

from backend.open_payments import urls
from backend.open_payments.errors import InvalidValue, UnexpectedResponse
from backend.open_payments.exchange import ListOperation, operation
from backend.open_payments.types import Page

T = TypeVar("T")
MAX_PAGE = 100


def list_operation(
    name: str,
    *,
    url: str,
    token: str,
    wallet_address: str,
    first: int | None,
    last: int | None,
    cursor: str | None,
    read_item: Callable[[object], T],
) -> ListOperation[T]:
    """Build the request for one page, forwards, or backwards with `last`.

    Raises:
        InvalidValue: a size is not 1 to 100, both are given, or `last` has no cursor.

    Spec: resource server, parameters `first`, `last`, `cursor`, `wallet-address`.
    """
    urls.check_url(wallet_address, what="wallet_address")
    if first is not None and last is not None:
        raise InvalidValue("a page is the first or the last items, not both")
    if last is not None and cursor is None:
        raise InvalidValue("the last items need a cursor to come before")
    if any(size is not None and not 1 <= size <= MAX_PAGE for size in (first, last)):
        raise InvalidValue(f"a page has 1 to {MAX_PAGE} items")
    given = {"first": first, "last": last, "cursor": cursor, "wallet-address": wallet_address}
    query = "&".join(
        f"{key}={quote(str(value), safe='')}" for key, value in given.items() if value is not None
    )

    def read(document: object) -> Page[T]:
        return Page.from_json(document, item=read_item)

    def follow(page: Page[T]) -> ListOperation[T] | None:
        backwards = last is not None
        more = page.has_previous_page if backwards else page.has_next_page
        next_cursor = page.start_cursor if backwards else page.end_cursor
        if not more:
            return None
        # A list that goes on but does not move would be read for ever.
        if not next_cursor or next_cursor == cursor:
            reason = "the list goes on but names no new cursor"
            raise UnexpectedResponse(name, status=200, reason=reason)
        return list_operation(
            name,
            url=url,
            token=token,
            wallet_address=wallet_address,
            first=first,
            last=last,
            cursor=next_cursor,
            read_item=read_item,
        )

    page = operation(name, method="GET", url=f"{url}?{query}", token=token, read=read)
    return ListOperation(
        **{each.name: getattr(page, each.name) for each in fields(page)}, follow=follow
    )
