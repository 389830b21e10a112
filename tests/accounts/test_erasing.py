"""A person who is erased leaves no trace of who they were, and every trace of what was paid."""

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from backend.accounts import personal, services
from backend.accounts.erasing import erase_person, hindrances_to_erasing
from backend.accounts.errors import BadCredentials, StillNeeded
from backend.accounts.models import User, WalletAddress
from backend.accounts.personal import ERASED
from backend.errors import NotFound, ValidationFailed
from backend.files.models import File
from backend.files.queries import files_visible_to
from backend.funding.models import Payable
from backend.funding.status import FundingMode, PayableStatus
from backend.ids import new_id
from backend.jobs import recruiting
from backend.jobs.errors import WrongStatus
from backend.jobs.models import Application, Job, Submission
from backend.jobs.status import ApplicationStatus, JobStatus, Pricing, ReviewDecision
from backend.ledger.verification import verify
from backend.payments.models import Payment
from backend.reconciliation.reconciling import reconcile
from tests.accounts.leaving import (
    EMAIL,
    EVIDENCE,
    FREE_TEXT,
    NAME,
    a_file_with_bytes,
    columns_with,
    feed_of,
    hand_in,
    leave_traces,
    path_of,
    rows_of,
)
from tests.accounts.people import Form
from tests.jobs.people import (
    NOON,
    a_dispute,
    a_draft,
    a_job,
    a_job_with_work,
    a_person,
    an_application,
    reviewed,
    submitted_work,
)
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

# What is written once: the books, receipts, the journal and the logs.
WRITTEN_ONCE = (
    "ledger_account",
    "ledger_transfer",
    "ledger_entry",
    "ledger_head",
    "receipts_receipt",
    "payments_walletcall",
    "payments_attempt",
    "payments_paymenttransition",
    "payments_heldgranttransition",
    "payments_paymentresolution",
    "payments_discrepancy",
)
# Where words of somebody stay that are another person's evidence too.
PLACES_OF_EVIDENCE = {
    "jobs_job.title",
    "jobs_job.search",
    "jobs_statuschange.reason",
    "jobs_submission.note",
    "jobs_submission.text",
    "files_file.name",
}


@pytest.fixture(autouse=True)
def _world(settings: LazySettings, tmp_path: Path) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"
    settings.FILES_BUCKET = ""
    settings.FILES_DIR = tmp_path / "files"


def a_paid_job(mode: FundingMode = FundingMode.PREAPPROVED) -> tuple[Market, File]:
    """A job with a worker who was paid, and the file that was paid for."""
    market = Market(mode=mode, workers=1, options={"token_life_s": 365 * 86_400})
    if mode is FundingMode.ESCROW:
        market.open_treasury()
    market.pre_fund()
    market.settle_down(lambda: Job.objects.get(id=market.job.id).status == JobStatus.SUBMITTING)
    (worker,) = market.workers
    file = a_file_with_bytes(worker, f"{EVIDENCE}.txt")
    market.review(hand_in(worker, market.job, EVIDENCE, file, market.now), ReviewDecision.ACCEPT)
    market.settle_down(market.is_over)
    return market, file


def reconciled(market: Market) -> Any:
    return reconcile(now=market.now, client=market.client).found


def codes(person: User) -> set[str]:
    return {each.code for each in hindrances_to_erasing(person)}


# --- what goes and what stays -----------------------------------------------------------------


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
@pytest.mark.parametrize(
    "who", [lambda market: market.payer, lambda market: market.workers[0]], ids=["payer", "worker"]
)
def test_nothing_says_who_they_were_and_the_books_are_as_before(
    mode: FundingMode, who: Callable[[Market], User]
) -> None:
    market, delivered = a_paid_job(mode)
    person = who(market)
    leave_traces(person)
    Payment.objects.filter(payer=person).update(return_url=f"https://{FREE_TEXT}.example/")
    traces = {trace: columns_with(trace) for trace in (EMAIL, NAME, FREE_TEXT, EVIDENCE)}
    written, verified = rows_of(*WRITTEN_ONCE), verify()
    assert all(traces.values())
    assert feed_of(person)
    assert verified.broken == ""
    assert not reconciled(market)

    erase_person(person_id=person.id, now=market.now)

    assert columns_with(EMAIL) == columns_with(NAME) == columns_with(FREE_TEXT) == set()
    assert columns_with(EVIDENCE) == traces[EVIDENCE] <= PLACES_OF_EVIDENCE
    assert rows_of(*WRITTEN_ONCE) == written
    assert verify() == verified
    assert not reconciled(market)
    assert path_of(delivered).exists()
    assert feed_of(person) == []


