"""The second half of `make demo`: two workers, two currencies, work accepted in part, a refund.

The platform's treasury keeps the pay while the work is done. One worker is paid in full, the
other, who lives with another currency, for a part; what is left goes back to the payer.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.api import Api, Refused
from tools.world import FUNDER, OPERATOR, SECOND_WORKER, WORKER, World

RETURN_URL = "http://localhost:5173/jobs/funded"
USD = {"assetCode": "USD", "assetScale": 2}
REWARD = {"value": "1250", **USD}
TOTAL = {"value": "2500", **USD}
PART = {"value": "500", **USD}
# Of the two workers together.
PAID = "1750"
MONTHLY = {"value": "1000000", **USD}
PATIENCE_SECONDS = 15.0

AUTHORIZE = """
mutation ($input: AuthorizeTreasuryInput!) {
  authorizeTreasury(input: $input) { asked errors { code message } }
}"""
CONSENTS = """
{ treasuryGrants { status redirectUrl maxDebit { value assetCode assetScale } } }"""
CREATE_JOB = """
mutation ($input: JobInput!) {
  createJob(input: $input) { job { id pricing } errors { code message } }
}"""
PUBLISH = """
mutation ($input: JobIdInput!) {
  publishJob(input: $input) { job { status } errors { code message } }
}"""
APPLY = """
mutation ($input: ApplyInput!) {
  applyToJob(input: $input) { application { id status } errors { code message } }
}"""
DECIDE = """
mutation ($input: DecideApplicationsInput!) {
  decideApplications(input: $input) { applications { status } errors { code message } }
}"""
PRE_FUND = """
mutation ($input: PreFundJobInput!) {
  preFundJob(input: $input) { funding { id mode status } errors { code message } }
}"""
FUNDING_STATUS = """
subscription ($id: ID!) {
  fundingStatus(fundingId: $id) {
    status terminal
    funding {
      released { value assetCode assetScale } refunded { value assetCode assetScale }
      grants { redirectUrl } job { status fundingAssurance }
    }
  }
}"""
SAVE = """
mutation ($input: SaveSubmissionInput!) {
  saveSubmission(input: $input) { submission { id } errors { code message } }
}"""
SUBMIT = """
mutation ($input: SubmissionIdInput!) {
  submitWork(input: $input) { submission { id status } errors { code message } }
}"""
REVIEW = """
mutation ($input: ReviewSubmissionInput!) {
  reviewSubmission(input: $input) { submission { status } errors { code message } }
}"""
ACKNOWLEDGE = """
mutation ($input: SubmissionIdInput!) {
  acknowledgeDecision(input: $input) { submission { status } errors { code message } }
}"""
COMPLETE = """
mutation ($input: JobIdInput!) {
  completeJob(input: $input) { job { status } errors { code message } }
}"""
FUNDING = """
query ($id: ID!) {
  funding(id: $id) {
    status job { status } released { value } refunded { value assetCode assetScale }
    payments {
      purpose status
      debitAmount { value assetCode assetScale } deliveredAmount { value assetCode assetScale }
    }
  }
}"""


@dataclass(slots=True)
class Story:
    """What came of it, as the last line says it."""

    job_status: str | None = None
    funding_status: str | None = None
    paid: list[dict[str, Any]] = field(default_factory=list)
    refunded: dict[str, Any] | None = None

    @property
    def ended_well(self) -> bool:
        """Whether both were paid, one of them in another currency, and the rest has gone back."""
        return (
            (self.job_status, self.funding_status) == ("COMPLETE", "SETTLED")
            and {each["assetCode"] for each in self.paid} == {"USD", "MXN"}
            and self.refunded is not None
            and self.refunded["value"] == "750"
        )


def play(
    world: World,
    story: Story,
    *,
    visitor: Api,
    say: Callable[..., None],
    approve: Callable[[str], None],
) -> None:
    """Play it with the people of `world`; `say` names the operations that follow."""
    operator = visitor.as_user(world.person(OPERATOR, api=visitor, quiet=True).token)
    funder = visitor.as_user(world.person(FUNDER, api=visitor, quiet=True).token)
    workers = [
        visitor.as_user(world.person(role, api=visitor, quiet=True).token)
        for role in (WORKER, SECOND_WORKER)
    ]
    _open_treasury(operator, say=say, approve=approve)
    job_id = _staffed_job(funder, workers, say=say)
    funding_id = _pre_fund(funder, job_id, say=say)
    say("They follow the money over a WebSocket")
    _follow(funder.subscribe(FUNDING_STATUS, id=funding_id), funder, workers, job_id, say, approve)
    say("What became of the money")
    funding = funder.run(FUNDING, id=funding_id)
    story.job_status, story.funding_status = funding["job"]["status"], funding["status"]
    story.refunded = funding["refunded"]
    story.paid = [
        payment["deliveredAmount"]
        for payment in funding["payments"]
        if (payment["purpose"], payment["status"]) == ("PAYOUT", "COMPLETED")
    ]


def _open_treasury(
    operator: Api, *, say: Callable[..., None], approve: Callable[[str], None]
) -> None:
    request = {"limit": MONTHLY, "returnUrl": RETURN_URL, "idempotencyKey": str(uuid.uuid4())}
    say("The operator asks for the consent to pay out of the treasury, so much a month")
    _patiently(lambda: operator.run(AUTHORIZE, input=request), while_code="MODE_UNAVAILABLE")
    quiet = operator.silently()
    approve(_until(lambda: _redirect(quiet.run(CONSENTS))))
    say("and approves it at the treasury's wallet")
    operator.run(CONSENTS)


def _redirect(grants: list[dict[str, Any]]) -> str | None:
    return grants[0]["redirectUrl"] if grants else None


def _staffed_job(funder: Api, workers: list[Api], *, say: Callable[..., None]) -> str:
    say("The funder describes a job that sends a fixed sum, whatever the workers' currency")
    job_id: str = funder.run(
        CREATE_JOB,
        input={
            "title": "Record twenty proverbs",
            "description": "In your own language, with a word on when one says them.",
            "deliverables": ["TEXT"],
            "reward": REWARD,
            "workersNeeded": 2,
            "pricing": "FIXED_SEND",
        },
    )["job"]["id"]
    say("publishes it", "A worker applies", "and another one", "Both are selected")
    funder.run(PUBLISH, input={"jobId": job_id})
    applied = [each.run(APPLY, input={"jobId": job_id}) for each in workers]
    chosen = [each["application"]["id"] for each in applied]
    funder.run(DECIDE, input={"jobId": job_id, "select": chosen})
    return job_id


def _pre_fund(funder: Api, job_id: str, *, say: Callable[..., None]) -> str:
    request = {
        "jobId": job_id,
        "mode": "ESCROW",
        "expectedTotal": TOTAL,
        "returnUrl": RETURN_URL,
        "idempotencyKey": str(uuid.uuid4()),
    }
    say("The funder secures their pay")
    made = _patiently(lambda: funder.run(PRE_FUND, input=request), while_code="MODE_UNAVAILABLE")
    funding_id: str = made["funding"]["id"]
    return funding_id


def _follow(
    events: Iterator[dict[str, Any]],
    funder: Api,
    workers: list[Api],
    job_id: str,
    say: Callable[..., None],
    approve: Callable[[str], None],
) -> None:
    """Do what is next whenever the money has moved, until nothing of it is left to move."""
    approved = worked = completed = False
    for event in events:
        funding = event["funding"]
        redirect = funding["grants"][0]["redirectUrl"] if funding["grants"] else None
        released, refunded = as_money(funding["released"]), as_money(funding["refunded"])
        print(f"    {event['status']:20} released {released}, refunded {refunded}")
        if redirect and not approved:
            approved = True
            approve(redirect)
        if funding["job"]["status"] == "SUBMITTING" and not worked:
            worked = True
            _work(funder, workers, job_id, say=say)
        if funding["released"]["value"] == PAID and not completed:
            completed = True
            say("All work is decided and paid: the job is over, and the rest goes back")
            funder.run(COMPLETE, input={"jobId": job_id})
        if event["terminal"]:
            return


def _work(funder: Api, workers: list[Api], job_id: str, *, say: Callable[..., None]) -> None:
    say("The first worker drafts the work", "and hands it in", "The second", "does too")
    handed_in = [_hand_in(each, job_id) for each in workers]
    say(
        "The funder accepts the first in full",
        "and a part of the second",
        "whose worker is content with that",
    )
    for submission_id, amount in zip(handed_in, (None, PART), strict=True):
        funder.run(
            REVIEW,
            input={
                "submissionId": submission_id,
                "decision": "ACCEPT",
                "idempotencyKey": str(uuid.uuid4()),
                **({"amount": amount} if amount else {}),
            },
        )
    workers[1].run(ACKNOWLEDGE, input={"submissionId": handed_in[1]})


def _hand_in(worker: Api, job_id: str) -> str:
    draft = worker.run(SAVE, input={"jobId": job_id, "text": "Twenty proverbs, one a line."})
    submission_id: str = draft["submission"]["id"]
    worker.run(SUBMIT, input={"submissionId": submission_id})
    return submission_id


def _patiently(ask: Callable[[], Any], *, while_code: str) -> Any:
    patience = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except Refused as error:
            # A server this young may still be reading the treasury's wallet, or its consent.
            if error.code != while_code or time.monotonic() > patience:
                raise
            time.sleep(0.5)


def _until(look: Callable[[], str | None]) -> str:
    patience = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < patience:
        if found := look():
            return found
        time.sleep(0.2)
    raise TimeoutError("the treasury's wallet was not asked in time")


def as_money(amount: Mapping[str, Any]) -> str:
    """An Amount as people write it."""
    whole, part = divmod(int(amount["value"]), 10 ** amount["assetScale"])
    return f"{whole}.{part:0{amount['assetScale']}} {amount['assetCode']}"
