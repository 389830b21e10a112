"""docs/from-your-app.md and the README from top to bottom, and what has become of it."""

import json
import re
from typing import Any

import httpx
from graphql import OperationDefinitionNode, parse, print_ast

from tests.docs import pages
from tests.docs.readers import Reader
from tests.docs.stories import Step
from tools.world import World

PAGE = pages.DOCS / "from-your-app.md"
README = pages.ROOT / "README.md"


def raw_request(world: World, *, token: str, document: str) -> Any:
    """What the server answers to the request that the page shows, with this operation in it."""
    head, _, body = pages.block(PAGE, "http").partition("\n\n")
    request, *headers = head.replace("<token>", token).splitlines()
    method, path = request.split()
    content = body.replace('"…"', json.dumps(document), 1).replace("{…}", "{}")
    sent = dict(header.split(": ", 1) for header in headers)
    return httpx.request(method, world.base_url + path, headers=sent, content=content).json()


def test_the_story_ends_with_a_paid_job_that_is_complete_and_the_readmes_with_another(
    world: World, reader: Reader
) -> None:
    reader.read(PAGE)

    as_shown = raw_request(world, token=reader.known["ana"], document="{ viewer { email } }")
    assert as_shown["data"] == {"viewer": {"email": "ana@example.com"}}
    last = reader.events["paymentStatus"][-1]
    assert (last["status"], last["terminal"]) == ("COMPLETED", True)
    receipt = last["payment"]["receipt"]
    assert receipt is not None, "it comes with that very event"
    checked = httpx.post(receipt["verifyUrl"], content=receipt["jws"]).json()
    assert checked["receipt"]["number"] == receipt["number"]
    assert [edge["node"]["title"] for edge in reader.answers["jobs"]["edges"]] == [
        "Record ten sentences in Otomi"
    ]
    missed = reader.answers["events"]["edges"]
    assert missed[-1]["cursor"] == reader.answers["viewerEvents"]["cursor"]
    paid = [edge["node"] for edge in missed if edge["node"]["type"] == "payment.status"]
    assert [json.loads(each["data"])["status"] for each in paid] == ["COMPLETED"]
    submission = reader.answers["reviewSubmission"]["submission"]
    assert (submission["status"], submission["job"]["status"]) == ("ACCEPTED", "COMPLETE")

    _pay_as_the_readme_says(reader)


def _pay_as_the_readme_says(reader: Reader) -> None:
    fund, watch = (
        print_ast(each)
        for each in parse(pages.block(README, "graphql")).definitions
        if isinstance(each, OperationDefinitionNode)
    )
    told = re.search(r"`(AUTHORIZED → [A-Z → ]+)`", README.read_text())
    assert told is not None

    reader.events.clear()
    reader.read(PAGE, only="posting-a-job")
    back = "http://localhost:5173/jobs/funded"
    values = {"jobId": "<job>", "returnUrl": back, "idempotencyKey": "<a new UUID>"}
    keeps = "ana: payment = fundJob.funding.payments.0.id"
    reader.take(_step("step", keeps, fund, {"input": values}))
    reader.take(_step("follow", "ana", watch, {"id": "<payment>"}))

    seen = [event["status"] for event in reader.events["paymentStatus"]]
    assert seen[-5:] == told[1].split(" → ")


def _step(kind: str, what: str, text: str, values: dict[str, Any]) -> Step:
    return Step(section="", kind=kind, what=what, text=text, variables=json.dumps(values))