def test_every_row_that_is_said_to_be_erased_is_gone() -> None:
    person = a_person()
    leave_traces(person)
    gone = {
        column: apps.get_model(label)._base_manager.filter(**{name: person})
        for data in personal.registered()
        for column, decision in data.relations.items()
        if decision == ERASED
        for label, _, name in [column.rpartition(".")]
    }
    there = {column for column, rows in gone.items() if rows.exists()}
    assert there == gone.keys() - {"accounts.User_user_permissions.user"}

    erase_person(person_id=person.id, now=NOON)

    assert {column for column, rows in gone.items() if rows.exists()} == set()


def test_of_their_files_only_those_that_were_paid_for_are_still_in_the_store() -> None:
    market, delivered = a_paid_job()
    (worker,) = market.workers
    leave_traces(worker)
    others = [path_of(file) for file in File.objects.filter(owner=worker).exclude(id=delivered.id)]
    assert len(others) > 3
    assert all(path.exists() for path in others)

    erase_person(person_id=worker.id, now=market.now)

    assert [path for path in others if path.exists()] == []
    assert list(File.objects.filter(owner=worker)) == [delivered]
    assert files_visible_to(market.payer).filter(id=delivered.id).exists()
    assert Submission.objects.get(worker=worker, accepted_value__gt=0).text == EVIDENCE


def test_a_wallet_that_money_went_through_stays_for_the_books_and_no_other_does() -> None:
    market, _ = a_paid_job()
    (worker,) = market.workers
    leave_traces(worker)
    paid_to = market.applications[0].payout_wallet

    erase_person(person_id=worker.id, now=market.now)

    wallets = WalletAddress.objects.filter(owner=worker)
    assert [each.url for each in wallets if not each.url.startswith("erased:")] == [paid_to.url]
    assert all(each.removed_at and not each.is_default and not each.public_name for each in wallets)
    assert Application.objects.get(applicant=worker, job=market.job).payout_url == paid_to.url
    waiting = Application.objects.filter(applicant=worker).exclude(payout_url=paid_to.url)
    assert {each.payout_url for each in waiting} == {""}


def test_disputed_work_stays_though_nothing_was_paid_for_it() -> None:
    job, (worker,) = a_job_with_work()
    work = reviewed(submitted_work(job, worker, text="What I did."), ReviewDecision.REJECT)
    dispute = a_dispute(work)
    type(dispute).objects.filter(id=dispute.id).update(status="WITHDRAWN")
    Job.objects.filter(id=job.id).update(status=JobStatus.CANCELED, due_at=None)

    erase_person(person_id=worker.id, now=NOON)

    assert Submission.objects.get(id=work.id).text == "What I did."


# --- how it is to have been erased --------------------------------------------------------------


def test_nobody_can_be_them_any_more() -> None:
    session = Form().send()
    person = session.user

    erase_person(person_id=person.id, now=NOON)

    person.refresh_from_db()
    assert services.user_for_bearer(header=f"Bearer {session.token}", now=NOON) is None
    assert (person.is_active, person.has_usable_password()) == (False, False)
    with pytest.raises(BadCredentials):
        services.log_in(
            email=person.email, password="", device_name="", remote_address="::1", now=NOON
        )


def test_their_address_can_sign_up_again_as_somebody_new() -> None:
    first = Form().send().user
    erase_person(person_id=first.id, now=NOON)

    second = Form().send().user

    assert second.id != first.id
    assert second.email == Form().email


def test_nobody_can_take_the_address_that_somebody_will_have_once_they_are_erased() -> None:
    person = Form().send().user

    with pytest.raises(ValidationFailed):
        Form(email=f"erased-{person.id.hex}@invalid").send()


def test_erasing_again_finds_nothing_more_to_do() -> None:
    market, _ = a_paid_job()
    leave_traces(market.payer)
    once = erase_person(person_id=market.payer.id, now=market.now)
    before = rows_of("accounts_user", "accounts_walletaddress", "jobs_job", "files_file")

    again = erase_person(person_id=market.payer.id, now=market.now)

    after = rows_of("accounts_user", "accounts_walletaddress", "jobs_job", "files_file")
    after_without_hash, before_without_hash = (
        str(rows).replace(user.password, "") for rows, user in ((after, again), (before, once))
    )
    assert after_without_hash == before_without_hash


def test_erasing_again_takes_what_a_request_under_way_wrote_meanwhile() -> None:
    person = a_person()
    written, erased = threading.Event(), threading.Event()

    def write() -> None:
        with closing(connection), transaction.atomic():
            a_draft(person, title=FREE_TEXT)
            written.set()
            # SQLite lets nobody else write meanwhile.
            erased.wait(10 if connection.vendor == "postgresql" else 0)

    request = threading.Thread(target=write)
    request.start()
    assert written.wait(10)
    erase_person(person_id=person.id, now=NOON)
    erased.set()
    request.join()

    erase_person(person_id=person.id, now=NOON)

    assert columns_with(FREE_TEXT) == set()


def test_who_does_not_exist_cannot_be_erased() -> None:
    with pytest.raises(NotFound):
        erase_person(person_id=new_id(), now=NOON)


