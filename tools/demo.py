"""`make demo`: a job whose budget is paid at once, then one whose workers are paid for their work.

A fresh world in a temporary folder, every GraphQL operation with its result and time, and one
JSON object on the last line. Exits 0 only when the payee's wallet shows the whole amount.
"""

import argparse
import json
import os
import re
import signal
import sys
import tempfile
import textwrap
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import httpx

from tools import demo_story
from tools.api import Api, Call, Refused
from tools.browser import Browser
from tools.demo_story import APPLY, DECIDE, Story, as_money
from tools.processes import NotStarted
from tools.world import FUNDER, SELLER, WORKER, World, bare_environment

LIMIT_SECONDS = 240
SELLER_SECONDS = 10.0
RETURN_URL = "http://localhost:5173/jobs/funded"
REWARD = {"value": "1250", "assetCode": "USD", "assetScale": 2}
TOTAL = {**REWARD, "value": "2500"}
LONGEST_SHOWN = 46
PLAIN = not sys.stdout.isatty() or "NO_COLOR" in os.environ

CREATE_JOB = """
mutation ($input: JobInput!) {
  createJob(input: $input) {
    job { id status totalBudget { value assetCode assetScale } } errors { code message }
  }
}"""
PUBLISH_JOB = """
mutation ($input: JobIdInput!) {
  publishJob(input: $input) { job { status allowedActions } errors { code message } }
}"""
FUND_JOB = """
mutation ($input: FundJobInput!) {
  fundJob(input: $input) {
    funding { id mode status payments { id status } } errors { code message }
  }
}"""
PAYMENT_STATUS = """
subscription ($id: ID!) {
  paymentStatus(paymentId: $id) {
    status terminal cursor
    payment { grant { redirectUrl } failure { code message } }
  }
}"""
PAYMENT = """
query ($id: ID!) {
  payment(id: $id) {
    status
    deliveredAmount { value assetCode assetScale } debitAmount { value assetCode assetScale }
    incomingPaymentUrl
  }
}"""
JOB = """
query ($id: ID!) { job(id: $id) { status fundingAssurance } }"""


@dataclass(slots=True)
class Outcome:
    """What was seen, as the last line says it."""

    payment_status: str | None = None
    job_status: str | None = None
    received: dict[str, Any] | None = None
    events: int = 0
    seconds: float = 0.0
    wallet_received: int = 0
    story: Story = field(default_factory=Story)

    @property
    def is_paid(self) -> bool:
        """Whether everything ended as it should, and the payee's own wallet agrees."""
        return (
            (self.payment_status, self.job_status) == ("COMPLETED", "SELECTING")
            and self.received == TOTAL
            and str(self.wallet_received) == TOTAL["value"]
            and self.story.ended_well
        )

    def last_line(self) -> str:
        """One JSON object."""
        return json.dumps(
            {
                "payment_status": self.payment_status,
                "job_status": self.job_status,
                "received": self.received,
                "events": self.events,
                "seconds": round(self.seconds, 2),
                "story": asdict(self.story),
            }
        )


class Narrator:
    """Tells what happens, one numbered step at a time."""

    def __init__(self) -> None:
        self._step = 0
        self._titles: list[str] = []

    def say(self, *titles: str) -> None:
        """Name the next steps, one operation each."""
        self._titles = list(titles)

    def watch(self, call: Call) -> None:
        """Show an operation and what came of it."""
        self.show(f"{call.seconds * 1000:.0f} ms", call.document, call.variables)
        print(_indent(f"→ {_short_json(call.result)}"))

    def show(self, took: str, document: str, variables: Mapping[str, Any]) -> None:
        """Show a step's title and, dimmed, its operation."""
        self._step += 1
        print(f"\n{_bold(f'{self._step:2}  {self._titles.pop(0)}')}  {_dim(took)}")
        print(_dim(_indent(re.sub(r"\s+", " ", document).strip())))
        if variables:
            print(_dim(_indent(_short_json(variables))))


