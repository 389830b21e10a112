"""What one call may still use: seconds and bytes of answer."""

import time

import httpcore

from backend.outbound.errors import AnswerRefused


class Budget(float):
    """The seconds and bytes left to one call, from its start to the last byte of its answer.

    httpcore hands its timeout to the network stream for every single read, which is why a server
    that drips bytes can hold a plain client for ever. Being a float, a Budget travels in the place
    of that timeout, and our streams ask it for what is left of the whole.
    """

    __slots__ = ("_bytes_left", "_ends_at")
    _ends_at: float
    _bytes_left: int

    def __new__(cls, seconds: float, *, answer_bytes: int) -> "Budget":
        budget = super().__new__(cls, seconds)
        budget._ends_at = time.monotonic() + seconds
        budget._bytes_left = answer_bytes
        return budget

    def seconds_left(self) -> float:
        """Seconds until the deadline, never below zero."""
        return max(0.0, self._ends_at - time.monotonic())

    def seconds_or(self, error: type[httpcore.TimeoutException]) -> float:
        """Seconds until the deadline; raises `error` when it has passed."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise error("the call's total time is used up")
        return left

    def count_received(self, size: int) -> None:
        """Count `size` bytes off the wire, headers, interim answers and chunk framing included.

        Raises:
            AnswerRefused: the answer is longer than any we would accept.
        """
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise AnswerRefused("the answer is too long")
