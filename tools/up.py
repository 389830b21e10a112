"""`make up`: a world to develop against, with wallets, money and people in it.

Everything is kept in var/, so that the next `make up` finds the same world. To make a new one,
remove var/ first.
"""

import argparse
import fcntl
import json
import os
import signal
import sys
import threading
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from tools.api import Api
from tools.demo import CREATE_JOB, PUBLISH_JOB
from tools.demo_story import APPLY, DECIDE
from tools.processes import ROOT, NotStarted
from tools.web import PORT, WebApp
from tools.world import FUNDER, OPERATOR, PASSWORD, WORKER, Person, World

LOOK_SECONDS = 0.3
JOB = """
query ($id: ID!) {
  job(id: $id) { id allowedActions totalBudget { value assetCode assetScale } }
}"""
JOB_TO_FUND = {
    "title": "Read a bedtime story aloud in Zapotec",
    "description": "Ten minutes, in one recording, as one would read it to a child.",
    "deliverables": ["AUDIO"],
    "languageTag": "zap",
    "reward": {"value": "1250", "assetCode": "USD", "assetScale": 2},
    "workersNeeded": 1,
}
# What else the tabs show is in the filled world, by its titles.
FILLED = """
query { jobs(first: 100, filter: {mine: true}) { edges { node { id title } } } }"""
OWN_WORK = """
query ($id: ID!) { job(id: $id) { submissions(first: 1) { edges { node { id } } } } }"""
APPLY_TO = "Record forty greetings in Mazahua"
APP_WALLETS = ("/alice", "/pobre")
# What a new world is warned of, and need not care about yet.
LATER = {"treasury_grant": "Until money is to be paid out of the treasury, nothing needs it."}
WORK = {
    "draft": "Translate a clinic's leaflet into Quechua",
    "submitted": "Write captions for a school film",
    "rejected": "Correct the subtitles of a documentary",
}


def main() -> int:
    """Run the world until SIGTERM or SIGINT, or until one of its processes ends."""
    arguments = _arguments()
    var_dir = Path(os.environ.get("VAR_DIR", ROOT / "var"))
    var_dir.mkdir(parents=True, exist_ok=True)
    stop = _note_signals()
    with (var_dir / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"This world is up already: see {var_dir / 'up.json'}.", file=sys.stderr)
            return 1
        report, last = var_dir / "up.json", var_dir / "last-up.json"
        _retire(report, last)
        before = _read(last)
        app = WebApp(var_dir / "web", port=arguments.web_port) if _has_app(var_dir) else None
        world = World(
            var_dir=var_dir,
            environment=os.environ,
            port=arguments.port,
            # Wallet addresses carry the port, so an old world wants its old one back.
            wallet_port=urlsplit(before.get("sandbox", {}).get("base", "")).port
            or arguments.wallet_port,
            app_origin=app.origin if app else "",
        )
        try:
            return _run(world, app, before=before, report=report, stop=stop)
        except NotStarted as error:
            if stop.is_set():
                return 0
            print(error, file=sys.stderr)
            return 1
        finally:
            world.stop()
            if app:
                app.stop()
            _retire(report, last)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="up", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of Faena; 0 takes any free one")
    parser.add_argument("--wallet-port", type=int, default=8200, help="of a new sandbox wallet")
    parser.add_argument("--web-port", type=int, default=PORT, help="of the example app, if built")
    return parser.parse_args()


def _has_app(var_dir: Path) -> bool:
    """Whether `make web` was there."""
    return (var_dir / "web" / "index.html").exists()


def _note_signals() -> threading.Event:
    stop = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    return stop


def _run(
    world: World,
    app: WebApp | None,
    *,
    before: Mapping[str, Any],
    report: Path,
    stop: threading.Event,
) -> int:
    world.start()
    if app:
        app.serve(graphql_url=f"{world.base_url}/graphql")
    api = Api(world.base_url)
    users = before.get("users", {})
    people = {
        role.name: world.person(role, api=api, known_token=users.get(role.name, {}).get("token"))
        for role in (FUNDER, WORKER, OPERATOR)
    }
    world.fill()
    example = _example(
        before.get("example", {}),
        funder=api.as_user(people[FUNDER.name].token),
        worker=api.as_user(people[WORKER.name].token),
    )
    _write(report, {**_report(world, people, app), "example": example})
    print(_welcome(world, people, app), flush=True)
    print(_health(world.examine()), flush=True)
    while not stop.wait(LOOK_SECONDS):
        for child in world.children.values():
            if child.exit_code is not None:
                message = f"{child.name} ended with {child.exit_code}. Its log ends with:\n"
                print(f"{message}\n{child.log_tail()}", file=sys.stderr)
                return 1
    return 0


def _example(before: Mapping[str, Any], *, funder: Api, worker: Api) -> dict[str, Any]:
    """What GraphiQL's tabs start with: a job to fund, and a key for one decision to fund it."""
    known_id = before.get("jobId")
    known = funder.run(JOB, id=known_id) if known_id else None
    job = known if known and "FUND" in known["allowedActions"] else _staffed_job(funder, worker)
    return {
        **_filled(funder, worker),
        "jobId": job["id"],
        "totalBudget": job["totalBudget"],
        "idempotencyKey": str(uuid.uuid4()),
        "reviewKey": str(uuid.uuid4()),
    }


