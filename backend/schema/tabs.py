"""What GraphiQL opens with: the first minutes with this API, ready to run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.schema.graphiql import Tab


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Two people and a job that waits for its money: what `make up` has made to try things on.

    `total_budget` is an AmountInput; the key is for one funding of this job. `apply_to` is a job
    that recruits, `work_on` one that the worker is selected for. `draft`, `submitted` and
    `rejected` are work of theirs.
    """

    funder_token: str
    worker_token: str
    job_id: str
    total_budget: Mapping[str, object]
    idempotency_key: str
    review_key: str
    apply_to: str
    work_on: str
    draft: str
    submitted: str
    rejected: str


def read_example(report: Path) -> Example | None:
    """Return the example in a report of `make up`; None without a report, or in another form."""
    try:
        world = json.loads(report.read_text(encoding="utf-8"))
        return Example(
            funder_token=world["users"]["funder"]["token"],
            worker_token=world["users"]["worker"]["token"],
            job_id=world["example"]["jobId"],
            total_budget=world["example"]["totalBudget"],
            idempotency_key=world["example"]["idempotencyKey"],
            review_key=world["example"]["reviewKey"],
            apply_to=world["example"]["applyTo"],
            work_on=world["example"]["workOn"],
            draft=world["example"]["work"]["draft"],
            submitted=world["example"]["work"]["submitted"],
            rejected=world["example"]["work"]["rejected"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def tabs(example: Example | None, *, return_url: str) -> tuple[Tab, ...]:
    """Return the tabs in the order to run them: with the tokens and ids of `example`.

    None gives the way from an account of one's own to a paid job, and says where a token and an id
    belong. `return_url` is where the wallet sends its payer back to.
    """
    if example is None:
        return _with_ones_own_account(return_url)
    funder, worker = _bearer(example.funder_token), _bearer(example.worker_token)
    decision = {
        "jobId": example.job_id,
        "expectedTotal": example.total_budget,
        "returnUrl": return_url,
        "idempotencyKey": example.idempotency_key,
    }
    return (
        _HEALTH,
        Tab(query=_WHO_AM_I, headers=funder),
        Tab(query=_POST_JOB, variables={"input": _NEW_JOB}, headers=funder),
        Tab(query=_JOB_PAGE, variables={"id": example.job_id}, headers=funder),
        Tab(query=_FUND_JOB, variables={"input": decision}, headers=funder),
        Tab(query=_WATCH, headers=funder),
        Tab(query=_WORKER_PAGE, variables={"id": example.job_id}, headers=worker),
        *_from_application_to_dispute(example, funder=funder, worker=worker),
        _SIGN_UP,
    )


def _with_ones_own_account(return_url: str) -> tuple[Tab, ...]:
    me = _bearer("<token>")
    wallet = {"address": "<wallet address>", "makeDefault": True}
    decision = {"jobId": _JOB_ID, "returnUrl": return_url, "idempotencyKey": _FIRST_KEY}
    return (
        _HEALTH,
        _SIGN_UP,
        Tab(query=_WHO_AM_I, headers=me),
        Tab(query=_ADD_WALLET, variables={"input": wallet}, headers=me),
        Tab(query=_POST_JOB, variables={"input": _NEW_JOB}, headers=me),
        Tab(query=_PUBLISH_JOB, variables={"id": _JOB_ID}, headers=me),
        Tab(query=_FUND_JOB, variables={"input": decision}, headers=me),
        Tab(query=_WATCH, headers=me),
    )


def _from_application_to_dispute(
    example: Example, *, funder: Mapping[str, str], worker: Mapping[str, str]
) -> tuple[Tab, ...]:
    work = {"jobId": example.work_on, "text": _TRANSLATION}
    part = {
        "submissionId": example.submitted,
        "decision": "ACCEPT",
        "amount": {**example.total_budget, "value": "2500"},
        "comment": "The sounds are missing.",
        "idempotencyKey": example.review_key,
    }
    claim = {
        "submissionId": example.rejected,
        "reason": "The list of names came after I had handed in.",
    }
    apply = {"jobId": example.apply_to, "note": "I greet half of the village every morning."}
    return (
        Tab(query=_FIND_WORK, variables={"filter": _WANTED}, headers=worker),
        Tab(query=_APPLY, variables={"input": apply}, headers=worker),
        Tab(query=_APPLICANTS, variables={"id": example.apply_to}, headers=funder),
        Tab(query=_SAVE_WORK, variables={"input": work}, headers=worker),
        Tab(query=_SUBMIT_WORK, variables={"id": example.draft}, headers=worker),
        Tab(query=_REVIEW, variables={"input": part}, headers=funder),
        Tab(query=_DISPUTE, variables={"input": claim}, headers=worker),
    )


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


_HEALTH = Tab(
    query="""\
# Is everything there? Press the play button.
query Health {
  health {
    status
    checks { name ok latencyMs }
  }
}
"""
)

_SIGN_UP = Tab(
    query="""\
# An account of your own. Its token goes into the
# Headers pane of other tabs:
# {"Authorization": "Bearer <token>"}
mutation SignUp($input: SignUpInput!) {
  signUp(input: $input) {
    token
    user { id displayName }
    errors { code message path }
  }
}
""",
    variables={
        "input": {
            "email": "ada@example.com",
            "password": "correct horse battery",
            "displayName": "Ada",
        }
    },
)

_WHO_AM_I = """\
# You are whose token is in the Headers pane.
query WhoAmI {
  viewer {
    displayName
    email
    defaultWallet { address publicName assetCode assetScale }
  }
}
"""

_JOB_ID = "<id of the job>"

# The same in every page: another one would be other tabs, and take away what was typed into these.
_FIRST_KEY = "5f0c1f5e-8f55-4f0e-9a53-0d6a5a3f6c11"

_ADD_WALLET = """\
# All that is asked for is its address: put it into
# the Variables pane. The sandbox wallet's first page
# lists its own; /alice has dollars to spend.
mutation AddWallet($input: AddWalletInput!) {
  addWallet(input: $input) {
    wallet { address publicName assetCode assetScale }
    errors { code message path }
  }
}
"""

_PUBLISH_JOB = """\
# Put the id that PostJob gave into the Variables
# pane, here and in FundJob.
mutation PublishJob($id: ID!) {
  publishJob(input: { jobId: $id }) {
    job { status recruitUntil allowedActions }
    errors { code message path }
  }
}
"""

_POST_JOB = """\
# A draft, seen by nobody else until publishJob.
# allowedActions are the buttons to show.
mutation PostJob($input: JobInput!) {
  createJob(input: $input) {
    job {
      id
      status
      allowedActions
      totalBudget { value assetCode assetScale }
    }
    errors { code message path }
  }
}
"""

_NEW_JOB = {
    "title": "Record ten proverbs in Nahuatl",
    "description": "Spoken as at home, each with a sentence on when one says it.",
    "deliverables": ["AUDIO"],
    "languageTag": "nah",
    "reward": {"value": "800", "assetCode": "USD", "assetScale": 2},
    "workersNeeded": 1,
}

_JOB_PAGE = """\
# Another job: published, a worker is selected.
# Run this again when it is paid.
query JobPage($id: ID!) {
  job(id: $id) {
    title
    status
    fundingAssurance
    allowedActions
    totalBudget { value assetCode assetScale }
    applications(first: 10) {
      edges { node { status note applicant { displayName } } }
    }
    fundings(first: 10) {
      edges { node { status payments { id status } } }
    }
  }
}
"""

_FUND_JOB = """\
# Answers at once. Copy the payment's id for Watch.
#
# Run it twice: the same idempotencyKey gives the
# same funding. To decide again after saying no
# at the wallet, change it in the Variables pane.
mutation FundJob($input: FundJobInput!) {
  fundJob(input: $input) {
    funding {
      status
      payments { id status }
    }
    errors { code message path }
  }
}
"""

_WATCH = """\
# 1. Paste the payment's id over PAYMENT_ID; run.
# 2. Open redirectUrl in a new browser tab.
# 3. Approve there, and see COMPLETED here.
#
# $after is the cursor of the last event one saw.
subscription Watch($after: EventCursor) {
  paymentStatus(
    paymentId: "PAYMENT_ID"
    after: $after
  ) {
    status
    previous
    terminal
    cursor
    payment {
      grant { redirectUrl }
      deliveredAmount { value assetCode assetScale }
      failure { code message }
    }
  }
}
"""

_WORKER_PAGE = """\
# The same job with the worker's token: their own
# application, and whether the money has arrived.
query WorkerPage($id: ID!) {
  job(id: $id) {
    title
    status
    fundingAssurance
    allowedActions
    applications(first: 10) {
      edges { node { status note payoutWallet { address } } }
    }
  }
}
"""

_FIND_WORK = """\
# Everything that recruits, for what you speak and
# want to do. Continue with `after: endCursor`.
query FindWork($filter: JobFilter!, $after: String) {
  jobs(first: 20, after: $after, filter: $filter) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges {
      node {
        id
        title
        languageTag
        reward { value assetCode assetScale }
        fundingAssurance
        recruitUntil
        allowedActions
      }
    }
  }
}
"""

_WANTED = {"status": ["RECRUITING"], "hideApplied": True}

_APPLY = """\
# With the worker's default wallet. Run it twice,
# and a second application is refused, as data.
mutation Apply($input: ApplyInput!) {
  applyToJob(input: $input) {
    application {
      id
      status
      allowedActions
      payoutWallet { address assetCode }
    }
    errors { code message path }
  }
}
"""

_APPLICANTS = """\
# The owner's view of it: who applies, and the
# buttons that belong beside each of them.
query Applicants($id: ID!) {
  job(id: $id) {
    title
    status
    allowedActions
    applications(first: 50) {
      totalCount
      edges {
        node {
          id
          status
          note
          allowedActions
          applicant { displayName languages bio }
        }
      }
    }
  }
}
"""

_TRANSLATION = "1. Fiebre kaptin, ñawpaqta yakuta upyachiy…"

_SAVE_WORK = """\
# Another job, whose work has begun. A draft is only
# its worker's; saving it again replaces it.
mutation SaveWork($input: SaveSubmissionInput!) {
  saveSubmission(input: $input) {
    submission { id revision status text allowedActions }
    errors { code message path }
  }
}
"""

_SUBMIT_WORK = """\
# From now on the owner has until reviewBy: after
# that, silence accepts it.
mutation SubmitWork($id: ID!) {
  submitWork(input: { submissionId: $id }) {
    submission {
      status
      submittedAt
      reviewBy
      job { title status }
    }
    errors { code message path }
  }
}
"""

_REVIEW = """\
# The owner again, on work for a third job: accepted
# in part. The worker can dispute the rest.
mutation Review($input: ReviewSubmissionInput!) {
  reviewSubmission(input: $input) {
    submission {
      status
      reward { value assetCode assetScale }
      accepted { value assetCode assetScale }
      disputeUntil
      worker { displayName }
    }
    errors { code message path }
  }
}
"""

_DISPUTE = """\
# Work that was rejected. The owner has 5 days to
# answer; silence decides for the worker.
mutation Dispute($input: OpenDisputeInput!) {
  openDispute(input: $input) {
    dispute {
      status
      amount { value assetCode assetScale }
      answerBy
      allowedActions
    }
    errors { code message path }
  }
}
"""
