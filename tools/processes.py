"""Child processes that say on their first line of output where they are."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 120.0
STOP_SECONDS = 10.0
LOG_TAIL_LINES = 25


class NotStarted(Exception):
    """A process ended, or stayed silent, before it was ready."""


class Child:
    """A Python module that runs beside us, its errors in a log file."""

    def __init__(
        self, module: str, *arguments: str, environment: Mapping[str, str], log_path: Path
    ) -> None:
        self.name = module
        self._log_path = log_path
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                [sys.executable, "-m", module, *arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=ROOT,
                env=dict(environment),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def ready(self) -> dict[str, Any]:
        """Wait for its first line, one JSON object, and return it.

        Raises:
            NotStarted: it ended first, or said nothing for READY_SECONDS.
        """
        return cast(dict[str, Any], json.loads(self._first_line()))

    def _first_line(self) -> str:
        assert self._process.stdout is not None
        pipe, line = self._process.stdout.fileno(), b""
        deadline = time.monotonic() + READY_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select([pipe], [], [], left)
            chunk = os.read(pipe, 65_536) if readable else b""
            line += chunk
            if b"\n" in line:
                return line.partition(b"\n")[0].decode()
            if not chunk:
                break
        raise NotStarted(f"{self.name} did not start. Its log ends with:\n\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The last lines it logged."""
        lines = self._log_path.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def stop(self) -> None:
        """End it as an operator would, and by force after STOP_SECONDS. Safe to repeat."""
        if self.exit_code is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
