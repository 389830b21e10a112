"""What a job and an application may contain, judged before anything is written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from backend.errors import ValidationFailed
from backend.jobs.errors import AmountOutOfRange
from backend.jobs.models import LARGEST_SCALE, LARGEST_VALUE, MOST_WORKERS
from backend.jobs.status import DeliverableType
from backend.languages import language_tag
from backend.open_payments.types import Amount

MOST_APPLICATIONS = 10_000
MOST_DECISIONS = 1000
LONGEST_TITLE, LONGEST_DESCRIPTION, LONGEST_DIALECT, LONGEST_NOTE = 200, 20_000, 100, 5_000
MOST_DAYS = 365
FARTHEST_DEADLINE = timedelta(days=2 * 365)
# Open Payments leaves asset codes open; what wallets use are short words without blanks.
ASSET_CODE = re.compile(r"[A-Za-z0-9._-]{1,16}", re.ASCII)
# A NUL cannot be stored by PostgreSQL, a lone surrogate cannot be encoded, and the other control
# characters serve nobody but those who want to confuse a reader.
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobData:
    """What an owner says about a job.

    `reward` is per worker. `recruit_limit`: the number of applications that closes recruiting;
    `None` means 10, or `workers_needed` when that is more. `recruit_until` and `expires_at`:
    `None` leaves them to publishing.
    """

    title: str
    reward: Amount
    description: str = ""
    language_tag: str | None = None
    dialect: str | None = None
    deliverables: Sequence[DeliverableType] = ()
    workers_needed: int = 1
    recruit_limit: int | None = None
    recruit_until: datetime | None = None
    submit_days: int = 7
    review_days: int = 14
    expires_at: datetime | None = None
    close_recruiting_when_funded: bool = True


def job_columns(data: JobData, *, now: datetime) -> dict[str, object]:
    """Turn `data` into the values of a job's columns, tidied and within every limit.

    Raises:
        ValidationFailed: a value is unusable; `path` says which one.
        AmountOutOfRange: reward × workers needed is above 2^63−1.
    """
    _number(data.workers_needed, 1, MOST_WORKERS, path="workersNeeded")
    recruit_limit = (
        max(10, data.workers_needed) if data.recruit_limit is None else data.recruit_limit
    )
    _number(recruit_limit, 1, MOST_APPLICATIONS, path="recruitLimit")
    if recruit_limit < data.workers_needed:
        raise ValidationFailed(
            "Recruiting would close before there are as many applications as workers needed.",
            path=("recruitLimit",),
        )
    _number(data.submit_days, 1, MOST_DAYS, path="submitDays")
    _number(data.review_days, 1, MOST_DAYS, path="reviewDays")
    check_deadlines(recruit_until=data.recruit_until, expires_at=data.expires_at, now=now)
    _check_reward(data.reward, workers_needed=data.workers_needed)
    return {
        "title": text(data.title, most=LONGEST_TITLE, path="title", required=True),
        "description": text(data.description, most=LONGEST_DESCRIPTION, path="description"),
        "language_tag": language_tag(data.language_tag),
        "dialect": text(data.dialect, most=LONGEST_DIALECT, path="dialect"),
        # Each once, in the order of the enum: the same wish is always the same row.
        "deliverables": [kind.value for kind in DeliverableType if kind in data.deliverables],
        "reward_value": data.reward.value,
        "asset_code": data.reward.asset_code,
        "asset_scale": data.reward.asset_scale,
        "workers_needed": data.workers_needed,
        "recruit_limit": recruit_limit,
        "recruit_until": data.recruit_until,
        "submit_days": data.submit_days,
        "review_days": data.review_days,
        "expires_at": data.expires_at,
        "close_recruiting_when_funded": data.close_recruiting_when_funded,
    }


def check_deadlines(
    *, recruit_until: datetime | None, expires_at: datetime | None, now: datetime
) -> None:
    """Pass silently when the given deadlines lie ahead, not too far, and in their order.

    Raises:
        ValidationFailed: one of them does not.
    """
    for at, name in ((recruit_until, "recruitUntil"), (expires_at, "expiresAt")):
        if at is None:
            continue
        if at.tzinfo is None:
            raise ValidationFailed("Give the time with its offset from UTC.", path=(name,))
        if at <= now:
            raise ValidationFailed("This has to be in the future.", path=(name,))
        if at > now + FARTHEST_DEADLINE:
            raise ValidationFailed("This is more than two years away.", path=(name,))
    if recruit_until and expires_at and expires_at <= recruit_until:
        raise ValidationFailed(
            "The job would expire before recruiting has ended.", path=("expiresAt",)
        )


def text(value: str | None, *, most: int, path: str, required: bool = False) -> str:
    """`value` without outer blanks, at most `most` characters; `None` is an empty text.

    Raises:
        ValidationFailed: it is too long, has characters nobody can read, or is missing.
    """
    tidy = (value or "").strip()
    if UNWRITABLE.search(tidy):
        raise ValidationFailed("This text has control characters in it.", path=(path,))
    if len(tidy) > most:
        raise ValidationFailed(
            f"This text has {len(tidy)} characters; at most {most} are possible.", path=(path,)
        )
    if required and not tidy:
        raise ValidationFailed("Please write something here.", path=(path,))
    return tidy


def check_decisions(
    *, select: Sequence[UUID], reject: Sequence[UUID], reset: Sequence[UUID]
) -> None:
    """Pass silently when every application is named once, and at least one is.

    Raises:
        ValidationFailed: there is none, there are too many, or one is named twice.
    """
    named = [*select, *reject, *reset]
    if not named:
        raise ValidationFailed("Name at least one application to select, reject or reset.")
    if len(named) > MOST_DECISIONS:
        raise ValidationFailed(f"At most {MOST_DECISIONS} applications can be decided at once.")
    seen: set[UUID] = set()
    for ids, name in ((select, "select"), (reject, "reject"), (reset, "reset")):
        for id_ in ids:
            if id_ in seen:
                raise ValidationFailed("An application is named twice.", path=(name,))
            seen.add(id_)


def _check_reward(reward: Amount, *, workers_needed: int) -> None:
    if reward.value <= 0:
        raise ValidationFailed("The reward has to be more than nothing.", path=("reward", "value"))
    if not ASSET_CODE.fullmatch(reward.asset_code):
        raise ValidationFailed(
            "Write the asset as its wallet does: a short code such as USD.",
            path=("reward", "assetCode"),
        )
    if not 0 <= reward.asset_scale <= LARGEST_SCALE:
        raise ValidationFailed(
            f"The scale has to be between 0 and {LARGEST_SCALE}.", path=("reward", "assetScale")
        )
    if reward.value * workers_needed > LARGEST_VALUE:
        raise AmountOutOfRange(
            f"The reward times {workers_needed} workers is more than {LARGEST_VALUE}.",
            path=("reward", "value"),
        )


def _number(value: int, least: int, most: int, *, path: str) -> None:
    if not least <= value <= most:
        raise ValidationFailed(f"This has to be between {least} and {most}.", path=(path,))
