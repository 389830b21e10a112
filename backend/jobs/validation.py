"""What a job and an application may contain, judged before anything is written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError as InvalidInDjango
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from backend.accounts.wallets import FINEST_SCALE
from backend.errors import ValidationFailed
from backend.jobs.errors import AmountOutOfRange
from backend.jobs.models import LARGEST_VALUE, MOST_WORKERS, Job
from backend.jobs.status import DeliverableType, JobStatus, Pricing
from backend.languages import language_tag
from backend.open_payments.types import Amount
from backend.texts import tidy_text

MOST_APPLICATIONS = 10_000
MOST_DECISIONS = 1000
LONGEST_TITLE, LONGEST_DESCRIPTION, LONGEST_DIALECT, LONGEST_NOTE = 200, 20_000, 100, 5_000
LONGEST_WORK, LONGEST_COMMENT, LONGEST_REASON = 50_000, 5_000, 5_000
MOST_LINKS, LONGEST_LINK = 20, 2_048
MOST_PARTS = 20  # of a reward, so that it does not go into what payments cost
MOST_DAYS = 365
FARTHEST_DEADLINE = timedelta(days=2 * 365)
# Open Payments leaves asset codes open; what wallets use are short words without blanks.
ASSET_CODE = re.compile(r"[A-Za-z0-9._-]{1,16}", re.ASCII)
IS_WEB_ADDRESS = URLValidator(schemes=["https", "http"])


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
    pricing: Pricing = Pricing.FIXED_RECEIVE
    reference_file_ids: Sequence[UUID] = ()
    title_audio_file_id: UUID | None = None


# How the columns of a job are called in the API's inputs.
INPUT_NAMES = {
    "title": "title",
    "description": "description",
    "language_tag": "languageTag",
    "dialect": "dialect",
    "deliverables": "deliverables",
    "reward_value": "reward",
    "asset_code": "reward",
    "asset_scale": "reward",
    "workers_needed": "workersNeeded",
    "pricing": "pricing",
    "recruit_limit": "recruitLimit",
    "recruit_until": "recruitUntil",
    "submit_days": "submitDays",
    "submit_until": "submitUntil",
    "review_days": "reviewDays",
    "expires_at": "expiresAt",
    "close_recruiting_when_funded": "closeRecruitingWhenFunded",
}


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
            _("Recruiting would close before there are as many applications as workers needed."),
            path=("recruitLimit",),
        )
    _number(data.submit_days, 1, MOST_DAYS, path="submitDays")
    _number(data.review_days, 1, MOST_DAYS, path="reviewDays")
    check_deadlines(recruit_until=data.recruit_until, expires_at=data.expires_at, now=now)
    _check_reward(data.reward, workers_needed=data.workers_needed)
    return {
        "title": tidy_text(data.title, most=LONGEST_TITLE, path="title", required=True),
        "description": tidy_text(data.description, most=LONGEST_DESCRIPTION, path="description"),
        "language_tag": language_tag(data.language_tag),
        "dialect": tidy_text(data.dialect, most=LONGEST_DIALECT, path="dialect"),
        # Each once, in the order of the enum: the same wish is always the same row.
        "deliverables": [kind.value for kind in DeliverableType if kind in data.deliverables],
        "reward_value": data.reward.value,
        "asset_code": data.reward.asset_code,
        "asset_scale": data.reward.asset_scale,
        "workers_needed": data.workers_needed,
        "pricing": data.pricing.value,
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
        if at is not None:
            _lies_ahead(at, path=name, now=now)
    if recruit_until and expires_at and expires_at <= recruit_until:
        raise ValidationFailed(
            _("The job would expire before recruiting has ended."), path=("expiresAt",)
        )


# Which deadlines are still to come in which status.
EXTENDABLE = {
    JobStatus.RECRUITING: ("recruit_until", "expires_at"),
    JobStatus.SELECTING: ("expires_at",),
    JobStatus.SUBMITTING: ("submit_until", "expires_at"),
}


def check_extension(job: Job, changes: Mapping[str, datetime], *, now: datetime) -> None:
    """Pass silently when `changes`, new deadlines by column, give `job` more time.

    Raises:
        ValidationFailed: one of them has passed its use, takes time away, or lies behind the
            job's own end.
    """
    for name, at in changes.items():
        path = INPUT_NAMES[name]
        if name not in EXTENDABLE[JobStatus(job.status)]:
            raise ValidationFailed(
                _("This deadline does not matter while the job is {status}."),
                path=(path,),
                status=job.status,
            )
        _lies_ahead(at, path=path, now=now)
        if at < getattr(job, name):
            raise ValidationFailed(_("This would take time away."), path=(path,))
    expires_at = changes.get("expires_at", job.expires_at)
    for name in ("recruit_until", "submit_until"):
        if name in changes and expires_at is not None and changes[name] >= expires_at:
            raise ValidationFailed(
                _("The job would expire before that: give expiresAt too."),
                path=(INPUT_NAMES[name],),
            )


def _lies_ahead(at: datetime, *, path: str, now: datetime) -> None:
    if at.tzinfo is None:
        raise ValidationFailed(_("Give the time with its offset from UTC."), path=(path,))
    if at <= now:
        raise ValidationFailed(_("This has to be in the future."), path=(path,))
    if at > now + FARTHEST_DEADLINE:
        raise ValidationFailed(_("This is more than two years away."), path=(path,))


def links(values: Sequence[str], *, path: str) -> list[str]:
    """`values` as a list of web addresses, each once.

    Raises:
        ValidationFailed: there are too many, or one is not the address of a web page.
    """
    if len(values) > MOST_LINKS:
        raise ValidationFailed(
            _("At most {most} links are possible."), path=(path,), most=MOST_LINKS
        )
    tidy = list(dict.fromkeys(tidy_text(value, most=LONGEST_LINK, path=path) for value in values))
    for link in tidy:
        try:
            IS_WEB_ADDRESS(link)
        except InvalidInDjango:
            raise ValidationFailed(
                _("Write a link as a whole web address, with https:// in front."), path=(path,)
            ) from None
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
        raise ValidationFailed(_("Name at least one application to select, reject or reset."))
    if len(named) > MOST_DECISIONS:
        raise ValidationFailed(
            _("At most {most} applications can be decided at once."), most=MOST_DECISIONS
        )
    seen: set[UUID] = set()
    for ids, name in ((select, "select"), (reject, "reject"), (reset, "reset")):
        for id_ in ids:
            if id_ in seen:
                raise ValidationFailed(_("An application is named twice."), path=(name,))
            seen.add(id_)


def _check_reward(reward: Amount, *, workers_needed: int) -> None:
    if reward.value <= 0:
        raise ValidationFailed(
            _("The reward has to be more than nothing."), path=("reward", "value")
        )
    if not ASSET_CODE.fullmatch(reward.asset_code):
        raise ValidationFailed(
            _("Write the asset as its wallet does: a short code such as USD."),
            path=("reward", "assetCode"),
        )
    if not 0 <= reward.asset_scale <= FINEST_SCALE:
        raise ValidationFailed(
            _("The scale has to be between 0 and {most}."),
            path=("reward", "assetScale"),
            most=FINEST_SCALE,
        )
    if reward.value * workers_needed > LARGEST_VALUE:
        raise AmountOutOfRange(
            _("The reward times {workers} workers is more than {most}."),
            path=("reward", "value"),
            workers=workers_needed,
            most=LARGEST_VALUE,
        )


def _number(value: int, least: int, most: int, *, path: str) -> None:
    if not least <= value <= most:
        raise ValidationFailed(
            _("This has to be between {least} and {most}."), path=(path,), least=least, most=most
        )