@pytest.mark.parametrize("decided", [ApplicationStatus.PENDING, ApplicationStatus.REJECTED])
def test_an_erased_applicant_cannot_be_selected(decided: ApplicationStatus) -> None:
    job = a_job()
    application = an_application(job)
    if decided is ApplicationStatus.REJECTED:
        recruiting.decide_applications(
            user=job.owner, job_id=job.id, reject=[application.id], now=NOON
        )

    erase_person(person_id=application.applicant_id, now=NOON)

    with pytest.raises(WrongStatus):
        recruiting.decide_applications(
            user=job.owner, job_id=job.id, select=[application.id], now=NOON
        )


def test_a_draft_that_nobody_saw_is_canceled() -> None:
    draft = a_draft()

    erase_person(person_id=draft.owner_id, now=NOON)

    draft.refresh_from_db()
    assert (draft.status, draft.title) == (JobStatus.CANCELED, "")


# --- what has to end first ------------------------------------------------------------------------


def test_whoever_offers_a_job_that_is_not_over_is_not_erased_and_nothing_was_changed() -> None:
    job = a_job()
    before = rows_of("accounts_user", "jobs_job")

    with pytest.raises(StillNeeded) as refusal:
        erase_person(person_id=job.owner_id, now=NOON)

    assert str(refusal.value) == (
        "They cannot be erased yet. JOB_OPEN: Jobs of theirs are not over: 1. They complete or "
        "cancel them."
    )
    assert rows_of("accounts_user", "jobs_job") == before


def test_whoever_is_selected_for_a_job_that_is_not_over_is_not_erased() -> None:
    _, (worker,) = a_job_with_work()

    assert codes(worker) == {"WORK_OPEN"}


def test_neither_side_of_an_open_dispute_is_erased() -> None:
    job, (worker,) = a_job_with_work()
    a_dispute(reviewed(submitted_work(job, worker), ReviewDecision.REJECT))

    assert "DISPUTE_OPEN" in codes(worker) & codes(job.owner)


def test_whoever_is_entrusted_with_the_platform_is_not_erased() -> None:
    assert codes(a_person(is_staff=True)) == codes(a_person(is_auditor=True)) == {"OPERATOR"}


def test_whoever_pays_is_not_erased_before_that_is_over() -> None:
    market = Market(mode=FundingMode.PREAPPROVED, workers=1)
    market.pre_fund()
    market.settle_down(lambda: Job.objects.get(id=market.job.id).status == JobStatus.SUBMITTING)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)

    under_way = {"PAYMENT_OPEN", "OWED"}
    assert codes(market.workers[0]) >= under_way
    assert codes(market.payer) >= under_way | {"FUNDING_OPEN", "CONSENT_HELD"}
    market.settle_down(market.is_over)
    assert codes(market.workers[0]) == codes(market.payer) == set()


def test_whoever_is_still_owed_a_part_is_not_erased() -> None:
    market = Market(mode=FundingMode.PREAPPROVED, workers=1, pricing=Pricing.FIXED_RECEIVE)
    market.pre_fund()
    market.settle_down(lambda: Job.objects.get(id=market.job.id).status == JobStatus.SUBMITTING)
    market.fault(call="create-outgoing-payment", act="partial_delivery", value=700)
    market.review(market.submit(market.workers[0]), ReviewDecision.ACCEPT)
    (worker,) = market.workers
    market.settle_down(
        lambda: Payable.objects.filter(receiver__owner=worker, status=PayableStatus.STUCK).exists()
    )

    assert "OWED" in codes(worker)


# --- the command ----------------------------------------------------------------------------------


def test_the_command_does_nothing_before_it_is_told_yes(capsys: pytest.CaptureFixture[str]) -> None:
    person = Form().send().user

    call_command("erase_person", Form().email)
    said = capsys.readouterr().out

    assert said == f"Person {person.id} can be erased. With --yes they are, for good.\n"
    assert User.objects.get(id=person.id).email == Form().email
    call_command("erase_person", Form().email.upper(), "--yes")
    assert columns_with(Form().email) == set()
    call_command("erase_person", str(person.id), "--yes")


def test_the_command_says_one_line_for_each_thing_that_stands_in_the_way() -> None:
    job, (worker,) = a_job_with_work()
    a_dispute(reviewed(submitted_work(job, worker), ReviewDecision.REJECT))

    for more in ([], ["--yes"]):
        with pytest.raises(CommandError) as refusal:
            call_command("erase_person", str(job.owner_id), *more)
        first, *lines = str(refusal.value).splitlines()
        assert first == "They cannot be erased yet."
        assert [line.partition(":")[0] for line in lines] == ["JOB_OPEN", "DISPUTE_OPEN"]


def test_the_command_knows_nobody_by_a_wrong_address() -> None:
    with pytest.raises(CommandError, match="There is no nobody@example"):
        call_command("erase_person", "nobody@example.org")
