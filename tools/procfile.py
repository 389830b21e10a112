"""`python -m tools.procfile`: honcho, with the patience that our processes need to stop.

Takes honcho's arguments: `start web worker beat` runs lines of the Procfile with what `.env` says,
`run COMMAND` anything else in the same environment.
"""

import os
import sys
from pathlib import Path

from honcho import command, manager

from tools.processes import ROOT

# Honcho kills what still runs 5 s after the first process has ended. A worker may wait that long
# for one wallet, and what it has in hand would lie until its lease has run out.
STOP_SECONDS = 25


def main() -> None:
    """Run honcho in this checkout, with the commands of this Python's environment."""
    os.chdir(ROOT)
    os.environ.setdefault("PORT", "8000")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    manager.KILL_WAIT = STOP_SECONDS
    command.main()


if __name__ == "__main__":
    main()