def main() -> int:
    """Run the demonstration, for LIMIT_SECONDS at most, in a world of its own or another one."""
    arguments = _arguments()
    outcome, started = Outcome(), time.monotonic()
    _end_in_time()
    print(_bold("Faena: from a posted job to a paid one"))
    with tempfile.TemporaryDirectory(prefix="faena-demo-") as folder:
        world = _world(arguments, Path(folder))
        try:
            if not world.base_url:
                world.start()
                took = time.monotonic() - started
                print(_dim(f"    a sandbox wallet and Faena, up in {took:.1f} s"))
            _play(world, outcome)
        except (NotStarted, Refused, httpx.HTTPError, TimeoutError) as problem:
            print(f"\n{type(problem).__name__}: {problem}", file=sys.stderr)
        finally:
            signal.alarm(0)
            outcome.seconds = time.monotonic() - started
            if not outcome.is_paid:
                for child in world.children.values():
                    print(f"\n--- {child.name}\n{child.log_tail()}", file=sys.stderr)
            world.stop()
    print(f"\n{_summary(outcome)}\n\n{outcome.last_line()}", flush=True)
    return 0 if outcome.is_paid else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--server", help="Faena's address, where it runs already")
    parser.add_argument("--wallet", help="the address of its sandbox wallet")
    arguments = parser.parse_args()
    if bool(arguments.server) != bool(arguments.wallet):
        parser.error("--server and --wallet need each other")
    return arguments


def _world(arguments: argparse.Namespace, folder: Path) -> World:
    if arguments.server:
        return World.already_running(
            base_url=arguments.server, wallet_url=arguments.wallet, environment=os.environ
        )
    return World(var_dir=folder, environment=bare_environment(), port=0, wallet_port=0)


def _end_in_time() -> None:
    """Let nothing take longer than the limit, and leave no process behind when told to end."""

    def too_long(number: int, frame: FrameType | None) -> NoReturn:
        raise TimeoutError(f"not done after {LIMIT_SECONDS} s")

    def end(number: int, frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGTERM, end)
    signal.alarm(LIMIT_SECONDS)


def _play(world: World, outcome: Outcome) -> None:
    narrator = Narrator()
    visitor = Api(world.base_url, watch=narrator.watch)
    narrator.say(
        "Somebody who needs work done signs up", "has no wallet yet", "and connects one with money"
    )
    funder = visitor.as_user(world.person(FUNDER, api=visitor).token)
    narrator.say(
        "Somebody who looks for work signs up", "has no wallet yet", "and connects an empty one"
    )
    worker = visitor.as_user(world.person(WORKER, api=visitor).token)

    job_id = _post_job(funder, narrator)
    _staff_job(job_id, funder=funder, worker=worker, narrator=narrator)
    payment_id = _fund(job_id, funder=funder, narrator=narrator)
    _follow(payment_id, funder=funder, narrator=narrator, outcome=outcome)

    narrator.say("The payment, as anybody who takes part in it can read it")
    payment = funder.run(PAYMENT, id=payment_id)
    outcome.payment_status = payment["status"]
    outcome.received = payment["deliveredAmount"]
    narrator.say("The job: paid for, and closed for new applications")
    outcome.job_status = funder.run(JOB, id=job_id)["status"]
    outcome.wallet_received = _received(world, payment["incomingPaymentUrl"])
    print(f"\n{_bold('And from accepted work to two paid workers')}")
    demo_story.play(world, outcome.story, visitor=visitor, say=narrator.say, approve=_approve)


def _post_job(funder: Api, narrator: Narrator) -> str:
    narrator.say("The funder describes a job for two people")
    job = funder.run(
        CREATE_JOB,
        input={
            "title": "Translate a health leaflet into Nahuatl",
            "description": "Two pages. Plain words, as one would say them to a neighbour.",
            "deliverables": ["TEXT"],
            "languageTag": "nah",
            "reward": REWARD,
            "workersNeeded": 2,
        },
    )["job"]
    narrator.say("and publishes it")
    funder.run(PUBLISH_JOB, input={"jobId": job["id"]})
    job_id: str = job["id"]
    return job_id


def _staff_job(job_id: str, *, funder: Api, worker: Api, narrator: Narrator) -> None:
    narrator.say("The worker applies")
    applied = worker.run(APPLY, input={"jobId": job_id, "note": "Nahuatl is my first language."})
    narrator.say("The funder selects the worker")
    funder.run(DECIDE, input={"jobId": job_id, "select": [applied["application"]["id"]]})


