"""Finding work: what somebody looks for, in an order that a list can be continued in."""

import json
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
from backend.jobs.expressions import IsAmong, PrimaryLanguage
from backend.jobs.models import Application, Job
from backend.jobs.queries import jobs_visible_to
from backend.jobs.status import ApplicationStatus, DeliverableType, JobStatus
from backend.jobs.words import MOST_WORDS, HasWords, Relevance, words_of
from backend.languages import language_tag
from backend.open_payments.types import Amount
from backend.texts import tidy_text

# RELEVANCE compares this many jobs, the newest that have the words: to rank them all, all would
# have to be read, and a common word is in a third of them.
MOST_RANKED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How far PostgreSQL goes for words, however many jobs there are.

    Words that at most `few` jobs have are read from their index. Words that more have are met
    soon by whoever reads the list itself; but they can be common and never meet, or be in old
    jobs only, so a page reads at most `a_page` jobs of the list.
    """

    few: int = 5_000
    a_page: int = 10_000


_EFFORT = Effort()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The jobs that fit a search, in its order.

    `among`: a page need not look further than the first `at_most` of these, which are in the same
    order; None: it can have all of `jobs`. Not everybody may see all of `among`.
    """

    jobs: QuerySet[Job]
    among: QuerySet[Job] | None = None
    at_most: int = 0


def search_jobs(
    *,
    user: User | None,
    search: JobSearch,
    now: datetime,
    among: Q | None = None,
    effort: Effort = _EFFORT,
) -> Found:
    """The jobs `user` may see that fit `search`, in its order. Reads the database for a text.

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
        # Who has withdrawn can apply again.
        jobs = jobs.filter(~Exists(mine.exclude(status=ApplicationStatus.WITHDRAWN)))
    words = _words(search.text)
    if words is None:
        return Found(jobs=_ordered(jobs, search, words=None, now=now))
    if not words:
        return Found(jobs=_ordered(jobs.none(), search, words=words, now=now))
    return _having(words, jobs, search, effort, now=now)


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


def _having(
    words: tuple[str, ...], jobs: QuerySet[Job], search: JobSearch, effort: Effort, *, now: datetime
) -> Found:
    with_words = jobs.filter(HasWords(words))
    if connection.vendor != "postgresql":
        return Found(jobs=_ordered(with_words, search, words=words, now=now))
    listed = Job.objects.all()
    if search.statuses is not None:
        listed = listed.filter(status__in=sorted(set(search.statuses)))
    matching = listed.filter(HasWords(words))
    if _estimate(matching) <= effort.few:
        # The limit is for estimates that are wrong.
        few = jobs.filter(IsAmong(matching.values("pk")[: 10 * effort.few]))
        return Found(jobs=_ordered(few, search, words=words, now=now))
    if search.order is JobOrder.RELEVANCE:
        newest = listed.order_by("-pk").values_list("pk", flat=True)
        last = newest[effort.a_page : effort.a_page + 1].first()
        if last is not None:
            with_words = with_words.filter(pk__gte=last)
        return Found(jobs=_ordered(with_words, search, words=words, now=now))
    if search.order is JobOrder.REWARD and (least := search.reward_min) is not None:
        listed = listed.filter(asset_code=least.asset_code, asset_scale=least.asset_scale)
    return Found(
        jobs=_ordered(with_words, search, words=words, now=now),
        among=_ordered(listed, search, words=words, now=now),
        at_most=effort.a_page,
    )


def _estimate(jobs: QuerySet[Job]) -> int:
    """How many `jobs` there are, as PostgreSQL's statistics have it; takes no time."""
    plans = jobs.order_by().explain(format="json")
    if not plans:
        # Django has seen by itself that nothing can be found: among no statuses, for example.
        return 0
    (plan,) = json.loads(plans)
    return int(plan["Plan"]["Plan Rows"])


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
    tidy = tidy_text(text, most=validation.LONGEST_TITLE, path="text")
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
