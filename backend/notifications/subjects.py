"""What events are about: who is on which side, whether it is still so, and the values to tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model

from backend.accounts.models import User
from backend.events.models import Event
from backend.funding.allocating import is_needed
from backend.funding.models import Funding
from backend.funding.paying import paying_grant
from backend.funding.queries import waiting_for_a_person
from backend.funding.status import LIVE
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.notifications.kinds import Side
from backend.open_payments.types import Amount
from backend.payments.models import HeldGrant, Payment
from backend.payments.status import HeldGrantStatus, PaymentPurpose

# Texts as they are; amounts and instants are written in the reader's language.
Values = dict[str, "str | Amount | datetime | None"]


@dataclass(frozen=True, slots=True)
class Subject:
    """The rows behind the first word of an event's type.

    `sides` names the column of each person; `values` what a mail about such a row can tell.
    `others`: on which side everybody else is who has the event in their feed.
    """

    model: type[Model]
    sides: Mapping[Side, str]
    values: Callable[[Any, Event], Values]
    others: Side | None = None


def _account(row: User, event: Event) -> Values:
    return {}


def _job(row: Job, event: Event) -> Values:
    return {"job": row.title, "submit_until": row.submit_until, "expires_at": row.expires_at}


def _application(row: Application, event: Event) -> Values:
    return {"job": row.job.title}


def _submission(row: Submission, event: Event) -> Values:
    return {
        "job": row.job.title,
        "review_by": row.review_by,
        "revise_until": row.revise_until,
        "dispute_until": row.dispute_until,
        "accepted": row.job.amount(row.accepted_value),
    }


def _dispute(row: Dispute, event: Event) -> Values:
    job = row.submission.job
    return {
        "job": job.title,
        "answer_by": row.answer_by,
        "disputed": job.amount(row.amount_value),
        "awarded": job.amount(row.worker_value or 0),
    }


def _funding(row: Funding, event: Event) -> Values:
    ends_at = event.payload.get("ends_at")
    return {
        "job": row.job.title,
        "remaining": row.remaining,
        "ends_at": ends_at and datetime.fromisoformat(ends_at),
    }


def _payment(row: Payment, event: Event) -> Values:
    job = Job.objects.filter(id=event.payload["job"]).first()
    return {"job": job.title if job else "", "amount": row.delivered_amount}


def _treasury(row: HeldGrant, event: Event) -> Values:
    return {name: Amount.from_json(event.payload[name]) for name in ("spent", "limit")}


SUBJECTS: dict[str, Subject] = {
    "account": Subject(User, {Side.HOLDER: "id"}, _account),
    "job": Subject(Job, {Side.OWNER: "owner_id"}, _job, others=Side.WORKER),
    "application": Subject(
        Application,
        {Side.WORKER: "applicant_id", Side.OWNER: "job__owner_id"},
        _application,
    ),
    "submission": Subject(
        Submission,
        {Side.WORKER: "worker_id", Side.OWNER: "job__owner_id"},
        _submission,
    ),
    "dispute": Subject(
        Dispute,
        {Side.WORKER: "submission__worker_id", Side.OWNER: "submission__job__owner_id"},
        _dispute,
        others=Side.OPERATOR,
    ),
    "funding": Subject(Funding, {Side.PAYER: "payer_id"}, _funding),
    "payment": Subject(
        Payment, {Side.PAYER: "payer_id", Side.PAYEE: "receiver__owner_id"}, _payment
    ),
    "treasury": Subject(HeldGrant, {Side.OPERATOR: "payer_id"}, _treasury),
}


def subject_of(type: str) -> Subject:
    """The rows that events of this type are about."""
    return SUBJECTS[type.partition(".")[0]]


def people_on_sides(events: Iterable[Event]) -> dict[UUID, dict[Side, UUID | None]]:
    """Who is on which side of what these events are about, by its key; one query for each type."""
    keys: defaultdict[str, set[UUID]] = defaultdict(set)
    for event in events:
        if event.subject_id is not None:
            keys[event.type.partition(".")[0]].add(event.subject_id)
    found: dict[UUID, dict[Side, UUID | None]] = {}
    for word, wanted in keys.items():
        subject = SUBJECTS[word]
        rows = subject.model._default_manager.filter(pk__in=wanted)
        for key, *people in rows.values_list("pk", *subject.sides.values()):
            found[key] = dict(zip(subject.sides, people, strict=True))
    return found


# What still is to be done, while the work has this status.
REMINDED_IN = {
    "submission.review_reminder": "SUBMITTED",
    "submission.revision_reminder": "CHANGES_REQUESTED",
}


def still_so(row: Model, event: Event) -> bool:
    """Whether what the event told is still how things are."""
    match row:
        case User():
            return row.email_unconfirmed_since is not None
        case Job():
            # One that is not listed stands for work elsewhere, and nobody selects or works here.
            return row.listed and row.status == event.payload["status"]
        case Submission() if event.type in REMINDED_IN:
            return row.status == REMINDED_IN[event.type] and row.superseded_at is None
        case Submission():
            return row.status == event.payload["status"] and row.superseded_at is None
        case Funding() if event.type == "funding.consent_reminder":
            return row.status in LIVE and is_needed(row) and not _is_renewed(row, event)
        case HeldGrant():
            return row.status == HeldGrantStatus.HELD
    return bool(getattr(row, "status", None) == event.payload["status"])


def _is_renewed(funding: Funding, event: Event) -> bool:
    grant = paying_grant(funding, at=event.at)
    return grant is not None and grant.ends_at != datetime.fromisoformat(event.payload["ends_at"])


def is_stuck(funding: Funding) -> bool:
    """Whether pay that is owed out of it waits for a person."""
    return waiting_for_a_person().filter(funding=funding, purpose=PaymentPurpose.PAYOUT).exists()