def _fund(job_id: str, *, funder: Api, narrator: Narrator) -> str:
    narrator.say("The funder puts the whole budget behind the job")
    request = {
        "jobId": job_id,
        "expectedTotal": TOTAL,
        "returnUrl": RETURN_URL,
        "idempotencyKey": str(uuid.uuid4()),
    }
    patience = time.monotonic() + SELLER_SECONDS
    while True:
        try:
            funding = funder.run(FUND_JOB, input=request)["funding"]
        except Refused as error:
            # A server this young may still be reading the default seller's wallet address.
            if error.code != "SELLER_NOT_FOUND" or time.monotonic() > patience:
                raise
            time.sleep(0.5)
        else:
            payment_id: str = funding["payments"][0]["id"]
            return payment_id


def _follow(payment_id: str, *, funder: Api, narrator: Narrator, outcome: Outcome) -> None:
    """Watch the payment on a socket, and approve it when it asks for that."""
    narrator.say("They watch the payment over a WebSocket")
    narrator.show("live", PAYMENT_STATUS, {"id": payment_id})
    started, approved = time.monotonic(), False
    for event in funder.subscribe(PAYMENT_STATUS, id=payment_id):
        outcome.events += 1
        outcome.payment_status = event["status"]
        failure = event["payment"]["failure"]
        why = f"  {failure['code']}: {failure['message']}" if failure else ""
        print(f"    {time.monotonic() - started:6.2f} s  {event['status']}{why}")
        redirect = (event["payment"]["grant"] or {}).get("redirectUrl")
        if redirect and not approved:
            approved = True
            _approve(redirect)


def _approve(redirect: str) -> None:
    """Say yes at the wallet's consent page, and come back, as a browser would."""
    browser = Browser()
    browser.press(browser.open(redirect), "approve", stop_before=RETURN_URL)
    for verb, address in zip(("opens", *["then "] * 10), browser.visited, strict=False):
        print(_dim(f"              their browser {verb} {_short_address(address)}"))


def _received(world: World, incoming_payment_url: str) -> int:
    """What the wallet's own books say that the payee got, in the smallest unit."""
    ledger = httpx.get(
        f"{world.sandbox['control']}/ledger",
        params={"receiver": incoming_payment_url},
        trust_env=False,
        timeout=10,
    ).json()
    return sum(each["value"] for each in ledger["movements"] if each["to"] == f"user:{SELLER}")


def _summary(outcome: Outcome) -> str:
    if outcome.is_paid:
        assert outcome.story.refunded is not None
        paid = " and ".join(as_money(each) for each in outcome.story.paid)
        said = (
            f"Paid: {as_money(TOTAL)} arrived, and the receiving wallet's books say the same; then "
            f"{paid} to two workers, and {as_money(outcome.story.refunded)} went back"
        )
    else:
        said = f"NOT PAID: payment {outcome.payment_status}, job {outcome.job_status}"
    return _bold(f"{said}; {outcome.events} events, {outcome.seconds:.1f} s in all.")


def _short_json(value: Any) -> str:
    return json.dumps(_shorten(value), ensure_ascii=False)


def _shorten(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shorten(each) for name, each in value.items() if name != "errors"}
    if isinstance(value, list):
        return [_shorten(each) for each in value]
    if isinstance(value, str) and len(value) > LONGEST_SHOWN:
        return f"{value[: LONGEST_SHOWN - 8]}…{value[-6:]}"
    return value


def _short_address(address: str) -> str:
    return address if len(address) <= 72 else f"{address[:66]}…"


def _indent(text: str) -> str:
    return textwrap.fill(
        text, 100, initial_indent=" " * 4, subsequent_indent=" " * 6, break_on_hyphens=False
    )


def _bold(text: str) -> str:
    return text if PLAIN else f"\033[1m{text}\033[0m"


def _dim(text: str) -> str:
    return text if PLAIN else f"\033[2m{text}\033[0m"


if __name__ == "__main__":
    sys.exit(main())
