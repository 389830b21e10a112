"""What all pictures have in common: where they are kept, and the browser that takes them."""

import json
import shutil
import subprocess
from typing import Any

from tools.processes import ROOT

IMAGES = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NotWorthShowing(Exception):
    """A page had errors, or did not fit its window."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))


def node(*arguments: str, folder: str) -> str:
    """Run Node in a folder of the repository and return what it printed."""
    done = subprocess.run(  # noqa: S603 - the command is ours
        [shutil.which("node") or "node", *arguments],
        cwd=ROOT / folder,
        stdout=subprocess.PIPE,
        timeout=180,
        text=True,
        check=True,
    )
    return done.stdout


def drive(script: str, **arguments: Any) -> dict[str, Any]:
    """Have Chromium do what one of the scripts in tests/conformance says; return what it saw."""
    executable = next(filter(None, map(shutil.which, BROWSERS)))
    what = json.dumps({"executable": executable, **arguments})
    seen: dict[str, Any] = json.loads(node(script, what, folder="tests/conformance"))
    return seen
