"""Calling wallets so that an operator sees how they answer: the client of every part of Faena."""

import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from backend.open_payments import Answer, Client, Operation, WalletUnreachable
from backend.telemetry import metrics, traces

T = TypeVar("T")


class ObservedClient(Client):
    """The protocol's client, which measures every exchange and makes it a step of its trace."""

    def exchange(self, operation: Operation[T], *, within_seconds: float | None = None) -> Answer:
        host = metrics.host_label(operation.url)
        started, outcome = time.perf_counter(), "error"
        with traces.span(operation.name, kind="client", call=operation.name, host=host) as span:
            try:
                answer = super().exchange(operation, within_seconds=within_seconds)
                outcome = f"{answer.status // 100}xx"
                span.set_attribute("http.response.status_code", answer.status)
            except WalletUnreachable as error:
                outcome = "lost" if error.request_sent else "not_sent"
                raise
            finally:
                seconds = time.perf_counter() - started
                metrics.WALLET_CALLS.labels(host, operation.name, outcome).observe(seconds)
        if (skew := _seconds_ahead(answer, self._clock())) is not None:
            metrics.WALLET_SKEW.labels(host).set(skew)
        return answer


def _seconds_ahead(answer: Answer, now: datetime) -> float | None:
    """How far the wallet's clock is ahead of ours, to the second that Date has."""
    try:
        return (parsedate_to_datetime(answer.headers["date"]) - now).total_seconds()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
