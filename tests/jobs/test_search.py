"""Finding work: what each filter and order finds, alike on PostgreSQL and on SQLite."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q

from backend.accounts.models import User
from backend.errors import ErrorCode, FaenaError
from backend.jobs.models import Job
from backend.jobs.recruiting import withdraw_application
from backend.jobs.search import MOST_RANKED, Effort, JobOrder, JobSearch, search_jobs
from backend.jobs.status import DeliverableType, JobStatus
from backend.jobs.words import MOST_WORDS, words_of
from backend.open_payments.types import Amount
from tests.jobs.people import NOON, a_draft, a_job, a_job_in, a_person, an_application

pytestmark = pytest.mark.django_db
WITH_AN_INDEX_OF_WORDS = pytest.mark.skipif(
    connection.vendor != "postgresql",
    reason="SQLite has no index of words: it looks through all, and has nothing to choose from",
)


def usd(value: int) -> Amount:
    return Amount(value=value, asset_code="USD", asset_scale=2)


def found(
    *, user: User | None = None, now: datetime = NOON, among: Q | None = None, **search: Any
) -> list[str]:
    found = search_jobs(user=user, search=JobSearch(**search), now=now, among=among)
    return [job.title for job in found.jobs]


def found_by(text: str, **search: Any) -> list[str]:
    return sorted(found(text=text, **search))


def refused(**search: Any) -> tuple[ErrorCode, tuple[str, ...]]:
    with pytest.raises(FaenaError) as refusal:
        found(**search)
    return refusal.value.code, refusal.value.path


# --- filters


def test_without_a_filter_everything_published_is_found_newest_first() -> None:
    owner = a_person()
    for title in ("first", "second"):
        a_job(owner, title=title)
    a_draft(owner, title="draft")

    assert found() == found(user=a_person()) == ["second", "first"]
    assert found(user=owner) == ["draft", "second", "first"]


def test_statuses_narrow_and_never_show_a_foreign_draft() -> None:
    owner = a_person()
    a_draft(owner, title="draft")
    a_job_in(JobStatus.SELECTING, owner)
    a_job(owner, title="recruiting")

    assert found(statuses=[JobStatus.RECRUITING]) == ["recruiting"]
    assert found(statuses=[JobStatus.DRAFT], user=owner) == ["draft"]
    assert found(statuses=[JobStatus.DRAFT]) == []
    assert found(statuses=[JobStatus.DRAFT], user=a_person()) == []
    assert found(statuses=[]) == []


@pytest.mark.parametrize(
    ("wanted", "tags"),
    [
        ("es", ["es", "es-419", "es-MX"]),
        ("ES-mx", ["es-MX"]),
        ("zh", ["zh-Hant", "zh-Hant-TW"]),
        ("zh-Hant", ["zh-Hant", "zh-Hant-TW"]),
        ("zh-Hant-TW", ["zh-Hant-TW"]),
        ("e", None),
        ("est", ["est"]),
        ("es-ES", []),
    ],
)
def test_a_language_is_found_with_all_of_its_regions(wanted: str, tags: list[str] | None) -> None:
    owner = a_person()
    for tag in ("es", "es-MX", "es-419", "est", "zh-Hant", "zh-Hant-TW", None):
        a_job(owner, title=tag or "any", language_tag=tag)

    if tags is None:
        assert refused(language_tag=wanted) == (ErrorCode.VALIDATION, ("languageTag",))
    else:
        assert sorted(found(language_tag=wanted)) == tags


def test_a_deliverable_is_found_among_several() -> None:
    owner = a_person()
    a_job(owner, title="one", deliverables=(DeliverableType.TEXT,))
    a_job(owner, title="two", deliverables=(DeliverableType.LINK, DeliverableType.TEXT))

    assert found(deliverable=DeliverableType.TEXT) == ["two", "one"]
    assert found(deliverable=DeliverableType.LINK) == ["two"]
    assert found(deliverable=DeliverableType.VIDEO) == []


def test_a_least_reward_compares_within_one_asset_and_scale_only() -> None:
    owner = a_person()
    a_job(owner, title="25 dollars", reward=usd(2500))
    a_job(owner, title="30 dollars", reward=usd(3000))
    a_job(owner, title="99 pesos", reward=Amount(value=9900, asset_code="MXN", asset_scale=2))

    assert found(reward_min=usd(2500)) == ["30 dollars", "25 dollars"]
    assert found(reward_min=usd(2501)) == ["30 dollars"]
    assert found(reward_min=Amount(value=0, asset_code="USD", asset_scale=9)) == []


def test_ones_own_jobs_and_those_not_applied_to() -> None:
    owner, worker = a_person(), a_person()
    applied = a_job(owner, title="applied")
    a_job(owner, title="new")
    a_draft(owner, title="draft")
    an_application(applied, worker)

    assert found(user=owner, mine=True) == ["draft", "new", "applied"]
    assert found(user=worker, mine=True) == found(user=None, mine=True) == []
    assert found(user=worker, hide_applied=True) == ["new"]
    assert found(user=None, hide_applied=True) == ["new", "applied"]

    withdraw_application(user=worker, application_id=applied.applications.get().id, now=NOON)
    assert found(user=worker, hide_applied=True) == ["new", "applied"], "to apply again is possible"


def test_a_condition_of_another_domain_narrows_too() -> None:
    owner = a_person()
    a_job(owner, title="one")
    a_job(owner, title="two")

    assert found(among=Q(title="one")) == ["one"]
    assert found(among=Q(title="one"), text="sentences", order=JobOrder.RELEVANCE) == ["one"]


def test_all_filters_at_once() -> None:
    owner = a_person()
    a_job(owner, title="The one", language_tag="oto-MX")
    a_job(owner, title="The other", language_tag="oto", deliverables=(DeliverableType.TEXT,))

    assert found(
        user=a_person(),
        statuses=[JobStatus.RECRUITING],
        language_tag="oto",
        deliverable=DeliverableType.AUDIO,
        text="the",
        reward_min=usd(1),
        hide_applied=True,
        order=JobOrder.REWARD,
    ) == ["The one"]


# --- texts


@pytest.fixture
def texts() -> None:
    owner = a_person()
    for title, description in (
        ("Grabación de voz", "Lee diez oraciones en español, por favor."),
        ("Record ten sentences", "In Otomi (es-MX); see foo.bar/baz and don't hurry: 10k, C++."),
        ("हिन्दी में लिखें", "Ein Straßenname: ＡＢＣ."),
        ("日本語の録音", "naïve"),
    ):
        a_job(owner, title=title, description=description)


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("sentences", ["Record ten sentences"]),
        ("SENTENCE", ["Record ten sentences"]),
        ("sent", ["Record ten sentences"]),
        ("entences", []),
        ("grabacion", ["Grabación de voz"]),
        ("GRABACIÓN VOZ", ["Grabación de voz"]),
        ("gra\u0301bacio\u0301n", ["Grabación de voz"]),
        ("oraciones sentences", []),
        ("ten otomi", ["Record ten sentences"]),
        ("otomi ten ten", ["Record ten sentences"]),
        ("de", ["Grabación de voz"]),
        ("d", []),
        ("foo.bar", ["Record ten sentences"]),
        ("bar", ["Record ten sentences"]),
        ("baz", ["Record ten sentences"]),
        ("es-MX", ["Record ten sentences"]),
        ("mx", ["Record ten sentences"]),
        ("don't", ["Record ten sentences"]),
        ("10k", ["Record ten sentences"]),
        ("c++", ["Record ten sentences"]),
        ("हिन्दी", ["हिन्दी में लिखें"]),
        ("लिखें", ["हिन्दी में लिखें"]),
        ("straßen", ["हिन्दी में लिखें"]),
        ("abc", ["हिन्दी में लिखें"]),
        ("日本", ["日本語の録音"]),
        ("NAIVE", ["日本語の録音"]),
        ("录音", []),
    ],
)
def test_every_word_of_a_text_has_to_begin_a_word(text: str, titles: list[str]) -> None:
    assert found_by(text) == titles


HOSTILE = [
    "'",
    '"',
    "\\",
    "a' | 'b",
    "' & !!",
    "!",
    "<->",
    ":*",
    "a:*b",
    "(((",
    "x:ABCD",
    "%",
    "_",
    "-sentences",
    "$$",
    "{most}",
    "\ufdfa" * 5,
    "²½ⅷ",
    "\u0301",
    "\u200d",
    "🙂",
    "x" * 200,
    "ⷠ" * 60,
]


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("order", [JobOrder.NEWEST, JobOrder.RELEVANCE])
def test_no_text_is_an_error_of_the_database(text: str, order: JobOrder) -> None:
    if len(words_of(text)) > MOST_WORDS:
        assert refused(text=text, order=order) == (ErrorCode.VALIDATION, ("text",))
        return

    assert found(text=text, order=order) in ([], ["Record ten sentences"])


def test_random_texts_are_found_alike_by_both_databases_and_never_break_them() -> None:
    chance = random.Random(7)
    letters = "aábc'\"\\ -:&|!()<>*.@/_1²éßИя中\u0301"
    a_job(a_person(), title="one", description="aá bc 1 éß Ия 中")

    for _ in range(150):
        text = "".join(chance.choices(letters, k=chance.randint(1, 12)))
        words = words_of(text)
        here = [word.split("\u0301")[0] for word in ("aa", "bc", "1", "eß", "ия", "中")]
        begins = all(
            any(
                each.startswith(word) if len(word) > 2 or not word.isascii() else each == word
                for each in here
            )
            for word in words
        )
        if text.strip():
            assert found(text=text) == (["one"] if words and begins else []), ascii(text)


@pytest.mark.usefixtures("texts")
def test_blanks_are_no_text_and_signs_are_one_without_words() -> None:
    assert len(found(text="  ")) == 4
    assert found(text="!?") == []


def test_among_no_statuses_a_text_finds_nothing() -> None:
    a_job(title="Record ten sentences")

    assert found(text="sentences", statuses=[]) == []


def test_too_much_or_unreadable_text_is_refused() -> None:
    assert refused(text="x" * 201) == (ErrorCode.VALIDATION, ("text",))
    assert refused(text="a\x00") == (ErrorCode.VALIDATION, ("text",))
    assert refused(text="a b c d e f g h i j k") == (ErrorCode.VALIDATION, ("text",))


def test_an_edited_job_is_found_by_its_new_words_only() -> None:
    job = a_job(a_person(), title="Old title")

    Job.objects.filter(id=job.id).update(title="Fresh words")

    assert (found(text="old"), found(text="fresh")) == ([], ["Fresh words"])


# --- orders


def test_deadline_puts_the_next_end_of_recruiting_first_where_there_is_one_to_come() -> None:
    owner = a_person()
    for days in (3, 1, 2):
        a_job(owner, title=f"{days} days", recruit_until=NOON + timedelta(days=days))
    a_draft(owner, title="does not recruit yet", recruit_until=NOON + timedelta(days=9))
    a_job_in(JobStatus.SELECTING, owner)

    assert found(user=owner, order=JobOrder.DEADLINE) == ["1 days", "2 days", "3 days"]
    later = NOON + timedelta(days=1)
    assert found(order=JobOrder.DEADLINE, now=later) == ["2 days", "3 days"]


def test_reward_puts_the_highest_first_and_the_newest_of_equals() -> None:
    owner = a_person()
    for title, value in (("low", 5), ("high", 2**62), ("equal", 50), ("equal but newer", 50)):
        a_job(owner, title=title, reward=usd(value), workers_needed=1)

    assert found(reward_min=usd(0), order=JobOrder.REWARD) == [
        "high",
        "equal but newer",
        "equal",
        "low",
    ]


def test_an_order_that_lacks_what_it_compares_is_refused() -> None:
    assert refused(order=JobOrder.REWARD) == (ErrorCode.VALIDATION, ("orderBy",))
    assert refused(order=JobOrder.RELEVANCE) == (ErrorCode.VALIDATION, ("orderBy",))
    assert refused(order=JobOrder.RELEVANCE, text=" ") == (ErrorCode.VALIDATION, ("orderBy",))


def test_relevance_puts_a_word_in_the_title_before_one_in_the_description() -> None:
    owner = a_person()
    a_job(owner, title="Otomi", description="Read.")
    a_job(owner, title="Other", description="Read it in Otomi.")
    a_job(owner, title="Neither", description="Read.")

    assert found(text="otomi", order=JobOrder.RELEVANCE) == ["Otomi", "Other"]
    assert found(text="otomi") == ["Other", "Otomi"]


def test_relevance_compares_the_newest_jobs_with_the_words() -> None:
    a_job(a_person(), title="Best but old", description="best best")
    template = Job.objects.get()
    rows = [_copy(template, title="Newer", description="best") for _ in range(MOST_RANKED)]
    Job.objects.bulk_create(rows)

    assert set(found(text="best", order=JobOrder.RELEVANCE)) == {"Newer"}


@WITH_AN_INDEX_OF_WORDS
def test_words_that_few_jobs_have_are_read_from_their_index_by_itself() -> None:
    owner = a_person()
    for title in ("Drums", "Flute", "Drums again"):
        a_job(owner, title=title)
    search = JobSearch(text="drums")

    found = search_jobs(user=None, search=search, now=NOON, effort=Effort(few=1000, a_page=1))

    assert [job.title for job in found.jobs] == ["Drums again", "Drums"]
    assert found.among is None
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    assert "job_by_words" in found.jobs.explain()


@WITH_AN_INDEX_OF_WORDS
@pytest.mark.parametrize("order", [JobOrder.NEWEST, JobOrder.DEADLINE, JobOrder.REWARD])
def test_words_that_many_jobs_have_are_looked_for_in_a_part_of_the_list(order: JobOrder) -> None:
    owner = a_person()
    for title in ("Drums", "Flute", "Drums again"):
        a_job(owner, title=title)
    search = JobSearch(text="drums", order=order, reward_min=usd(0))

    found = search_jobs(user=None, search=search, now=NOON, effort=Effort(few=0, a_page=1))

    assert found.among is not None
    assert (found.among.count(), found.at_most) == (3, 1)
    assert found.among.query.order_by == found.jobs.query.order_by
    assert {job.title for job in found.jobs} == {"Drums", "Drums again"}


@WITH_AN_INDEX_OF_WORDS
def test_relevance_compares_the_newest_of_words_that_many_jobs_have() -> None:
    owner = a_person()
    for title in ("Drums drums", "Flute", "Drums"):
        a_job(owner, title=title)
    search = JobSearch(text="drums", order=JobOrder.RELEVANCE)

    found = search_jobs(user=None, search=search, now=NOON, effort=Effort(few=0, a_page=1))

    assert [job.title for job in found.jobs] == ["Drums"]


def _copy(job: Job, **changes: Any) -> Job:
    fields = {field.attname: getattr(job, field.attname) for field in Job._meta.concrete_fields}
    del fields["id"]
    return Job(**{**fields, **changes})
