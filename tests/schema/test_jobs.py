"""Jobs and applications as an API client meets them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import User
from backend.funding.models import Allocation, Funding
from backend.funding.status import FundingMode, FundingStatus
from backend.jobs import recruiting
from backend.jobs.endings import cancel_job
from backend.jobs.models import Job
from backend.jobs.status import ReviewDecision
from backend.jobs.work import begin_work
from backend.payments.models import HeldGrant, HeldGrantLine
from backend.payments.status import GrantScope, HeldGrantStatus
from tests.jobs.people import (
    NOON,
    a_dispute,
    a_draft,
    a_job,
    a_job_with_work,
    a_person,
    a_wallet,
    an_application,
    reviewed,
    submitted_work,
)
from tests.schema.client import code_of, data_of, execute
from tests.schema.world import a_funding, global_id

pytestmark = pytest.mark.django_db

# A well-formed key without a row; a fixed one, since parallel runs compare the tests' names.
NOBODY = UUID("01900000-0000-7000-8000-000000000000")

INPUT: dict[str, Any] = {
    "title": "Record ten sentences",
    "description": "Read ten sentences in Otomi.",
    "deliverables": ["AUDIO"],
    "reward": {"value": "2500", "assetCode": "USD", "assetScale": 2},
    "workersNeeded": 2,
    "languageTag": "OTO",
}
ERRORS = (
    "errors { __typename code message path retryable"
    " ... on InvalidTransitionError { from allowed } }"
)
CREATE = f"""
mutation ($input: JobInput!) {{ createJob(input: $input) {{
  job {{ id status title languageTag dialect deliverables workersNeeded recruitLimit submitDays
        reviewDays recruitUntil expiresAt closeRecruitingWhenFunded version allowedActions
        fundingAssurance owner {{ displayName }}
        reward {{ value assetCode assetScale }} totalBudget {{ value assetCode assetScale }} }}
  {ERRORS} }} }}
"""
PUBLISH = f"""
mutation ($id: ID!) {{ publishJob(input: {{jobId: $id}}) {{
  job {{ id status recruitUntil expiresAt allowedActions version }} {ERRORS} }} }}
"""
APPLY = f"""
mutation ($input: ApplyInput!) {{ applyToJob(input: $input) {{
  application {{ id status note job {{ id status }} applicant {{ displayName }}
                payoutWallet {{ id }} }} {ERRORS} }} }}
"""
DECIDE = f"""
mutation ($input: DecideApplicationsInput!) {{ decideApplications(input: $input) {{
  job {{ id }} applications {{ id status payoutWallet {{ id }} }} {ERRORS} }} }}
"""
SCREEN = """
query ($first: Int!) { jobs(first: $first) { totalCount edges { node {
  id title allowedActions fundingAssurance owner { displayName }
  applications(first: 3) { totalCount edges { node {
    id status applicant { displayName } payoutWallet { address } job { id } } } }
  payments(first: 3) { totalCount edges { node { id } } }
  fundings(first: 3) { totalCount edges { node { id } } } } } } }
