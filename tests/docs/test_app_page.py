"""docs/from-your-app.md from top to bottom, against the real server and the sandbox wallet."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.docs import pages
from tools.api import Api, Refused
from tools.browser import Browser
from tools.world import World, bare_environment

PAGE = pages.DOCS / "from-your-app.md"
RETURN_URL = "http://localhost:5173/jobs/funded"
SELLER_SECONDS = 10.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(var_dir=tmp_path, environment=bare_environment(), port=0, wallet_port=0)
    try:
        world.start()
        yield world
    finally:
        world.stop()


class Reader:
    """Somebody who does what the page says, with what earlier answers gave."""

    def __init__(self, world: World, *, visitor: Api, browser: Browser) -> None:
        self._visitor, self._browser = visitor, browser
        wallets = world.sandbox["wallets"]
        self._known = {"Ana's wallet address": wallets["alice"]["walletAddress"]}
        self._beto_wallet = wallets["pobre"]["walletAddress"]
        self.statuses: list[str] = []
        self.receipt: dict[str, str] | None = None
        self.place: dict[str, Any] | None = None
        self.answers: dict[str, Any] = {}

    def take(
        self, kind: str, who: str, name: str, path: str, document: str, variables: str
    ) -> None:
        """One step of the page; Ana's account and wallet are made twice, for Beto too."""
        values = json.loads(re.sub("<([^<>]+)>", self._value, variables or "{}"))
        api = self._visitor if who == "visitor" else self._visitor.as_user(self._known[who])
        if kind == "follow":
            self._follow(api, document, values)
            return
        result = _patiently(api, document, values)
        operation = re.search(r"\{\s*(\w+)", document)
        assert operation is not None
        self.answers[operation[1]] = result
        if name:
            self._known[name] = pages.at(result, path.partition(".")[2])
        if operation[1] == "signUp":
            values["input"].update(email="beto@example.com", displayName="Beto")
            self._known["beto"] = api.run(document, **values)["token"]
        if operation[1] == "addWallet":
            values["input"]["address"] = self._beto_wallet
            self._visitor.as_user(self._known["beto"]).run(document, **values)

    def token_of(self, who: str) -> str:
        return str(self._known[who])

    def _value(self, match: re.Match[str]) -> str:
        return str(uuid.uuid4()) if match[1] == "a new UUID" else self._known[match[1]]

    def _follow(self, api: Api, document: str, values: dict[str, Any]) -> None:
        for event in api.subscribe(document, **values):
            if "payment" not in event:
                self.place = event
                return  # a feed without an end
            self.statuses.append(event["status"])
            self.receipt = event["payment"]["receipt"]
            redirect = (event["payment"]["grant"] or {}).get("redirectUrl")
            if redirect:
                page = self._browser.open(redirect)
                self._browser.press(page, "approve", stop_before=RETURN_URL)


def raw_request(world: World, *, token: str, document: str) -> Any:
    """What the server answers to the request that the page shows, with this operation in it."""
    head, _, body = pages.block(PAGE, "http").partition("\n\n")
    request, *headers = head.replace("<token>", token).splitlines()
    method, path = request.split()
    content = body.replace('"…"', json.dumps(document), 1).replace("{…}", "{}")
    sent = dict(header.split(": ", 1) for header in headers)
    return httpx.request(method, world.base_url + path, headers=sent, content=content).json()


def _patiently(api: Api, document: str, values: dict[str, Any]) -> Any:
    # A server this young may still be reading the default seller's wallet address.
    patience = time.monotonic() + SELLER_SECONDS
    while True:
        try:
            return api.run(document, **values)
        except Refused as error:
            if error.code != "SELLER_NOT_FOUND" or time.monotonic() > patience:
                raise
            time.sleep(0.1)


def test_every_operation_on_the_page_is_a_step_that_is_taken() -> None:
    text = PAGE.read_text()

    assert len(pages.STEP.findall(text)) == text.count("```graphql\n") > 10


def test_the_story_on_the_page_ends_with_a_paid_job_that_is_complete(world: World) -> None:
    with closing(Api(world.base_url)) as visitor, closing(Browser()) as browser:
        reader = Reader(world, visitor=visitor, browser=browser)
        for step in pages.STEP.findall(PAGE.read_text()):
            reader.take(*step)

        as_shown = raw_request(world, token=reader.token_of("ana"), document="{ viewer { email } }")

    assert as_shown == {"data": {"viewer": {"email": "ana@example.com"}}}
    assert reader.statuses[-1] == "COMPLETED"
    assert reader.receipt is not None, "it comes with that very event"
    checked = httpx.post(reader.receipt["verifyUrl"], content=reader.receipt["jws"]).json()
    assert checked["receipt"]["number"] == reader.receipt["number"]
    assert [edge["node"]["title"] for edge in reader.answers["jobs"]["edges"]] == [
        "Record ten sentences in Otomi"
    ]
    assert reader.place is not None and reader.place["node"] is None
    missed = reader.answers["events"]["edges"]
    assert missed[-1]["cursor"] == reader.place["cursor"]
    paid = [edge["node"] for edge in missed if edge["node"]["type"] == "payment.status"]
    assert [json.loads(each["data"])["status"] for each in paid] == ["COMPLETED"]
    submission = reader.answers["reviewSubmission"]["submission"]
    assert (submission["status"], submission["job"]["status"]) == ("ACCEPTED", "COMPLETE")
