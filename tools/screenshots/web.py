"""The pictures of the example app, of a wallet's consent and of GraphiQL, in one world."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.processes import READY_SECONDS, ROOT, NotStarted
from tools.screenshots.driving import IMAGES, NotWorthShowing, drive, node
from tools.world import bare_environment

LOOK_SECONDS = 0.2
STOP_SECONDS = 25
# The view of web_app.mjs, and of newcomer.mjs, behind each picture.
APP = {
    "app-cost.png": "cost",
    "app-phone.png": "paid",
    "consent.png": "consent",
}
GRAPHIQL = {"graphiql.png": "FundJob"}


def take() -> list[Path]:
    """Take them all anew.

    Raises:
        NotWorthShowing: a page had errors, did not fit its window, or axe found something.
    """
    with tempfile.TemporaryDirectory(prefix="faena-screenshots-") as folder:
        var_dir = Path(folder)
        build = ("build", "--logLevel", "error", "--outDir", str(var_dir / "web"))
        node("node_modules/vite/bin/vite.js", *build, folder="examples/web")
        node("build.mjs", str(var_dir / "graphiql"), folder="tools/graphiql")
        with _up(var_dir) as report:
            seen = _play(report, screenshots=str(var_dir / "app"))
            graphiql = report["urls"]["graphiql"]
            drive("newcomer.mjs", url=graphiql, screenshots=str(var_dir / "tabs"))
        if problems := [*seen["errors"], *map(str, seen["unfit"]), *seen["wide"]]:
            raise NotWorthShowing(problems)
        for kind, pictures in (("app", APP), ("tabs", GRAPHIQL)):
            for name, view in pictures.items():
                shutil.copyfile(var_dir / kind / f"{view}.png", IMAGES / name)
    return [IMAGES / name for name in (*APP, *GRAPHIQL)]


def _play(report: Mapping[str, Any], *, screenshots: str) -> dict[str, Any]:
    wallets = report["sandbox"]["wallets"]
    people = {"ana": "alice", "beto": "pobre"}
    return drive(
        "web_app.mjs",
        url=report["urls"]["app"],
        wallets={name: wallets[wallet]["walletAddress"] for name, wallet in people.items()},
        screenshots=screenshots,
    )


@contextmanager
def _up(var_dir: Path) -> Iterator[dict[str, Any]]:
    """`make up` on ports of its own, as its report tells it, until the block ends."""
    ports = [word for name in ("port", "wallet-port", "web-port") for word in (f"--{name}", "0")]
    process = subprocess.Popen(  # noqa: S603 - the command is ours
        [sys.executable, "-m", "tools.up", *ports],
        cwd=ROOT,
        env={**bare_environment(), "VAR_DIR": str(var_dir)},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield _report(process, var_dir / "up.json")
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _report(process: subprocess.Popen[bytes], path: Path) -> dict[str, Any]:
    patience = time.monotonic() + READY_SECONDS
    while time.monotonic() < patience and process.poll() is None:
        if path.exists():
            report: dict[str, Any] = json.loads(path.read_text())
            return report
        time.sleep(LOOK_SECONDS)
    raise NotStarted(f"make up in {os.fspath(path.parent)}")
