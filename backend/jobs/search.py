"""Finding work: what somebody looks for, in an order that a list can be continued in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from backend.accounts.models import User
from backend.errors import ValidationFailed
from backend.jobs import validation
from backend.jobs.expressions import PrimaryLanguage
from backend.jobs.models import Application, Job
from backend.jobs.queries import jobs_visible_to
from backend.jobs.status import DeliverableType, JobStatus
from backend.jobs.words import MOST_WORDS, HasWords, Relevance, words_of
from backend.languages import language_tag
from backend.open_payments.types import Amount

# RELEVANCE compares this many jobs, the newest that have the words: to rank them all, all would
# have to be read, and a common word is in a third of them.
MOST_RANKED = 500


class JobOrder(StrEnum):
    """The order of a list of jobs."""

    NEWEST = "NEWEST"
    DEADLINE = "DEADLINE"
    REWARD = "REWARD"
    RELEVANCE = "RELEVANCE"


# Each ends with the key, which breaks ties, and all its columns point one way: then the place of
# a row is one comparison, and one index answers it.
ORDER_BY: dict[JobOrder, tuple[str, ...]] = {
    JobOrder.NEWEST: ("-id",),
    JobOrder.DEADLINE: ("recruit_until", "id"),
    JobOrder.REWARD: ("-reward_value", "-id"),
    JobOrder.RELEVANCE: ("-relevance", "-id"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSearch:
    """What somebody looks for; each field narrows, and its default does not.

    `language_tag` finds its regions too: `es` finds `es-MX`. `text`: every word has to begin a
    word of title or description; see `words`. `reward_min` finds jobs in the same asset only:
    amounts of two assets cannot be compared.

    `order`: DEADLINE has only jobs that recruit and still have time for it. REWARD needs
    `reward_min` for its asset. RELEVANCE needs `text`, and has the newest MOST_RANKED jobs with
    these words.
    """

    statuses: Sequence[JobStatus] | None = None
    language_tag: str | None = None
    deliverable: DeliverableType | None = None
    text: str | None = None
    reward_min: Amount | None = None
    mine: bool = False
    hide_applied: bool = False
    order: JobOrder = JobOrder.NEWEST


def search_jobs(
    *, user: User | None, search: JobSearch, now: datetime, among: Q | None = None
) -> QuerySet[Job]:
    """The jobs `user` may see that fit `search`, in its order.

    `among` is a condition on jobs that this domain cannot know, such as the money behind them.

    Raises:
        ValidationFailed: a filter is unusable, or the order lacks what it needs.
    """
    jobs = jobs_visible_to(user)
    if among is not None:
        jobs = jobs.filter(among)
    if search.statuses is not None:
        jobs = jobs.filter(status__in=sorted(set(search.statuses)))
    if tag := language_tag(search.language_tag):
        jobs = _in_language(jobs, tag)
    if search.deliverable is not None:
        jobs = _asking_for(jobs, search.deliverable)
    if (least := search.reward_min) is not None:
        jobs = jobs.filter(
            asset_code=least.asset_code,
            asset_scale=least.asset_scale,
            reward_value__gte=least.value,
        )
    if search.mine:
        jobs = jobs.filter(owner=user) if user else jobs.none()
    if search.hide_applied and user:
        mine = Application.objects.filter(job=OuterRef("pk"), applicant=user)
        jobs = jobs.filter(~Exists(mine))
    words = _words(search.text)
    if words is not None:
        jobs = jobs.filter(HasWords(words)) if words else jobs.none()
    return _ordered(jobs, search, words=words, now=now)


def _ordered(
    jobs: QuerySet[Job], search: JobSearch, *, words: tuple[str, ...] | None, now: datetime
) -> QuerySet[Job]:
    order = search.order
    if order is JobOrder.DEADLINE:
        # Who has closed recruiting early has no deadline left.
        jobs = jobs.filter(status=JobStatus.RECRUITING, recruit_until__gt=now)
    elif order is JobOrder.REWARD and search.reward_min is None:
        raise ValidationFailed(
            _("Rewards compare in one asset only: name it with rewardMin, whose value may be 0."),
            path=("orderBy",),
        )
    elif order is JobOrder.RELEVANCE:
        if words is None:
            raise ValidationFailed(
                _("Relevance is measured by a text: give filter.text."), path=("orderBy",)
            )
        newest = jobs.order_by("-pk").values("pk")[:MOST_RANKED]
        jobs = Job.objects.filter(pk__in=newest).annotate(relevance=Relevance(words))
    return jobs.order_by(*ORDER_BY[order])


def _in_language(jobs: QuerySet[Job], tag: str) -> QuerySet[Job]:
    language, _hyphen, more = tag.partition("-")
    # By its own index: a tag with all of its regions is no single value, and could not be read
    # in order.
    jobs = jobs.alias(language=PrimaryLanguage("language_tag")).filter(language=Value(language))
    if more:
        jobs = jobs.filter(Q(language_tag=tag) | Q(language_tag__startswith=f"{tag}-"))
    return jobs


def _asking_for(jobs: QuerySet[Job], kind: DeliverableType) -> QuerySet[Job]:
    if connection.features.supports_json_field_contains:
        # PostgreSQL knows from its statistics how many jobs that is, and plans well.
        return jobs.filter(deliverables__contains=[kind.value])
    # SQLite cannot look into JSON lists; as text they are always written alike.
    return jobs.alias(kinds=Cast("deliverables", TextField())).filter(
        kinds__contains=f'"{kind.value}"'
    )


def _words(text: str | None) -> tuple[str, ...] | None:
    """The words looked for; None when there is no text, none when it has no words."""
    tidy = validation.text(text, most=validation.LONGEST_TITLE, path="text")
    if not tidy:
        return None
    words = words_of(tidy)
    if len(words) > MOST_WORDS:
        raise ValidationFailed(
            _("This text has {count} words; at most {most} can be looked for."),
            path=("text",),
            count=len(words),
            most=MOST_WORDS,
        )
    return words
