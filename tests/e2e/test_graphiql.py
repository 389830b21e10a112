"""The job that GraphiQL's tabs fund: there again at the next `make up`, as long as it can be."""

from pathlib import Path
from typing import Any

import httpx

from tests.e2e.test_up import Report, up
from tools.demo import FUND_JOB
from tools.world import bare_environment

JOB = """
query ($id: ID!) {
  job(id: $id) { status allowedActions applications(first: 2) { edges { node { status } } } }
}"""


def ask_as_funder(report: Report, document: str, **variables: Any) -> dict[str, Any]:
    answer = httpx.post(
        report["urls"]["graphql"],
        json={"query": document, "variables": variables},
        headers={"Authorization": f"Bearer {report['users']['funder']['token']}"},
        trust_env=False,
        timeout=20,
    ).json()
    data: dict[str, Any] = answer["data"]
    return data


def job_to_fund(report: Report) -> dict[str, Any]:
    job: dict[str, Any] = ask_as_funder(report, JOB, id=report["example"]["jobId"])["job"]
    return job


def test_the_job_to_fund_is_found_again_until_it_is_funded(tmp_path: Path) -> None:
    environment = {**bare_environment(), "VAR_DIR": str(tmp_path)}

    with up(environment) as (_, first):
        job = job_to_fund(first)
    with up(environment) as (_, second):
        request = {
            "jobId": second["example"]["jobId"],
            "expectedTotal": second["example"]["totalBudget"],
            "idempotencyKey": second["example"]["idempotencyKey"],
            "returnUrl": second["urls"]["graphiql"],
        }
        funded = ask_as_funder(second, FUND_JOB, input=request)["fundJob"]
    with up(environment) as (_, third):
        another = job_to_fund(third)

    assert job["status"] == "RECRUITING"
    assert "FUND" in job["allowedActions"]
    assert job["applications"]["edges"] == [{"node": {"status": "SELECTED"}}]
    assert second["example"]["jobId"] == first["example"]["jobId"]
    assert second["example"]["idempotencyKey"] != first["example"]["idempotencyKey"]
    assert funded["errors"] == []
    assert third["example"]["jobId"] != second["example"]["jobId"]
    assert another == job
