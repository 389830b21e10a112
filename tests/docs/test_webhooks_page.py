"""docs/webhooks.md says what the code does, and its code accepts what we send and nothing else."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from backend.events.models import Event
from backend.webhooks import bodies, claims, inbox, schedule, sending, services, signatures
from backend.webhooks.bodies import MOST_BYTES
from backend.webhooks.names import NAMES, PayloadFormat
from backend.webhooks.retention import KEPT_FOR
from tests.docs import pages
from tests.docs.readers import Reader
from tests.simulation.simulator import BASE_URL, Simulation
from tests.webhooks.world import receiving
from tools.api import Api
from tools.world import FUNDER, World

PAGE = pages.DOCS / "webhooks.md"
NODE = shutil.which("node")
SECRET = signatures.new_secret()
BODY = json.dumps({"type": "payment.status", "data": {"ñ": "☃"}}).encode()

Receive = Callable[[bytes, dict[str, str], str], Any]


def code(language: str) -> str:
    block = pages.generated_blocks(PAGE, kind="verify")[language]
    return block.removeprefix(f"```{language}\n").removesuffix("```")


def receive_in_python(body: bytes, headers: dict[str, str], secret: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(compile(code("python"), str(PAGE), "exec"), namespace)
    return namespace["receive"](body, headers, secret)


def receive_in_javascript(body: bytes, headers: dict[str, str], secret: str) -> Any:
    if NODE is None:
        pytest.skip("Node is not installed")
    given = {"body": body.decode("latin-1"), "headers": headers, "secret": secret}
    done = subprocess.run(
        [NODE, "--input-type=module", "-"],
        input=f"{code('javascript')}\nconst given = {json.dumps(given)};\n"
        "const body = Buffer.from(given.body, 'latin1');\n"
        "console.log(JSON.stringify(receive(body, given.headers, given.secret)));",
        capture_output=True,
        text=True,
        timeout=30,
    )
    if done.returncode:
        raise PermissionError(done.stderr)
    return json.loads(done.stdout)


def signed(*, secret: str = SECRET, at: datetime | None = None) -> dict[str, str]:
    keys = [signatures.key_of(signatures.new_secret()), signatures.key_of(secret)]
    return signatures.headers_for(id="msg_1", body=BODY, keys=keys, at=at or datetime.now(UTC))


@pytest.mark.parametrize("receive", [receive_in_python, receive_in_javascript])
def test_the_pages_code_accepts_what_is_genuine_and_nothing_else(receive: Receive) -> None:
    assert receive(BODY, signed(), SECRET) == json.loads(BODY)

    long_ago = datetime.now(UTC) - timedelta(minutes=6)
    for body, headers in (
        (BODY + b" ", signed()),
        (BODY, signed(secret=signatures.new_secret())),
        (BODY, signed(at=long_ago)),
        (BODY, {**signed(), "webhook-id": "msg_2"}),
        (BODY, {**signed(), "webhook-signature": "v1,AAAA"}),
        (BODY, {**signed(), "webhook-signature": "nonsense"}),
    ):
        with pytest.raises(PermissionError):
            receive(body, headers, SECRET)


@pytest.mark.django_db(transaction=True)
def test_the_examples_have_the_members_of_what_is_sent(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    simulation = Simulation(temperament="strict")
    simulation.run()
    event = Event.objects.filter(topic=f"payment:{simulation.payment.id}").latest("seq")
    head, _, standard = pages.block(PAGE, "http").partition("\n\n")
    guide = pages.FENCED.findall(PAGE.read_text().partition("## In the format of the guide")[2])[0]

    for payload_format, name, shown in (
        (PayloadFormat.STANDARD, "payment.status", standard),
        (PayloadFormat.GUIDE, "payment.completed", guide[1]),
    ):
        sent = json.loads(bodies.compose(event, name=name, payload_format=payload_format))
        said = json.loads(shown)
        assert pages.shape(said) == pages.shape(sent)
        assert (said["type"], said.get("status")) == (sent["type"], sent.get("status"))
    names = {line.partition(":")[0] for line in head.splitlines()[1:]}
    assert names == {"content-type", *signed()}


def test_what_is_triggered_is_heard_and_genuine(world: World, reader: Reader) -> None:
    listen, trigger = (
        text for kind, text in pages.FENCED.findall(PAGE.read_text()) if kind == "sh"
    )
    Path(world.environment["VAR_DIR"], "up.json").write_text(json.dumps({"sandbox": world.sandbox}))
    with closing(Api(world.base_url)) as visitor, receiving() as receiver:
        world.person(FUNDER, api=visitor)
        here = listen.strip().replace("http://127.0.0.1:3000/hooks", receiver.url)
        with reader.meanwhile(here) as output:
            secret = next(output).split()[-1]

            said = reader.type(trigger)
            heard = [next(output)]
            while receiver.got[-1].json["data"]["status"] != "COMPLETED":
                heard.append(next(output))

    assert re.fullmatch(r"payment.completed: payment \S+ is COMPLETED\n", said)
    assert all(re.match(r"payment.status \S+ -> 204", line) for line in heard)
    for request in receiver.got:
        assert receive_in_python(request.body, request.headers, secret) == request.json


def test_every_event_is_listed_and_no_other() -> None:
    listed = [row[0].strip("`") for row in pages.table_with_heading(PAGE, "name")]

    assert tuple(listed) == NAMES[PayloadFormat.STANDARD]


def test_every_type_that_is_written_anywhere_has_its_name() -> None:
    """Literal types in the code that emits, as endpoints would call them."""
    backend = pages.ROOT / "backend"
    written = set()
    for path in backend.rglob("*.py"):
        if path.is_relative_to(backend / "webhooks" / "management"):
            continue
        written |= _types_in(path)

    named = {name.removeprefix("user.") for name in NAMES[PayloadFormat.STANDARD]}
    assert written and written <= named


def _types_in(path: Path) -> set[str]:
    text = path.read_text()
    if "emit(" not in text and ".tell" not in text:
        return set()
    by_name = re.findall(r'type="([a-z_]+\.[a-z_]+)"', text)
    in_place = re.findall(r'"([a-z_]+\.(?:status|[a-z]+_reminder))",', text)
    return {*by_name, *in_place}


def test_the_schedule_is_the_one_of_the_code() -> None:
    rows = pages.table_with_heading(PAGE, "attempt")

    planned = [pages.in_words(timedelta(seconds=pause)) for pause in schedule.PAUSES_SECONDS]
    assert [row[1] for row in rows] == planned
    assert [row[0] for row in rows] == [str(number + 1) for number in range(len(planned))]


def test_every_number_is_the_one_of_the_code() -> None:
    text = " ".join(PAGE.read_text().split())

    for sentence in (
        f"up to {services.MOST_ENDPOINTS} endpoints",
        f"at most {MOST_BYTES // 1024} kB",
        f"within {sending.TOTAL_SECONDS:g} seconds",
        f"vary by up to {schedule.JITTER:.0%} either way".replace("%", " %"),
        f"takes nothing for {schedule.DISABLED_AFTER.days} days",
        f"For {services.SECRETS_OVERLAP.total_seconds() / 3600:g} hours both sign",
        f"kept for {KEPT_FOR.days} days",
        f"more than {signatures.TOLERANCE_SECONDS} s ago",
        f"larger than {inbox.LARGEST_BYTES // 1024} kB",
    ):
        assert sentence in text, sentence
    assert claims.MOST_AT_ONCE == 2 and "at most two requests at once" in text