"""


def id_of(row: Any) -> str:
    return global_id(type(row).__name__, row.id)


def run(query: str, user: User | None, field: str, **variables: Any) -> dict[str, Any]:
    payload: dict[str, Any] = data_of(execute(query, variables=variables, user=user))[field]
    return payload


# --- the way through


def test_a_job_goes_from_a_draft_to_a_selected_worker() -> None:
    owner, worker = a_person("owner"), a_person("worker")

    created = run(CREATE, owner, "createJob", input=INPUT)["job"]
    published = run(PUBLISH, owner, "publishJob", id=created["id"])["job"]
    applied = run(
        APPLY, worker, "applyToJob", input={"jobId": created["id"], "note": "I would love to."}
    )["application"]
    decided = run(
        DECIDE,
        owner,
        "decideApplications",
        input={"jobId": created["id"], "select": [applied["id"]]},
    )

    assert created == {
        "id": created["id"],
        "status": "DRAFT",
        "title": "Record ten sentences",
        "languageTag": "oto",
        "dialect": None,
        "deliverables": ["AUDIO"],
        "workersNeeded": 2,
        "recruitLimit": 10,
        "submitDays": 7,
        "reviewDays": 14,
        "recruitUntil": None,
        "expiresAt": None,
        "closeRecruitingWhenFunded": True,
        "version": 1,
        "allowedActions": ["EDIT", "PUBLISH", "DUPLICATE", "CANCEL"],
        "fundingAssurance": "NONE",
        "owner": {"displayName": "owner"},
        "reward": {"value": "2500", "assetCode": "USD", "assetScale": 2},
        "totalBudget": {"value": "5000", "assetCode": "USD", "assetScale": 2},
    }
    assert published == {
        "id": created["id"],
        "status": "RECRUITING",
        "recruitUntil": (NOON + timedelta(days=7)).isoformat(),
        "expiresAt": (NOON + timedelta(days=28)).isoformat(),
        "allowedActions": ["EDIT", "DUPLICATE", "EXTEND", "SELECT", "FUND", "CANCEL"],
        "version": 2,
    }
    assert applied == {
        "id": applied["id"],
        "status": "PENDING",
        "note": "I would love to.",
        "job": {"id": created["id"], "status": "RECRUITING"},
        "applicant": {"displayName": "worker"},
        "payoutWallet": {"id": global_id("Wallet", worker.wallet_addresses.get().id)},
    }
    assert decided == {
        "job": {"id": created["id"]},
        "applications": [{"id": applied["id"], "status": "SELECTED", "payoutWallet": None}],
        "errors": [],
    }


def test_nulls_in_the_input_mean_the_defaults() -> None:
    nulls = dict.fromkeys(
        ["dialect", "recruitLimit", "recruitUntil", "submitDays", "reviewDays", "expiresAt"]
    )

    job = run(
        CREATE,
        a_person(),
        "createJob",
        input={**INPUT, **nulls, "closeRecruitingWhenFunded": None},
    )["job"]

    assert (job["recruitLimit"], job["submitDays"], job["reviewDays"]) == (10, 7, 14)
    assert job["closeRecruitingWhenFunded"] is True


# --- refusals


def test_a_refusal_names_the_field_in_the_callers_spelling() -> None:
    result = run(
        CREATE, a_person(), "createJob", input={**INPUT, "recruitUntil": "2020-01-01T00:00:00Z"}
    )

    assert result["job"] is None
    assert [(each["code"], each["path"]) for each in result["errors"]] == [
        ("VALIDATION", ["recruitUntil"])
    ]
    assert not Job.objects.exists()


def test_a_time_without_its_offset_is_refused() -> None:
    result = run(
        CREATE, a_person(), "createJob", input={**INPUT, "recruitUntil": "2026-06-05T00:00:00"}
    )

    assert [(each["code"], each["path"]) for each in result["errors"]] == [
        ("VALIDATION", ["recruitUntil"])
    ]


@pytest.mark.parametrize(("reward", "workers"), [(2**63 - 1, 2), (2**63, 1), (2**64 - 1, 1000)])
def test_a_budget_above_what_is_kept_exactly_is_refused(reward: int, workers: int) -> None:
    money = {"value": str(reward), "assetCode": "USD", "assetScale": 2}

    result = run(
        CREATE,
        a_person(),
        "createJob",
        input={**INPUT, "reward": money, "workersNeeded": workers},
    )

    assert [(each["code"], each["path"]) for each in result["errors"]] == [
        ("AMOUNT_OUT_OF_RANGE", ["reward", "value"])
    ]


def test_publishing_twice_says_where_the_job_stands_and_can_go() -> None:
    job = a_job()

    result = run(PUBLISH, job.owner, "publishJob", id=id_of(job))

    assert result["job"] is None
    (error,) = result["errors"]
    assert error["__typename"] == "InvalidTransitionError"
    assert (error["code"], error["from"]) == ("INVALID_TRANSITION", "RECRUITING")
    assert error["allowed"] == ["CANCELED", "EXPIRED", "SELECTING"]


def test_publishing_without_a_wallet_says_what_is_missing() -> None:
    draft = a_draft(a_person(wallet=False))

    result = run(PUBLISH, draft.owner, "publishJob", id=id_of(draft))

    assert [each["code"] for each in result["errors"]] == ["WALLET_REQUIRED"]


def test_a_wallet_in_another_asset_is_refused_as_a_mismatch() -> None:
    job = a_job()

    result = run(APPLY, a_person(asset_code="MXN"), "applyToJob", input={"jobId": id_of(job)})

    assert [(each["__typename"], each["code"]) for each in result["errors"]] == [
        ("AssetMismatchError", "ASSET_MISMATCH")
    ]


def test_ones_own_job_is_not_for_applying_and_a_foreign_one_not_for_deciding() -> None:
    job = a_job()
    application = an_application(job)

    own = run(APPLY, job.owner, "applyToJob", input={"jobId": id_of(job)})
    foreign = run(
        DECIDE,
        a_person(),
        "decideApplications",
        input={"jobId": id_of(job), "select": [id_of(application)]},
    )

    assert [each["code"] for each in own["errors"]] == ["FORBIDDEN"]
    assert [each["code"] for each in foreign["errors"]] == ["FORBIDDEN"]


@pytest.mark.parametrize("id_", ["", "x", "☃", global_id("User", NOBODY), global_id("Job", NOBODY)])
def test_an_id_of_no_job_is_not_found_everywhere(id_: str) -> None:
    user = a_person()
    decision = {"jobId": id_, "select": [global_id("Application", NOBODY)]}

    results = [
        run(PUBLISH, user, "publishJob", id=id_),
        run(APPLY, user, "applyToJob", input={"jobId": id_}),
        run(DECIDE, user, "decideApplications", input=decision),
    ]

    for result in results:
        assert [(each["code"], each["path"]) for each in result["errors"]] == [
            ("NOT_FOUND", ["jobId"])
        ]


@pytest.mark.parametrize("id_", ["", "x", global_id("Job", NOBODY)])
def test_an_id_of_no_application_is_not_found(id_: str) -> None:
    job = a_job()

    result = run(
        DECIDE, job.owner, "decideApplications", input={"jobId": id_of(job), "reject": [id_]}
    )

    assert [each["code"] for each in result["errors"]] == ["NOT_FOUND"]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (CREATE, {"input": INPUT}),
        (PUBLISH, {"id": global_id("Job", NOBODY)}),
        (APPLY, {"input": {"jobId": global_id("Job", NOBODY)}}),
        (DECIDE, {"input": {"jobId": global_id("Job", NOBODY)}}),
    ],
)
def test_a_visitor_has_to_log_in_first(query: str, variables: dict[str, Any]) -> None:
    assert code_of(execute(query, variables=variables)) == "UNAUTHENTICATED"


# --- who sees what


def test_a_foreign_draft_does_not_exist() -> None:
    draft = a_draft()
    query = "query ($id: ID!) { job(id: $id) { title } node(id: $id) { id } }"

    foreign = data_of(execute(query, variables={"id": id_of(draft)}, user=a_person()))
    visitor = data_of(execute(query, variables={"id": id_of(draft)}))
    own = data_of(execute(query, variables={"id": id_of(draft)}, user=draft.owner))

    assert foreign == visitor == {"job": None, "node": None}
    assert own == {"job": {"title": draft.title}, "node": {"id": id_of(draft)}}


def test_applications_are_seen_by_the_owner_and_each_applicant_sees_their_own() -> None:
    job = a_job()
    first, second = an_application(job), an_application(job)
    query = """query ($id: ID!, $other: ID!) {
      job(id: $id) { applications(first: 10) { totalCount edges { node { id } } } }
      node(id: $other) { id } }"""

    def seen(user: User | None) -> tuple[list[str], bool]:
        data = data_of(
            execute(query, variables={"id": id_of(job), "other": id_of(second)}, user=user)
        )
        listed = data["job"]["applications"]
        assert listed["totalCount"] == len(listed["edges"])
        return [edge["node"]["id"] for edge in listed["edges"]], data["node"] is not None

    assert seen(job.owner) == ([id_of(second), id_of(first)], True)
    assert seen(first.applicant) == ([id_of(first)], False)
    assert seen(a_person()) == ([], False)
    assert seen(None) == ([], False)


def test_a_job_shows_the_dispute_about_its_work_with_amount_and_buttons() -> None:
    job, (worker,) = a_job_with_work()
    work = reviewed(submitted_work(job, worker), ReviewDecision.ACCEPT, value=1000)
    a_dispute(work)
    query = """query ($id: ID!) { job(id: $id) { submissions(first: 1) { edges { node {
      dispute { amount { value assetCode } allowedActions } } } } } }"""

    def seen(user: User) -> Any:
        result = execute(query, variables={"id": global_id("Job", job.id)}, user=user)
        (edge,) = data_of(result)["job"]["submissions"]["edges"]
        return edge["node"]["dispute"]

    amount = {"value": "1500", "assetCode": "USD"}
    assert seen(worker) == {"amount": amount, "allowedActions": ["WITHDRAW"]}
    assert seen(job.owner) == {"amount": amount, "allowedActions": ["RESPOND"]}


def test_applications_can_be_narrowed_by_status() -> None:
    job = a_job()
    selected, pending = an_application(job), an_application(job)
    recruiting.decide_applications(user=job.owner, job_id=job.id, select=[selected.id], now=NOON)
    query = """query ($id: ID!) { job(id: $id) {
      a: applications(first: 10, filter: {status: [SELECTED]}) { edges { node { id } } }
      b: applications(first: 10, filter: {status: [PENDING, REJECTED]}) { edges { node { id } } }
      c: applications(first: 10, filter: {status: []}) { totalCount } } }"""

    data = data_of(execute(query, variables={"id": id_of(job)}, user=job.owner))["job"]

    assert [edge["node"]["id"] for edge in data["a"]["edges"]] == [id_of(selected)]
    assert [edge["node"]["id"] for edge in data["b"]["edges"]] == [id_of(pending)]
    assert data["c"] == {"totalCount": 0}


def test_the_buttons_go_once_one_has_applied_or_money_stands_behind_the_job() -> None:
    job = a_job()
    application = an_application(job)
    query = "query ($id: ID!) { job(id: $id) { allowedActions fundingAssurance } }"

    def seen(user: User | None) -> dict[str, Any]:
        seen_job: dict[str, Any] = run(query, user, "job", id=id_of(job))
        return seen_job

    assert seen(a_person())["allowedActions"] == ["APPLY"]
    assert seen(application.applicant)["allowedActions"] == []
    assert "FUND" in seen(job.owner)["allowedActions"]
    funding = a_funding(job, FundingStatus.AWAITING_APPROVAL)
    assert seen(job.owner)["fundingAssurance"] == "NONE"
    assert "FUND" not in seen(job.owner)["allowedActions"]
    funding.move_to(FundingStatus.SETTLED, at=NOON, released_value=funding.total_value)
    assert seen(None) == {"allowedActions": [], "fundingAssurance": "PAID"}


def test_a_screen_of_jobs_costs_the_same_queries_for_three_as_for_twelve() -> None:
    owner = a_person("owner")

    def add(count: int) -> None:
        for _ in range(count):
            job = a_job(owner)
            an_application(job)
            an_application(job)
            a_funding(job, FundingStatus.AWAITING_APPROVAL)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            data = data_of(execute(SCREEN, variables={"first": 12}, user=owner))
        assert len(data["jobs"]["edges"]) == Job.objects.count()
        assert all(
            edge["node"]["applications"]["totalCount"] == 2
            and edge["node"]["fundings"]["totalCount"] == 1
            for edge in data["jobs"]["edges"]
        )
        return len(captured)

    add(3)
    for_three = queries()
    add(9)
    for_twelve = queries()

    assert for_twelve == for_three <= 18


MINE = """query ($first: Int!, $after: String, $filter: ApplicationFilter) {
  myApplications(first: $first, after: $after, filter: $filter) {
    totalCount pageInfo { hasNextPage endCursor }
    edges { node { status applicant { id } job { title status } allocation { status } } } } }"""


def mine(user: User | None, first: int = 20, **variables: Any) -> dict[str, Any]:
    answer = execute(MINE, variables={"first": first, **variables}, user=user)
    page: dict[str, Any] = data_of(answer)["myApplications"]
    return page


def titles_of(page: dict[str, Any]) -> list[str]:
    return [edge["node"]["job"]["title"] for edge in page["edges"]]


def test_a_worker_finds_what_they_applied_for_whatever_became_of_the_job() -> None:
    owner, worker = a_person("ana"), a_person("beto")
    for title in ("canceled", "recruiting", "waiting"):
        an_application(a_job(owner, title=title), worker)
    an_application(a_job(worker, title="to me"), owner)
    an_application(a_job(owner, title="of another"))
    working = a_job(owner, title="working")
    chosen = an_application(working, worker)
    recruiting.decide_applications(user=owner, job_id=working.id, select=[chosen.id], now=NOON)
    begin_work(job=working, at=NOON)
    canceled = Job.objects.get(title="canceled")
    cancel_job(user=owner, job_id=canceled.id, reason="No time.", now=NOON)

    found = mine(worker)
    selected = mine(worker, filter={"status": ["SELECTED"]})

    assert titles_of(found) == ["working", "waiting", "recruiting", "canceled"]
    assert found["totalCount"] == 4
    assert titles_of(selected) == ["working"]
    assert titles_of(mine(owner)) == ["to me"]


def test_an_operator_sees_the_applications_of_their_own_there_and_a_visitor_none() -> None:
    an_application(a_job(), a_person())

    assert mine(a_person(is_staff=True))["edges"] == mine(None)["edges"] == []


def test_ones_own_applications_are_paged_and_a_cursor_is_of_its_filter() -> None:
    worker = a_person("beto")
    for number in range(3):
        an_application(a_job(title=f"number {number}"), worker)

    page = mine(worker, first=2)
    cursor = page["pageInfo"]["endCursor"]

    assert (titles_of(page), page["totalCount"]) == (["number 2", "number 1"], 3)
    assert titles_of(mine(worker, after=cursor)) == ["number 0"]
    given = {"first": 2, "after": cursor, "filter": {"status": ["PENDING"]}}
    assert code_of(execute(MINE, variables=given, user=worker)) == "BAD_CURSOR"


def test_ones_own_applications_take_the_same_statements_however_many_they_are() -> None:
    worker = a_person("beto")
    counts = []
    for _ in range(2):
        for _ in range(5):
            an_application(a_job(), worker)
        with CaptureQueriesContext(connection) as captured:
            mine(worker)
        counts.append(len(captured))

    assert counts[0] == counts[1] <= 6


ESTIMATE = """query ($id: ID!) { job(id: $id) { applications(first: 5) { edges { node {
  allocation { amount { value } estimatedReceive { value assetCode assetScale } } } } } } }"""


def test_a_worker_sees_what_their_pay_may_make_where_what_is_sent_is_fixed() -> None:
    job, (worker,) = a_job_with_work()
    funding = a_funding(job, FundingStatus.SECURED)
    application = job.applications.select_related("payout_wallet").get()
    Allocation.objects.create(
        funding=funding, application=application, amount_value=2500, created_at=NOON
    )
    consents = [
        HeldGrant.objects.create(
            reference=funding.id,
            payer=job.owner,
            sender=a_wallet(job.owner, is_default=False),
            scope=GrantScope.POOLED,
            status=HeldGrantStatus.HELD,
            starts_at=NOON,
            ends_at=NOON + timedelta(days=30),
            created_at=NOON,
            updated_at=NOON,
            deadline_at=NOON,
        )
        for _ in range(3)
    ]
    given = {"id": global_id("Job", job.id)}
    before = the_estimate(run(ESTIMATE, worker, "job", **given))
    # The last one could not be quoted.
    for consent, quoted in zip(consents, (21_000, 20_001, None), strict=True):
        HeldGrantLine.objects.create(
            held_grant=consent,
            receiver=application.payout_wallet,
            send_value=1250,
            quoted_receive_value=quoted,
        )

    seen = the_estimate(run(ESTIMATE, worker, "job", **given))

    code, scale = application.payout_wallet.asset
    assert before is None
    assert seen == {"value": "40002", "assetCode": code, "assetScale": scale}


def the_estimate(job: Any) -> Any:
    return job["applications"]["edges"][0]["node"]["allocation"]["estimatedReceive"]


UNTIL = """query ($id: ID!) { job(id: $id) { fundingAssurance authorizedUntil
  applications(first: 5) { edges { node { allocation { status validUntil } } } } } }"""


def test_a_worker_sees_until_when_their_pay_is_authorized() -> None:
    job, (worker,) = a_job_with_work()
    wallet = a_wallet(job.owner, is_default=False)
    funding = a_funding(job, FundingStatus.SECURED)
    Funding.objects.update(mode=FundingMode.PREAPPROVED, payer_wallet=wallet)
    Allocation.objects.create(
        funding=funding, application=job.applications.get(), amount_value=2500, created_at=NOON
    )
    for days, status in ((3, HeldGrantStatus.REVOKED), (30, HeldGrantStatus.HELD)):
        HeldGrant.objects.create(
            reference=funding.id,
            payer=job.owner,
            sender=wallet,
            scope=GrantScope.POOLED,
            status=status,
            starts_at=NOON,
            ends_at=NOON + timedelta(days=days),
            created_at=NOON,
            updated_at=NOON,
            deadline_at=NOON,
        )
    given = {"id": global_id("Job", job.id)}

    seen = run(UNTIL, worker, "job", **given)
    publicly = run(UNTIL, None, "job", **given)
    Funding.objects.update(status=FundingStatus.LAPSED)
    HeldGrant.objects.update(status=HeldGrantStatus.EXPIRED)
    lapsed = run(UNTIL, worker, "job", **given)

    until = (NOON + timedelta(days=30)).isoformat()
    assert seen["applications"]["edges"][0]["node"]["allocation"] == {
        "status": "RESERVED",
        "validUntil": until,
    }
    assert (seen["fundingAssurance"], seen["authorizedUntil"]) == ("AUTHORIZED", until)
    assert (publicly["authorizedUntil"], publicly["applications"]["edges"]) == (until, [])
    assert (lapsed["fundingAssurance"], lapsed["authorizedUntil"]) == ("NONE", None)
    assert lapsed["applications"]["edges"][0]["node"]["allocation"]["validUntil"] is None
