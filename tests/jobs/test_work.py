"""Work begins when its pay is secured, is drafted by those selected, and handed in."""

from datetime import timedelta
from typing import Any

import pytest

from backend.errors import Forbidden, NotFound, ValidationFailed
from backend.events.models import Event
from backend.files.models import File
from backend.files.queries import files_visible_to
from backend.files.sweeping import sweep
from backend.files.uploads import UNATTACHED_LIVES
from backend.jobs import work
from backend.jobs.errors import NoSelectedWorkers, WrongStatus
from backend.jobs.models import Job, Submission
from backend.jobs.queries import submissions_visible_to
from backend.jobs.status import (
    ApplicationStatus,
    DeliverableType,
    JobStatus,
    ReviewDecision,
    SubmissionStatus,
)
from tests.files.people import a_file
from tests.jobs.people import (
    NOON,
    a_draft_of_work,
    a_job,
    a_job_with_work,
    a_person,
    an_application,
    reviewed,
    submitted_work,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


# --- beginning


def test_work_begins_with_its_deadline_and_without_those_who_were_not_selected() -> None:
    job = a_job(workers_needed=1, submit_days=30, expires_at=NOON + 10 * DAY)
    chosen, other = an_application(job), an_application(job)
    job.applications.filter(id=chosen.id).update(status=ApplicationStatus.SELECTED)

    work.begin_work(job=job, at=NOON)

    after = Job.objects.get(id=job.id)
    assert after.status == JobStatus.SUBMITTING
    assert after.submit_until == NOON + 30 * DAY
    assert after.due_at == NOON + 27 * DAY, "then the workers are reminded"
    assert after.expires_at == NOON + 30 * DAY, "nobody loses a day that was promised"
    statuses = dict(job.applications.values_list("id", "status"))
    assert statuses == {chosen.id: "SELECTED", other.id: "REJECTED"}
    assert [(each.kind, each.old, each.new) for each in job.status_changes.order_by("id")] == [
        ("job", "DRAFT", "RECRUITING"),
        ("job", "RECRUITING", "SELECTING"),
        ("application", "PENDING", "REJECTED"),
        ("job", "SELECTING", "SUBMITTING"),
    ]
    assert Event.objects.filter(topic=f"user:{chosen.applicant_id}", type="job.status").exists()


def test_no_work_begins_without_anybody_selected() -> None:
    job = a_job()
    an_application(job)

    with pytest.raises(NoSelectedWorkers):
        work.begin_work(job=job, at=NOON)

    assert Job.objects.get(id=job.id).status == JobStatus.RECRUITING


# --- drafting


def test_a_draft_is_one_row_that_is_written_over() -> None:
    job, [worker] = a_job_with_work()

    first = a_draft_of_work(job, worker, text="One.", links=["https://example.com/one"])
    again = a_draft_of_work(job, worker, text="One and two.", note="Nearly there")

    assert first.id == again.id
    row = Submission.objects.get()
    assert (row.text, row.note, row.links) == ("One and two.", "Nearly there", [])
    assert (row.status, row.revision, row.reward_value) == ("DRAFT", 1, job.reward_value)


def test_a_draft_is_seen_by_its_worker_only() -> None:
    job, [worker] = a_job_with_work()
    draft = a_draft_of_work(job, worker)

    assert list(submissions_visible_to(worker)) == [draft]
    for user in (job.owner, a_person(), a_person(is_staff=True), None):
        assert not submissions_visible_to(user).exists()


def test_the_files_of_a_draft_are_its_workers_until_it_is_handed_in() -> None:
    job, [worker] = a_job_with_work()
    file = a_file(worker)
    draft = a_draft_of_work(job, worker, file_ids=[file.id])
    reviewers = (job.owner, a_person(is_staff=True), a_person(is_auditor=True))

    assert list(files_visible_to(worker)) == [file]
    for user in (*reviewers, a_person(), None):
        assert not files_visible_to(user).exists()

    work.submit_work(user=worker, submission_id=draft.id, now=NOON)

    for user in reviewers:
        assert list(files_visible_to(user)) == [file]
    assert not files_visible_to(a_person()).exists()


def test_what_a_worker_replaces_takes_no_room_of_theirs_for_ever() -> None:
    job, [worker] = a_job_with_work()
    kept, replaced = a_file(worker), a_file(worker)
    a_draft_of_work(job, worker, file_ids=[kept.id, replaced.id])

    a_draft_of_work(job, worker, file_ids=[kept.id])
    sweep(now=NOON + UNATTACHED_LIVES - timedelta(seconds=1))
    assert File.objects.filter(owner=worker).count() == 2, "there is time to attach it again"
    sweep(now=NOON + UNATTACHED_LIVES)

    assert File.objects.get(owner=worker) == kept


def test_a_file_that_an_earlier_revision_has_stays() -> None:
    job, [worker] = a_job_with_work()
    file = a_file(worker)
    first = submitted_work(job, worker, file_ids=[file.id])
    reviewed(first, ReviewDecision.REQUEST_CHANGES)
    a_draft_of_work(job, worker, file_ids=[file.id])

    a_draft_of_work(job, worker, file_ids=[])
    sweep(now=NOON + 2 * UNATTACHED_LIVES)

    assert list(first.files.all()) == [file]


def test_only_selected_workers_hand_in_work() -> None:
    job = a_job(workers_needed=1)
    chosen, other = an_application(job), an_application(job)
    job.applications.filter(id=chosen.id).update(status=ApplicationStatus.SELECTED)
    work.begin_work(job=job, at=NOON)

    for user in (other.applicant, a_person(), job.owner):
        with pytest.raises(Forbidden):
            a_draft_of_work(job, user)


@pytest.mark.parametrize("status", [each for each in JobStatus if each != JobStatus.SUBMITTING])
def test_work_is_begun_while_the_job_takes_it(status: JobStatus) -> None:
    job, [worker] = a_job_with_work()
    Job.objects.filter(id=job.id).update(status=status)

    with pytest.raises((WrongStatus, NotFound)):
        a_draft_of_work(job, worker)


def test_the_time_for_work_ends_at_its_very_second() -> None:
    job, [worker] = a_job_with_work()
    draft = a_draft_of_work(job, worker)
    assert job.submit_until is not None

    with pytest.raises(WrongStatus):
        a_draft_of_work(job, worker, now=job.submit_until)
    with pytest.raises(WrongStatus):
        work.submit_work(user=worker, submission_id=draft.id, now=job.submit_until)

    in_time = job.submit_until - timedelta(seconds=1)
    assert work.submit_work(user=worker, submission_id=draft.id, now=in_time)


@pytest.mark.parametrize(
    "links", [["ftp://example.com"], ["example.com"], ["javascript:alert(1)"], ["https://a"] * 21]
)
def test_links_are_whole_web_addresses_and_not_too_many(links: list[str]) -> None:
    job, [worker] = a_job_with_work()

    with pytest.raises(ValidationFailed) as refusal:
        a_draft_of_work(job, worker, links=links)

    assert refusal.value.path == ("links",)


# --- handing in


def test_handing_in_starts_the_review_and_the_last_one_moves_the_job() -> None:
    job, [first, second] = a_job_with_work(2, review_days=14)

    submission = submitted_work(job, first)

    assert Job.objects.get(id=job.id).status == JobStatus.SUBMITTING
    assert submission.status == SubmissionStatus.SUBMITTED
    assert (submission.submitted_at, submission.review_by) == (NOON, NOON + 14 * DAY)
    assert submission.due_at == NOON + 7 * DAY, "the first reminder"

    submitted_work(job, second)

    after = Job.objects.get(id=job.id)
    assert (after.status, after.due_at) == (JobStatus.REVIEWING, None)


@pytest.mark.parametrize(
    ("kind", "content", "path"),
    [
        (DeliverableType.TEXT, {"text": " "}, "text"),
        (DeliverableType.LINK, {}, "links"),
        (DeliverableType.FILE, {}, "fileIds"),
        (DeliverableType.IMAGE, {"media_type": "audio/ogg"}, "fileIds"),
        (DeliverableType.AUDIO, {"media_type": "video/mp4"}, "fileIds"),
        (DeliverableType.VIDEO, {"media_type": "image/png"}, "fileIds"),
    ],
)
def test_what_the_job_asks_for_must_be_there(
    kind: DeliverableType, content: dict[str, Any], path: str
) -> None:
    job, [worker] = a_job_with_work(deliverables=(kind,))
    media_type = content.pop("media_type", None)
    if media_type:
        content["file_ids"] = [a_file(worker, media_type=media_type).id]

    with pytest.raises(ValidationFailed) as refusal:
        submitted_work(job, worker, **content)

    assert refusal.value.path == (path,)
    assert kind in refusal.value.message
    assert Submission.objects.get().status == SubmissionStatus.DRAFT


def test_everything_the_job_asks_for_is_enough() -> None:
    job, [worker] = a_job_with_work(deliverables=tuple(DeliverableType))
    files = [a_file(worker, media_type=f"{kind}/x").id for kind in ("image", "audio", "video")]

    submission = submitted_work(job, worker, links=["https://example.com"], file_ids=files)

    assert submission.status == SubmissionStatus.SUBMITTED
    assert {file.id for file in submission.files.all()} == set(files)


def test_foreign_files_and_foreign_work_do_not_exist() -> None:
    job, [worker] = a_job_with_work()

    with pytest.raises(NotFound):
        a_draft_of_work(job, worker, file_ids=[a_file(a_person()).id])
    draft = a_draft_of_work(job, worker)
    for user in (job.owner, a_person()):
        with pytest.raises(NotFound):
            work.submit_work(user=user, submission_id=draft.id, now=NOON)


def test_a_requested_revision_supersedes_the_one_before() -> None:
    job, [worker] = a_job_with_work()
    first = submitted_work(job, worker)
    reviewed(first, ReviewDecision.REQUEST_CHANGES, comment="Slower, please.")

    draft = a_draft_of_work(job, worker, text="Slowly.", now=NOON + DAY)
    assert Submission.objects.get(id=first.id).superseded_at is None
    second = work.submit_work(user=worker, submission_id=draft.id, now=NOON + DAY)

    first.refresh_from_db()
    assert (first.status, first.superseded_at) == ("CHANGES_REQUESTED", NOON + DAY)
    assert (first.revise_until, first.due_at) == (None, None)
    assert (second.revision, second.status, second.superseded_at) == (2, "SUBMITTED", None)


def test_work_that_waits_for_the_owner_cannot_be_changed() -> None:
    job, [worker] = a_job_with_work()
    submission = submitted_work(job, worker)

    with pytest.raises(WrongStatus):
        a_draft_of_work(job, worker, text="Better.")
    with pytest.raises(WrongStatus):
        work.submit_work(user=worker, submission_id=submission.id, now=NOON)
