"""Somebody who does what a page says, against a world of their own."""

import json
import os
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.docs import pages, stories
from tests.docs.stories import Step
from tools.api import Api, Refused, root_field
from tools.browser import Browser
from tools.world import OPERATOR, Role, World

# Whose wallet at the sandbox is whose.
WALLETS = {"Ana": "alice", "Beto": "pobre"}
STAFF = {"operator": OPERATOR, "colleague": Role(name="colleague", wallet="diego", staff=True)}
# What stands on the pages for the installation's own address.
OUR_ADDRESSES = ("https://pay.example", "http://127.0.0.1:8000")
SETTLING_SECONDS = 90.0
COMMAND_SECONDS = 60.0
# A server this young may still be reading the wallets of the seller and of the treasury.
YOUNG = {"SELLER_NOT_FOUND", "MODE_UNAVAILABLE"}


class Reader:
    """Does the steps of pages with what earlier answers gave; files are in `folder`."""

    def __init__(self, world: World, *, folder: Path) -> None:
        self.known: dict[str, str] = {
            f"{name}'s wallet address": world.sandbox["wallets"][wallet]["walletAddress"]
            for name, wallet in WALLETS.items()
        }
        self.answers: dict[str, Any] = {}
        self.events: dict[str, list[Any]] = {}
        self._world, self._folder = world, folder
        self._visitor, self._browser = Api(world.base_url), Browser()
        self._asked: dict[str, Step] = {}
        self._opened: set[str] = set()
        self._before: set[str] = set()
        self._return_url = ""
        (folder / "manage.py").symlink_to(pages.ROOT / "manage.py")

    def close(self) -> None:
        """Close its connections."""
        self._visitor.close()
        self._browser.close()

    def read(self, page: Path, *, until: str = "", only: str = "") -> None:
        """Do what the page says: all of it, to the end of a section, or one section."""
        done: list[Step] = []
        there = list(stories.steps(page))
        assert not (until or only) or any(step.section in {until, only} for step in there)
        for step in there:
            if until and done and done[-1].section == until != step.section:
                return
            if not only or step.section == only:
                self.take(step, done)
            done.append(step)

    def take(self, step: Step, done: Sequence[Step] = ()) -> None:
        """One step; `done` came before it on its page."""
        page, _, section = step.what.partition("#")
        if step.kind == "before":
            if step.what not in self._before:
                self.read(pages.DOCS / page, until=section)
                self._before.add(step.what)
        elif step.kind == "meanwhile":
            self.read(pages.DOCS / page, only=section)
        elif step.kind == "likewise":
            who, other = step.what.split(", ")
            for each in done:
                if each.section == step.section:
                    self.take(each.by(other, rather_than=who))
        elif step.kind == "wallet":
            call, _, body = step.what.partition(" ")
            url = f"{self._world.sandbox['control']}/{call}"
            answer = httpx.post(url, json=json.loads(body), trust_env=False)
            answer.raise_for_status()
        elif step.kind == "typed":
            self._type(step)
        elif step.kind == "again":
            name, _, keeps = step.what.partition(": ")
            who = self._asked[name].what.partition(": ")[0]
            again = replace(self._asked[name], what=f"{who}: {keeps}")
            self._ask(again, shown=step.shown)
        else:
            self._asked[step.name] = step
            self._ask(step, shown=step.shown)

    def _ask(self, step: Step, *, shown: str) -> None:
        who, _, keeps = step.what.partition(": ")
        values = json.loads(self._filled(step.variables or "{}"))
        self._return_url = values.get("input", {}).get("returnUrl", self._return_url)
        root = root_field(step.text)
        wanted = json.loads(self._here(shown))["data"][root] if shown else None
        came = []
        for result in self._results(step, self._as(who), values, waits=wanted is not None):
            came.append(result)
            self._consent(result)
            if wanted is not None and stories.fits(wanted, result):
                break
        else:
            if wanted is not None:
                pytest.fail(f"{step.name} was never answered as shown, but:\n{_pretty(came[-2:])}")
        self.answers[root] = came[-1]
        for keep in filter(None, keeps.split(", ")):
            name, _, path = keep.partition(" = ")
            self.known[name] = str(pages.at({root: came[-1]}, path))

    def _results(
        self, step: Step, api: Api, values: dict[str, Any], *, waits: bool
    ) -> Iterator[Any]:
        """What is answered: more than once where there is something to wait for."""
        if step.kind == "follow":
            events = self.events.setdefault(root_field(step.text), [])
            with suppress(TimeoutError):
                for event in api.subscribe(step.text, **values):
                    events.append(event)
                    yield event
            return
        patience = time.monotonic() + SETTLING_SECONDS
        yield _patiently(api, step.text, values, patience=patience)
        while waits and step.text.startswith("query") and time.monotonic() < patience:
            time.sleep(0.2)
            yield api.run(step.text, **values)

    def _as(self, who: str) -> Api:
        if who == "visitor":
            return self._visitor
        if who in STAFF and who not in self.known:
            self.known[who] = self._world.person(STAFF[who], api=self._visitor).token
        return self._visitor.as_user(self.known[who])

    def _consent(self, answer: Any) -> None:
        """Open what leads to a wallet, once, and approve there."""
        for url in _redirects(answer):
            if url not in self._opened:
                self._opened.add(url)
                page = self._browser.open(url)
                self._browser.press(page, "approve", stop_before=self._return_url)

    def type(self, script: str) -> str:
        """Type commands where the reader's files are; return what they print."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self._filled(script)],
            cwd=self._folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def meanwhile(self, command: str) -> Iterator[Iterator[str]]:
        """Have a command run meanwhile; gives the lines that it prints."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self._folder,
            env={**self._environment(), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        killer = threading.Timer(COMMAND_SECONDS, process.kill)
        killer.start()
        try:
            assert process.stdout is not None
            yield iter(process.stdout)
        finally:
            killer.cancel()
            process.kill()
            process.communicate()

    def _environment(self) -> dict[str, str]:
        here = str(Path(sys.executable).parent)
        return {
            **self._world.environment,
            "PATH": f"{here}:{os.environ['PATH']}",
            "PYTHONPATH": str(pages.ROOT),
            "no_proxy": "*",
        }

    def _type(self, step: Step) -> None:
        printed = self.type(step.text)
        if step.shown:
            assert stories.fits(self._here(step.shown).strip(), printed.strip()), printed
        if step.what:
            name, _, pattern = step.what.partition(" = ")
            found = re.search(pattern, printed)
            assert found, f"{pattern} is not in {printed}"
            self.known[name] = found[1]

    def _filled(self, text: str) -> str:
        return re.sub("<([^<>\n]+)>", self._value, self._here(text))

    def _here(self, text: str) -> str:
        for address in OUR_ADDRESSES:
            text = text.replace(address, self._world.base_url)
        return text

    def _value(self, match: re.Match[str]) -> str:
        return str(uuid.uuid4()) if match[1] == "a new UUID" else self.known[match[1]]


def _patiently(api: Api, document: str, values: dict[str, Any], *, patience: float) -> Any:
    while True:
        try:
            return api.run(document, **values)
        except Refused as error:
            if error.code not in YOUNG or time.monotonic() > patience:
                raise
            time.sleep(0.1)


def _redirects(answer: Any) -> Iterator[str]:
    if isinstance(answer, dict):
        if url := answer.get("redirectUrl"):
            yield url
        for inner in answer.values():
            yield from _redirects(inner)
    elif isinstance(answer, list):
        for inner in answer:
            yield from _redirects(inner)


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
