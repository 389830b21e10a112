"""The only door out: every HTTP call to a wallet, or to anyone else, leaves through here.

`client(policy)` and `async_client(policy)` are httpx clients that refuse what a stranger's URL
must not reach, bound what an answer may cost, and say of every failure whether bytes were sent.
"""

from backend.outbound.clients import async_client, client
from backend.outbound.errors import (
    AnswerRefused,
    DestinationRefused,
    HostBusy,
    HostResting,
    NameNotResolved,
)
from backend.outbound.gates import AsyncBulkhead, Bulkhead
from backend.outbound.policy import Policy
from backend.outbound.urls import check_url

__all__ = [
    "AnswerRefused",
    "AsyncBulkhead",
    "Bulkhead",
    "DestinationRefused",
    "HostBusy",
    "HostResting",
    "NameNotResolved",
    "Policy",
    "async_client",
    "check_url",
    "client",
]