def _filled(funder: Api, worker: Api) -> dict[str, Any]:
    jobs = {edge["node"]["title"]: edge["node"]["id"] for edge in funder.run(FILLED)["edges"]}

    def own_work(title: str) -> str:
        (edge,) = worker.run(OWN_WORK, id=jobs[title])["submissions"]["edges"]
        found: str = edge["node"]["id"]
        return found

    return {
        "applyTo": jobs[APPLY_TO],
        "workOn": jobs[WORK["draft"]],
        "work": {name: own_work(title) for name, title in WORK.items()},
    }


def _staffed_job(funder: Api, worker: Api) -> Mapping[str, Any]:
    job: dict[str, Any] = funder.run(CREATE_JOB, input=JOB_TO_FUND)["job"]
    funder.run(PUBLISH_JOB, input={"jobId": job["id"]})
    applied = worker.run(APPLY, input={"jobId": job["id"], "note": "I read for a small radio."})
    selected = [applied["application"]["id"]]
    funder.run(DECIDE, input={"jobId": job["id"], "select": selected})
    return job


def _report(world: World, people: Mapping[str, Person], app: WebApp | None) -> dict[str, Any]:
    base = world.base_url
    return {
        "urls": {
            "base": base,
            "graphql": f"{base}/graphql",
            "websocket": f"{base.replace('http', 'ws', 1)}/graphql",
            "graphiql": f"{base}/graphql",
            "admin": f"{base}/admin/",
            "ready": f"{base}/readyz",
            "wallet": world.sandbox["base"],
            **({"app": app.origin} if app else {}),
        },
        "pids": {
            "up": os.getpid(),
            **{name: child.pid for name, child in world.children.items()},
        },
        "users": {
            name: {
                "token": person.token,
                "walletAddress": person.wallet_address,
                "email": person.email,
                "password": PASSWORD,
            }
            for name, person in people.items()
        },
        "sandbox": world.sandbox,
    }


def _welcome(world: World, people: Mapping[str, Person], app: WebApp | None) -> str:
    wallets = {each["walletAddress"]: each for each in world.sandbox["wallets"].values()}
    lines = [
        "",
        "  Faena is up. Stop it with Ctrl-C.",
        "",
        f"  GraphiQL   {world.base_url}/graphql",
        f"  Admin      {world.base_url}/admin/   {OPERATOR.email} / {PASSWORD}",
        "             In production it asks for a second factor; here the password is enough.",
        f"  Wallets    {world.sandbox['base']}/",
        f"  App        {app.origin}"
        if app
        else "  App        `make web` builds an example; the next `make up` serves it",
        *(_people_of_the_app(wallets) if app else ()),
        "",
        "  GraphiQL's tabs hold tokens and a job to fund: run them from left to right.",
        "  Beside it there are jobs in every status. The funder owns them; others work on them:",
        f"  xochitl@faena.example, sarah@faena.example …, with the password: {PASSWORD}",
        "  A payment that hangs, to be looked after in Admin, is made by",
        f"  DEBUG=1 {_this_python()} manage.py trigger payment.unknown",
        "",
        "  For other clients, as headers:",
    ]
    for name, person in people.items():
        asset = wallets[person.wallet_address]["assetCode"]
        header = json.dumps({"Authorization": f"Bearer {person.token}"})
        lines += ["", f"  {name} ({asset} at {person.wallet_address})", f"  {header}"]
    return "\n".join([*lines, ""])


def _people_of_the_app(wallets: Mapping[str, Any]) -> list[str]:
    payer, payee = (next(each for each in wallets if each.endswith(name)) for name in APP_WALLETS)
    return [
        "             Each browser tab is a person. Sign up as one who pays, with the wallet",
        f"             {payer}, and as one who is paid, with {payee}",
    ]


def _this_python() -> str:
    """This Python, as somebody in the repository's folder types it."""
    python = Path(sys.executable)
    return str(python.relative_to(ROOT)) if python.is_relative_to(ROOT) else str(python)


def _health(findings: Sequence[Mapping[str, str]]) -> str:
    """One line when all is well, and one more for whatever is not."""
    bad = [each for each in findings if each["level"] != "ok"]
    problems = sum(each["level"] == "problem" for each in bad)
    warnings = len(bad) - problems
    lines = [f"  op_doctor: {len(findings)} checks; problems: {problems}, warnings: {warnings}"]
    for each in bad:
        lines.append(f"    {each['level']:<8} {each['check']:<16} {each['message']} {each['cure']}")
        if each["check"] in LATER:
            lines.append(f"    {'':<8} {'':<16} {LATER[each['check']]}")
    return "\n".join([*lines, ""])


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _retire(report: Path, last: Path) -> None:
    """Keep a report for its tokens, under a name that does not say that the world is up."""
    if report.exists():
        report.replace(last)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the file at once, readable by its owner alone: it has tokens in it."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
    fresh.replace(path)


if __name__ == "__main__":
    sys.exit(main())
