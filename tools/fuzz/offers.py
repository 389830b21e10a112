"""What somebody may do at the moment, as `allowedActions` says: so that many go through."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from graphql import EnumValueNode

QUERY = """
query {
  newest: jobs(first: 6) { ...Page }
  choosing: jobs(first: 6, filter: { status: [RECRUITING, SELECTING] }) { ...Page }
  working: jobs(first: 10, filter: { status: [SUBMITTING, REVIEWING] }) { ...Page }
}
fragment Page on JobConnection {
  edges {
    node {
      id version allowedActions
      applications(first: 6) { edges { node { id allowedActions } } }
      submissions(first: 6) {
        edges {
          node {
            id allowedActions
            dispute { id allowedActions amount { value assetCode assetScale } }
          }
        }
      }
    }
  }
}
"""
OF_JOB = {
    "EDIT": "updateJob",
    "PUBLISH": "publishJob",
    "DUPLICATE": "duplicateJob",
    "APPLY": "applyToJob",
    "CLOSE_RECRUITING": "closeRecruiting",
    "REOPEN": "reopenRecruiting",
    "EXTEND": "extendJob",
    "FUND": "fundJob",
    "PRE_FUND": "preFundJob",
    "SUBMIT": "saveSubmission",
    "COMPLETE": "completeJob",
    # CANCEL is hit often enough by chance, and ends what others could have gone on with.
}
OF_SUBMISSION = {
    "SUBMIT": "submitWork",
    "ACCEPT": "reviewSubmission",
    "REQUEST_CHANGES": "reviewSubmission",
    "REJECT": "reviewSubmission",
    "ACKNOWLEDGE": "acknowledgeDecision",
    "DISPUTE": "openDispute",
}
OF_DISPUTE = {
    "RESPOND": "respondToDispute",
    "ESCALATE": "escalateDispute",
    "WITHDRAW": "withdrawDispute",
    "RESOLVE": "resolveDispute",
}
SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A mutation that would go through: who sends it, and with which values in its input."""

    authorization: str
    values: Mapping[str, Any]


def read_offers(url: str, authorizations: Iterable[str]) -> Mapping[str, Sequence[Offer]]:
    """What these people may do now, by the mutation that does it."""
    found: dict[str, list[Offer]] = defaultdict(list)
    with httpx.Client(timeout=SECONDS, trust_env=False) as http:
        for each in authorizations:
            answer = http.post(url, json={"query": QUERY}, headers={"Authorization": each}).json()
            pages = (answer.get("data") or {}).values()
            for job in (job for page in pages for job in _nodes(page)):
                for mutation, values in _of_job(job):
                    found[mutation].append(Offer(authorization=each, values=values))
    return found


def _of_job(job: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    named = {"jobId": job["id"]}
    for action in job["allowedActions"]:
        if action in OF_JOB:
            more: dict[str, Any] = {
                "EDIT": {"expectedVersion": job["version"]},
                # From the default wallet to the default seller, whatever the total is.
                "FUND": {"payerWalletId": None, "sellerId": None, "expectedTotal": None},
                "PRE_FUND": {"expectedTotal": None},
            }.get(action, {})
            yield OF_JOB[action], {**named, **more}
    for application in _nodes(job["applications"]):
        for action in application["allowedActions"]:
            if action == "WITHDRAW":
                yield "withdrawApplication", {"applicationId": application["id"]}
            else:
                lists: dict[str, list[str]] = {"select": [], "reject": [], "reset": []}
                yield "decideApplications", {**named, **lists, action.lower(): [application["id"]]}
    for submission in _nodes(job["submissions"]):
        yield from _of_submission(submission)


def _of_submission(submission: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for action in submission["allowedActions"]:
        if action in OF_SUBMISSION:
            # A draft is changed with its job's id.
            decision = {"decision": EnumValueNode(value=action)}
            more = decision if OF_SUBMISSION[action] == "reviewSubmission" else {}
            yield OF_SUBMISSION[action], {"submissionId": submission["id"], **more}
    dispute = submission["dispute"]
    for action in dispute["allowedActions"] if dispute else ():
        shares = {
            "workerShare": dispute["amount"],
            "payerShare": {**dispute["amount"], "value": "0"},
        }
        more = shares if action == "RESOLVE" else {}
        yield OF_DISPUTE[action], {"disputeId": dispute["id"], **more}


def _nodes(connection: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [edge["node"] for edge in connection["edges"]]
