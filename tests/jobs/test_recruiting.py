"""Finding workers: applying, deciding, and when recruiting ends."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta

import pytest

from backend.errors import (
    AssetMismatch,
    Forbidden,
    NotFound,
    ValidationFailed,
    WalletRequired,
)
from backend.events.models import Event
from backend.files.models import File
from backend.files.uploads import UNATTACHED_LIVES
from backend.ids import new_id
from backend.jobs import recruiting
from backend.jobs.errors import WrongStatus
from backend.jobs.models import Application, Job
from backend.jobs.queries import applications_visible_to, jobs_visible_to
from backend.jobs.status import ApplicationStatus, JobStatus, Pricing
from tests.files.people import a_file
from tests.jobs.people import (
    NOON,
    a_draft,
    a_job,
    a_job_in,
    a_job_with_work,
    a_person,
    a_wallet,
    an_application,
)

pytestmark = pytest.mark.django_db
PENDING, SELECTED, REJECTED = (
    ApplicationStatus.PENDING,
    ApplicationStatus.SELECTED,
    ApplicationStatus.REJECTED,
)


# --- applying


def test_applying_keeps_the_wallet_as_it_is_today() -> None:
    job = a_job()
    worker = a_person()

    application = an_application(job, worker, note="  I grew up with Otomi. ")

    wallet = worker.wallet_addresses.get()
    assert (application.status, application.note) == (PENDING, "I grew up with Otomi.")
    assert application.payout_wallet == wallet
    assert application.payout_url == wallet.url
    assert (application.payout_asset_code, application.payout_asset_scale) == ("USD", 2)


def test_the_default_wallet_is_taken_unless_another_is_named() -> None:
    job = a_job()
    worker = a_person(wallet=False)
    second = a_wallet(worker, is_default=False)
    default = a_wallet(worker)
    other = a_person(wallet=False)
    a_wallet(other)
    named = a_wallet(other, is_default=False)

    implicit = an_application(job, worker)
    explicit = an_application(job, other, payout_wallet_id=named.id)

    assert implicit.payout_wallet == default != second
    assert explicit.payout_wallet == named


def test_nobody_applies_to_their_own_job() -> None:
    job = a_job()

    with pytest.raises(Forbidden):
        an_application(job, job.owner)


@pytest.mark.parametrize(
    "status", [each for each in JobStatus if each not in {JobStatus.DRAFT, JobStatus.RECRUITING}]
)
def test_applying_needs_a_job_that_recruits(status: JobStatus) -> None:
    job = a_job_in(status)

    with pytest.raises(WrongStatus) as refusal:
        an_application(job)

    assert "APPLY is for: RECRUITING." in refusal.value.message


def test_applying_to_a_foreign_draft_finds_no_job() -> None:
    with pytest.raises(NotFound):
        an_application(a_draft())


def test_applying_ends_with_the_deadline_even_before_the_status_has_moved() -> None:
    job = a_job()
    assert job.recruit_until is not None

    with pytest.raises(WrongStatus, match="time for applications is over"):
        an_application(job, now=job.recruit_until)

    assert not job.applications.exists()


def test_applying_twice_is_refused() -> None:
    job = a_job()
    worker = a_person()
    an_application(job, worker)

    with pytest.raises(ValidationFailed):
        an_application(job, worker)

    assert job.applications.count() == 1


def test_applying_needs_a_wallet() -> None:
    job = a_job()

    with pytest.raises(WalletRequired):
        an_application(job, a_person(wallet=False))


def test_a_foreign_wallet_looks_like_no_wallet_at_all() -> None:
    job = a_job()
    foreign = a_person("other").wallet_addresses.get()

    for wallet_id in (foreign.id, new_id()):
        with pytest.raises(NotFound) as refusal:
            an_application(job, payout_wallet_id=wallet_id)
        assert refusal.value.message == "There is no such wallet."


@pytest.mark.parametrize("asset", [("MXN", 2), ("USD", 9), ("usd", 2)])
def test_the_payout_wallet_must_hold_the_jobs_asset_in_code_and_scale(
    asset: tuple[str, int],
) -> None:
    job = a_job()
    worker = a_person(wallet=False)
    a_wallet(worker, asset_code=asset[0], asset_scale=asset[1])

    with pytest.raises(AssetMismatch) as refusal:
        an_application(job, worker)

    assert refusal.value.path == ("payoutWalletId",)
    assert f"{asset[0]} with scale {asset[1]}" in refusal.value.message


def test_the_application_that_fills_the_limit_closes_recruiting() -> None:
    job = a_job(recruit_limit=3)

    for _ in range(2):
        an_application(job)
    before = Job.objects.get(id=job.id).status
    last = an_application(job)

    after = Job.objects.get(id=job.id)
    assert (before, after.status) == (JobStatus.RECRUITING, JobStatus.SELECTING)
    assert after.status_changes.get(new="SELECTING").actor_id == last.applicant_id
    assert Event.objects.filter(topic=f"job:{job.id}").count() == 2
    with pytest.raises(WrongStatus):
        an_application(job)


# --- deciding


def test_deciding_selects_rejects_and_resets_in_one_go() -> None:
    job = a_job()
    first, second, third = (an_application(job) for _ in range(3))
    recruiting.decide_applications(user=job.owner, job_id=job.id, select=[third.id], now=NOON)

    decided_job, decided = recruiting.decide_applications(
        user=job.owner,
        job_id=job.id,
        select=[first.id],
        reject=[second.id],
        reset=[third.id],
        now=NOON + timedelta(hours=1),
    )

    assert decided_job == job
    assert [(each.id, each.status) for each in decided] == [
        (first.id, SELECTED),
        (second.id, REJECTED),
        (third.id, PENDING),
    ]
    assert [each.status for each in Application.objects.filter(job=job).order_by("id")] == [
        SELECTED,
        REJECTED,
        PENDING,
    ]


def test_deciding_again_the_same_way_changes_nothing() -> None:
    job = a_job()
    application = an_application(job)
    recruiting.decide_applications(user=job.owner, job_id=job.id, select=[application.id], now=NOON)

    _, decided = recruiting.decide_applications(
        user=job.owner, job_id=job.id, select=[application.id], now=NOON + timedelta(days=1)
    )

    assert [(each.status, each.updated_at) for each in decided] == [(SELECTED, NOON)]


def test_no_more_are_selected_than_the_job_needs() -> None:
    job = a_job(workers_needed=2)
    first, second, third = (an_application(job) for _ in range(3))
    recruiting.decide_applications(user=job.owner, job_id=job.id, select=[first.id], now=NOON)

    with pytest.raises(ValidationFailed) as refusal:
        recruiting.decide_applications(
            user=job.owner, job_id=job.id, select=[second.id, third.id], now=NOON
        )

    assert refusal.value.path == ("select",)
    assert job.applications.filter(status=SELECTED).count() == 1


def test_a_selected_place_can_be_swapped_in_one_call() -> None:
    job = a_job(workers_needed=1)
    first, second = an_application(job), an_application(job)
    recruiting.decide_applications(user=job.owner, job_id=job.id, select=[first.id], now=NOON)

    recruiting.decide_applications(
        user=job.owner, job_id=job.id, select=[second.id], reset=[first.id], now=NOON
    )

    assert job.applications.get(status=SELECTED) == second


def test_one_foreign_id_refuses_the_whole_decision() -> None:
    job = a_job()
    mine = an_application(job)
    foreign = an_application(a_job(job.owner))

    for stray in (foreign.id, new_id()):
        for field in ("select", "reject", "reset"):
            named = {"select": [mine.id], field: [stray]}
            with pytest.raises(NotFound) as refusal:
                recruiting.decide_applications(user=job.owner, job_id=job.id, now=NOON, **named)
            assert refusal.value.path == (field,)

    mine.refresh_from_db()
    assert mine.status == PENDING


@pytest.mark.parametrize(
    "decision",
    [
        lambda a: {},
        lambda a: {"select": [a, a]},
        lambda a: {"select": [a], "reject": [a]},
        lambda a: {"reject": [a], "reset": [a]},
    ],
    ids=["nothing named", "twice selected", "selected and rejected", "rejected and reset"],
)
def test_a_decision_names_each_application_once_and_at_least_one(
    decision: Callable[[object], dict[str, list[object]]],
) -> None:
    job = a_job()
    application = an_application(job)

    with pytest.raises(ValidationFailed):
        recruiting.decide_applications(
            user=job.owner,
            job_id=job.id,
            now=NOON,
            **decision(application.id),  # type: ignore[arg-type]
        )

    application.refresh_from_db()
    assert application.status == PENDING


def test_a_withdrawn_application_cannot_be_selected() -> None:
    job = a_job()
    application = an_application(job)
    Application.objects.filter(id=application.id).update(status=ApplicationStatus.WITHDRAWN)

    with pytest.raises(WrongStatus, match="The application is WITHDRAWN"):
        recruiting.decide_applications(
            user=job.owner, job_id=job.id, select=[application.id], now=NOON
        )


@pytest.mark.parametrize("status", list(JobStatus))
def test_deciding_is_possible_while_recruiting_and_selecting(status: JobStatus) -> None:
    job = a_job()
    application = an_application(job)
    Job.objects.filter(id=job.id).update(status=status)
    possible = status in {JobStatus.RECRUITING, JobStatus.SELECTING}

    with nullcontext() if possible else pytest.raises(WrongStatus):
        recruiting.decide_applications(
            user=job.owner, job_id=job.id, select=[application.id], now=NOON
        )

    application.refresh_from_db()
    assert application.status == (SELECTED if possible else PENDING)


# --- closing when the money is in


def test_money_closes_recruiting_when_somebody_has_applied() -> None:
    job = a_job()
    an_application(job)

    closed = recruiting.close_paid_recruiting(job=job, at=NOON)

    assert closed
    assert job.status == Job.objects.get(id=job.id).status == JobStatus.SELECTING
    assert job.status_changes.get(new="SELECTING").actor is None


def test_money_leaves_a_job_without_applications_recruiting() -> None:
    job = a_job()

    assert not recruiting.close_paid_recruiting(job=job, at=NOON)
    assert Job.objects.get(id=job.id).status == JobStatus.RECRUITING


def test_money_leaves_a_job_recruiting_when_its_owner_wants_that() -> None:
    job = a_job(close_recruiting_when_funded=False)
    an_application(job)

    assert not recruiting.close_paid_recruiting(job=job, at=NOON)
    assert Job.objects.get(id=job.id).status == JobStatus.RECRUITING


@pytest.mark.parametrize("status", [each for each in JobStatus if each != JobStatus.RECRUITING])
def test_money_never_moves_a_job_that_does_not_recruit(status: JobStatus) -> None:
    job = a_job()
    an_application(job)
    Job.objects.filter(id=job.id).update(status=status)

    assert not recruiting.close_paid_recruiting(job=job, at=NOON)
    assert Job.objects.get(id=job.id).status == status


# --- who sees what


def test_drafts_are_seen_by_their_owner_only() -> None:
    draft, job = a_draft(), a_job()

    assert set(jobs_visible_to(draft.owner)) == {draft, job}
    assert set(jobs_visible_to(job.owner)) == {job}
    assert set(jobs_visible_to(None)) == {job}


def test_an_application_is_seen_by_its_applicant_and_the_jobs_owner_only() -> None:
    job = a_job()
    application = an_application(job)
    an_application(a_job())
    rival = a_person()
    rivals = an_application(job, rival)

    assert set(applications_visible_to(job.owner)) == {application, rivals}
    assert set(applications_visible_to(application.applicant)) == {application}
    assert set(applications_visible_to(rival)) == {rivals}
    assert set(applications_visible_to(a_person())) == set()
    assert set(applications_visible_to(None)) == set()


# --- withdrawing, and applying again


def withdrawn(application: Application) -> Application:
    return recruiting.withdraw_application(
        user=application.applicant, application_id=application.id, now=NOON
    )


def test_files_of_an_application_that_is_made_again_without_them_go() -> None:
    job, worker = a_job(), a_person()
    file = a_file(worker)

    def apply(*files: File) -> Application:
        return recruiting.apply_to_job(
            user=worker,
            job_id=job.id,
            note=None,
            attachment_ids=[each.id for each in files],
            payout_wallet_id=None,
            now=NOON,
        )

    withdrawn = apply(file)
    recruiting.withdraw_application(user=worker, application_id=withdrawn.id, now=NOON)
    apply()

    file.refresh_from_db()
    assert file.expires_at == NOON + UNATTACHED_LIVES


def test_an_application_can_be_withdrawn_and_made_again() -> None:
    job = a_job()
    application = an_application(job, note="First")

    assert withdrawn(application).status == ApplicationStatus.WITHDRAWN
    again = an_application(job, application.applicant, note="Second")

    assert again.id == application.id
    assert (again.status, again.note) == ("PENDING", "Second")
    moves = job.status_changes.filter(kind="application").values_list("old", "new")
    assert list(moves) == [("PENDING", "WITHDRAWN"), ("WITHDRAWN", "PENDING")]


def test_a_withdrawal_makes_room_under_the_limit() -> None:
    job = a_job(workers_needed=1, recruit_limit=2)
    withdrawn(an_application(job))

    an_application(job)
    assert Job.objects.get(id=job.id).status == JobStatus.RECRUITING
    an_application(job)
    assert Job.objects.get(id=job.id).status == JobStatus.SELECTING


def test_only_the_applicant_withdraws_once_and_before_the_work_begins() -> None:
    job = a_job()
    application = an_application(job)

    with pytest.raises(Forbidden):
        recruiting.withdraw_application(user=job.owner, application_id=application.id, now=NOON)
    with pytest.raises(NotFound):
        recruiting.withdraw_application(user=a_person(), application_id=application.id, now=NOON)
    withdrawn(application)
    with pytest.raises(WrongStatus):
        withdrawn(application)
    working, [_worker] = a_job_with_work()
    with pytest.raises(WrongStatus, match="its applications are decided"):
        withdrawn(working.applications.get())


def test_somebody_selected_can_still_withdraw_and_frees_the_place() -> None:
    job = a_job(workers_needed=1)
    first, second = an_application(job), an_application(job)

    def select(application: Application) -> None:
        recruiting.decide_applications(
            user=job.owner, job_id=job.id, select=[application.id], now=NOON
        )

    select(first)
    with pytest.raises(ValidationFailed):
        select(second)
    withdrawn(first)
    select(second)

    assert job.applications.get(status=SELECTED) == second


def test_an_application_keeps_its_files() -> None:
    worker = a_person()
    voice = a_file(worker)

    application = recruiting.apply_to_job(
        user=worker,
        job_id=a_job().id,
        note=None,
        attachment_ids=[voice.id],
        payout_wallet_id=None,
        now=NOON,
    )

    assert list(application.attachments.all()) == [voice]


def test_where_the_sent_side_is_exact_the_worker_may_hold_another_asset() -> None:
    worker = a_person(asset_code="EUR")

    application = an_application(a_job(pricing=Pricing.FIXED_SEND), worker)

    assert application.payout_asset_code == "EUR"


# --- closing and reopening


def reopened(job: Job, *, days: int = 3, recruit_limit: int | None = None) -> Job:
    return recruiting.reopen_recruiting(
        user=job.owner,
        job_id=job.id,
        recruit_until=NOON + timedelta(days=days),
        recruit_limit=recruit_limit,
        now=NOON,
    )


def closed(job: Job) -> Job:
    return recruiting.close_recruiting(user=job.owner, job_id=job.id, now=NOON)


def test_recruiting_is_closed_by_hand_once_somebody_has_applied() -> None:
    job = a_job()

    with pytest.raises(WrongStatus, match="nobody has applied"):
        closed(job)
    an_application(job)
    after = closed(job)

    assert job.expires_at is not None
    assert (after.status, after.due_at) == ("SELECTING", job.expires_at - timedelta(days=3))
    with pytest.raises(WrongStatus):
        closed(job)


def test_a_job_recruits_again_and_makes_room_where_its_limit_was_reached() -> None:
    job = a_job(workers_needed=1, recruit_limit=2)
    an_application(job), an_application(job)

    again = reopened(job)

    assert (again.status, again.recruit_limit) == ("RECRUITING", 12)
    assert again.recruit_until == again.due_at == NOON + timedelta(days=3)
    assert an_application(job)


def test_reopening_needs_a_limit_that_is_not_reached_and_a_deadline_before_the_end() -> None:
    job = a_job(workers_needed=1, recruit_limit=2)
    an_application(job), an_application(job)

    for wrong in ({"recruit_limit": 2}, {"recruit_limit": 10_001}, {"days": 0}, {"days": 700}):
        with pytest.raises(ValidationFailed):
            reopened(job, **wrong)
    assert reopened(job, recruit_limit=3).recruit_limit == 3
    with pytest.raises(WrongStatus):
        reopened(job)


def test_nothing_is_reopened_while_a_payment_is_on_its_way() -> None:
    job = a_job_in(JobStatus.SELECTING)
    Job.objects.filter(id=job.id).update(money_moving=True)

    with pytest.raises(WrongStatus, match="payment"):
        reopened(job)
