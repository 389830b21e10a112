"""Running the checks: each on a thread of its own, none waits for another, all have an end."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping

from django.db import connections

from backend.doctor.findings import Code, Finding, Found

log = logging.getLogger(__name__)

# Says what is well, or raises Found.
Check = Callable[[], str]
SECONDS_FOR_A_CHECK = 5.0


def examine(checks: Mapping[str, Check], *, seconds: float = SECONDS_FOR_A_CHECK) -> list[Finding]:
    """Run all checks at once, and return what they found in their order after `seconds` at most.

    A check that is not done then goes on behind our back, on a thread that ends with the process.
    """
    answers: queue.Queue[Finding] = queue.Queue()
    for name, check in checks.items():
        threading.Thread(target=_run, args=(name, check, answers), name=name, daemon=True).start()
    found: dict[str, Finding] = {}
    ends_at = time.monotonic() + seconds
    while len(found) < len(checks) and (left := ends_at - time.monotonic()) > 0:
        try:
            answer = answers.get(timeout=left)
        except queue.Empty:
            break
        found[answer.check] = answer
    too_long = f"No answer within {seconds:g} s."
    return [
        found.get(name) or Finding(check=name, code=Code.TOOK_TOO_LONG, message=too_long)
        for name in checks
    ]


def find(name: str, check: Check) -> Finding:
    """Run one check here and now, and turn whatever happens into a finding."""
    try:
        return Finding(check=name, code=Code.OK, message=check())
    except Found as found:
        return Finding(check=name, code=found.code, message=found.message)
    except Exception as error:
        log.debug("%s broke", name, exc_info=True)
        # Only its kind: messages of libraries may quote what they were given.
        return Finding(check=name, code=Code.CHECK_BROKE, message=f"{type(error).__name__}.")


def _run(name: str, check: Check, answers: "queue.Queue[Finding]") -> None:
    try:
        answers.put(find(name, check))
    finally:
        connections.close_all()
