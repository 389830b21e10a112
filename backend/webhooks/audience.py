"""Which endpoints are told of which events: never more than their owners may read.

The people behind a topic are looked up first, so that few endpoints are asked about; the rule of
the object's type, the same that GraphQL reads by, has the last word about each of them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from backend.accounts.models import User
from backend.events.models import Event
from backend.funding.models import Funding
from backend.funding.queries import fundings_visible_to
from backend.jobs.models import Job
from backend.jobs.queries import jobs_visible_to
from backend.payments.models import Payment
from backend.payments.queries import payments_visible_to
from backend.payments.status import PaymentPurpose
from backend.webhooks.models import WebhookEndpoint
from backend.webhooks.names import PayloadFormat, kind_of, name_of, wants


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of topic: its rows, which columns name people, and who may read it."""

    rows: Callable[[], QuerySet[Any]]
    people: tuple[str, ...]
    visible_to: Callable[[User | None], QuerySet[Any]]


_KINDS: dict[str, _Kind] = {
    "payment": _Kind(
        Payment.objects.all,
        ("payer_id", "sender__owner_id", "receiver__owner_id"),
        payments_visible_to,
    ),
    "funding": _Kind(Funding.objects.all, ("payer_id", "job__owner_id"), fundings_visible_to),
    # Anybody may read a published job; told of it unasked is only whose it is.
    "job": _Kind(Job.objects.all, ("owner_id",), jobs_visible_to),
}


def audience(events: Sequence[Event]) -> list[tuple[Event, WebhookEndpoint, str]]:
    """Every endpoint that is to be told of one of `events`, and what it calls that event."""
    people = _people_behind(event.topic for event in events)
    endpoints = (
        WebhookEndpoint.objects.filter(
            Q(owner_id__in=set().union(*people.values())) | Q(everything=True)
        )
        .select_related("owner")
        .order_by("id")
    )
    fundings_payments = _payments_of_fundings(events)
    hears: dict[UUID, frozenset[str]] = {}
    told = []
    for endpoint in endpoints:
        owner = endpoint.owner
        if owner.id not in hears:
            hears[owner.id] = _readable(owner, people)
        for event in events:
            name = name_of(event, PayloadFormat(endpoint.payload_format))
            if name is None or not wants(endpoint.events, name):
                continue
            if (
                endpoint.payload_format == PayloadFormat.GUIDE
                and event.topic not in fundings_payments
            ):
                continue
            if may_hear(endpoint) if endpoint.everything else event.topic in hears[owner.id]:
                told.append((event, endpoint, name))
    return told


def may_hear(endpoint: WebhookEndpoint) -> bool:
    """Whether its owner is still somebody who may have it."""
    owner = endpoint.owner
    return owner.is_active and (owner.sees_everything or not endpoint.everything)


def hears_of(endpoint: WebhookEndpoint, topic: str) -> bool:
    """Whether what happens in this topic is told to the endpoint, if it wants to hear it."""
    if endpoint.everything:
        return may_hear(endpoint) and topic.isprintable()
    return topic in _readable(endpoint.owner, _people_behind([topic]))


def _people_behind(topics: Iterable[str]) -> dict[str, set[UUID]]:
    """Whom each topic is about, by topic."""
    people: defaultdict[str, set[UUID]] = defaultdict(set)
    keys: defaultdict[str, set[UUID]] = defaultdict(set)
    for topic in topics:
        kind, key = kind_of(topic), _key_of(topic)
        if key is None:
            continue
        if kind == "user":
            people[topic] = {key}
        elif kind in _KINDS:
            keys[kind].add(key)
    for kind, wanted in keys.items():
        rows = _KINDS[kind].rows().filter(id__in=wanted)
        for key, *found in rows.values_list("id", *_KINDS[kind].people):
            people[f"{kind}:{key}"] = {each for each in found if each is not None}
    return people


def _readable(owner: User, people: dict[str, set[UUID]]) -> frozenset[str]:
    """The topics that are about `owner` and that they may read."""
    if not owner.is_active:
        return frozenset()
    topics = {f"user:{owner.id}"}
    about_them = [topic for topic, found in people.items() if owner.id in found]
    for kind, rule in _KINDS.items():
        keys = [_key_of(topic) for topic in about_them if kind_of(topic) == kind]
        if keys:
            visible = rule.visible_to(owner).filter(id__in=keys)
            topics.update(f"{kind}:{key}" for key in visible.values_list("id", flat=True))
    return frozenset(topics)


def _key_of(topic: str) -> UUID | None:
    """The key of what a topic is about; None: it is about no row."""
    try:
        return UUID(topic.partition(":")[2])
    except ValueError:
        return None


def _payments_of_fundings(events: Iterable[Event]) -> frozenset[str]:
    """Of the payments among these topics, those that put money behind a job.

    The guide's service knows no others: a handler of its event takes any for the job's money.
    """
    ends = (event for event in events if name_of(event, PayloadFormat.GUIDE) is not None)
    ids = [key for event in ends if (key := _key_of(event.topic)) is not None]
    found = Payment.objects.filter(id__in=ids, purpose=PaymentPurpose.FUND)
    return frozenset(f"payment:{id}" for id in found.values_list("id", flat=True))
