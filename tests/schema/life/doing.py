"""How each allowed action is done: the mutation that a client sends for it."""

from typing import Any
from uuid import UUID

from backend.ids import new_id
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.schema.nodes import decode_any_id
from tests.schema.world import global_id

Mutation = tuple[str, str, dict[str, Any]]
REVIEWS = {"ACCEPT", "REQUEST_CHANGES", "REJECT"}
# What these offer is done with the applications, or the submissions, themselves.
SAID_BY_PARTS = {("Job", "SELECT"), ("Job", "REVIEW")}
_DECISIONS = {"SELECT": "select", "REJECT": "reject", "RESET": "reset"}
_ON_JOBS = {
    "PUBLISH": "publishJob",
    "DUPLICATE": "duplicateJob",
    "CLOSE_RECRUITING": "closeRecruiting",
    "COMPLETE": "completeJob",
}
_USD = {"assetCode": "USD", "assetScale": 2}


def key_of(id_: str) -> UUID:
    return decode_any_id(id_, path=())[1]


def mutation_for(kind: str, id_: str, action: str, *, luck: int, later: str) -> Mutation:
    """The mutation's name, its input's type, and the input."""
    if kind == "Job":
        return _with_job(id_, action, luck, later)
    if kind == "Application":
        return _with_application(id_, action)
    if kind == "Submission":
        return _with_submission(id_, action, luck)
    return _with_dispute(id_, action, luck)


def a_job(luck: int) -> dict[str, Any]:
    """A job for one or two workers, with or without the shortest recruiting."""
    workers = luck % 2 + 1
    return {
        "title": "Ten sentences",
        "description": "Write ten sentences in Otomi.",
        "deliverables": ["TEXT"],
        "reward": {"value": "2500", **_USD},
        "workersNeeded": workers,
        "recruitLimit": max(workers, luck % 5),
        "closeRecruitingWhenFunded": luck % 3 == 0,
    }


def _with_job(id_: str, action: str, luck: int, later: str) -> Mutation:
    if action in _ON_JOBS:
        return _ON_JOBS[action], "JobIdInput", {"jobId": id_}
    if action == "EDIT":
        return "updateJob", "UpdateJobInput", {"jobId": id_, **_edited(id_, luck)}
    name, type_name, values = {
        "APPLY": ("applyToJob", "ApplyInput", {"note": "I would love to."}),
        "REOPEN": ("reopenRecruiting", "ReopenRecruitingInput", {"recruitUntil": later}),
        "EXTEND": ("extendJob", "ExtendJobInput", {"expiresAt": later}),
        "SUBMIT": ("saveSubmission", "SaveSubmissionInput", {"text": f"Sentence {luck}."}),
        "PRE_FUND": (
            "preFundJob",
            "PreFundJobInput",
            {"returnUrl": "http://127.0.0.1:8000/", "idempotencyKey": str(new_id())},
        ),
        "CANCEL": ("cancelJob", "CancelJobInput", {"reason": "No longer needed."}),
    }[action]
    return name, type_name, {"jobId": id_, **values}


def _edited(id_: str, luck: int) -> dict[str, Any]:
    row = Job.objects.get(id=key_of(id_))
    job = {
        **a_job(row.workers_needed - 1),
        "title": f"Sentences, {luck}",
        "recruitLimit": row.recruit_limit,
        "closeRecruitingWhenFunded": row.close_recruiting_when_funded,
    }
    return {"job": job, "expectedVersion": row.version}


def _with_application(id_: str, action: str) -> Mutation:
    if action == "WITHDRAW":
        return "withdrawApplication", "ApplicationIdInput", {"applicationId": id_}
    job_id = Application.objects.values_list("job_id", flat=True).get(id=key_of(id_))
    values = {"jobId": global_id("Job", job_id), _DECISIONS[action]: [id_]}
    return "decideApplications", "DecideApplicationsInput", values


def _with_submission(id_: str, action: str, luck: int) -> Mutation:
    if action in REVIEWS:
        values: dict[str, Any] = {
            "submissionId": id_,
            "decision": action,
            "comment": "Thank you.",
            "idempotencyKey": str(new_id()),
        }
        row = Submission.objects.get(id=key_of(id_))
        if action == "ACCEPT" and luck % 2 and row.status != "DISPUTED":
            values["amount"] = {"value": str(min(luck, max(row.rest, 1))), **_USD}
        return "reviewSubmission", "ReviewSubmissionInput", values
    if action == "EDIT":
        job_id = Submission.objects.values_list("job_id", flat=True).get(id=key_of(id_))
        values = {"jobId": global_id("Job", job_id), "text": f"{luck}"}
        return "saveSubmission", "SaveSubmissionInput", values
    if action == "DISPUTE":
        values = {"submissionId": id_, "reason": "I did what was asked."}
        return "openDispute", "OpenDisputeInput", values
    name = {"SUBMIT": "submitWork", "ACKNOWLEDGE": "acknowledgeDecision"}[action]
    return name, "SubmissionIdInput", {"submissionId": id_}


def _with_dispute(id_: str, action: str, luck: int) -> Mutation:
    values: dict[str, Any] = {"disputeId": id_}
    if action == "RESPOND":
        return "respondToDispute", "RespondToDisputeInput", {**values, "response": "No."}
    if action == "RESOLVE":
        amount = Dispute.objects.values_list("amount_value", flat=True).get(id=key_of(id_))
        # Now and then one side gets everything.
        worker = {0: 0, 1: amount}.get(luck % 6, luck % (amount + 1))
        values |= {
            "workerShare": {"value": str(worker), **_USD},
            "payerShare": {"value": str(amount - worker), **_USD},
            "note": "Both have a point.",
            "idempotencyKey": str(new_id()),
        }
        return "resolveDispute", "ResolveDisputeInput", values
    name = {"ESCALATE": "escalateDispute", "WITHDRAW": "withdrawDispute"}[action]
    return name, "DisputeIdInput", values
