"""One exchange with a wallet as plain data: what to send, what came back, how to read it.

Nothing here does I/O, so an answer can be written to a journal first and read later, by another
process, with the same operation built again from the same arguments.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar

from backend.open_payments import documents, rejections
from backend.open_payments.errors import InvalidValue, MismatchedResponse, UnexpectedResponse
from backend.open_payments.types import Page

T = TypeVar("T")

# Not the wallet's decision about the request: it may be asked again later.
NOT_NOW = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A wallet's answer before anybody judged it; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[T]):
    """One request of the specification and the reading of its answer.

    `body` None means no body. A request that is not `repeatable` must not be sent again after a
    lost answer without finding out first what became of it.
    """

    name: str
    method: str
    url: str
    token: str | None = field(repr=False)
    body: bytes | None = field(repr=False)
    signed: bool
    repeatable: bool
    expected_status: int
    read: Callable[[object], T] = field(repr=False)

    @property
    def digest(self) -> str:
        """The SHA-256 of method, URL and body in hex; it never depends on the token."""
        head = f"{self.method}\n{self.url}\n".encode()
        return hashlib.sha256(head + (self.body or b"")).hexdigest()

    def parse(self, answer: Answer) -> T:
        """Read the answer and check that it is one to this request.

        Raises:
            WalletRejected: or one of its subclasses, for 4xx.
            UnexpectedResponse: another status or body than the specification allows.
            MismatchedResponse: a valid answer, but not to what was asked.
        """
        if answer.status != self.expected_status:
            self._refuse(answer)
        if self.expected_status == 204:
            return self.read(None)
        try:
            return self.read(documents.read_json(answer.body))
        except InvalidValue as error:
            raise UnexpectedResponse(self.name, status=answer.status, reason=str(error)) from error
        except MismatchedResponse as error:
            error.add_note(f"In the answer to {self.name}.")
            raise

    def _refuse(self, answer: Answer) -> None:
        if 400 <= answer.status < 500 and answer.status not in NOT_NOW:
            raise rejections.rejection(
                self.name, status=answer.status, headers=answer.headers, body=answer.body
            )
        raise UnexpectedResponse(
            self.name,
            status=answer.status,
            reason=f"expected status {self.expected_status}",
            retry_after_seconds=_retry_after(answer.headers),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOperation(Operation[Page[T]]):
    """A request for one page; it knows how to ask for the following one."""

    follow: Callable[[Page[T]], "ListOperation[T] | None"] = field(repr=False)


def operation(
    name: str,
    *,
    method: str,
    url: str,
    read: Callable[[object], T],
    token: str | None = None,
    body: documents.JsonObject | None = None,
    repeatable: bool = True,
    expected_status: int = 200,
) -> Operation[T]:
    """Build an operation; like the official client, sign every POST and whatever has a token."""
    if token is not None:
        documents.check_token(token, what="token")
    written = None if body is None else documents.write_json(body)
    if written is not None:
        # Wallets echo metadata: a payment whose answer we could not read must not be made.
        documents.read_json(written)
    return Operation(
        name=name,
        method=method,
        url=url,
        token=token,
        body=written,
        signed=method == "POST" or token is not None,
        repeatable=repeatable,
        expected_status=expected_status,
        read=read,
    )


def expect(field_name: str, *, expected: object, received: object) -> None:
    """Refuse an answer that does not echo what was asked."""
    if expected != received:
        raise MismatchedResponse(field_name, expected=expected, received=received)


def _retry_after(headers: Mapping[str, str]) -> int | None:
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return int(value)
    try:
        at = parsedate_to_datetime(value)
        sent = parsedate_to_datetime(headers["date"])
        return max(0, int((_aware(at) - _aware(sent)).total_seconds()))
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
