"""The first five minutes with `make up`: its tabs in a real browser, until somebody is paid."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import GRAPHIQL, HERE
from tests.e2e.test_up import up
from tools.world import bare_environment


@pytest.fixture(scope="module")
def visit(node: str, browser: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What newcomer.mjs saw, and the report of the world that it was in."""
    var_dir = tmp_path_factory.mktemp("newcomer")
    build = [node, str(GRAPHIQL / "build.mjs"), str(var_dir / "graphiql")]
    subprocess.run(build, check=True, timeout=120)
    with up({**bare_environment(), "VAR_DIR": str(var_dir)}) as (_, report):
        return {"report": report, **run(node, browser, report, screenshots=var_dir)}


def run(node: str, browser: str, report: dict[str, Any], *, screenshots: Path) -> dict[str, Any]:
    arguments = {
        "url": report["urls"]["graphiql"],
        "executable": browser,
        "screenshots": str(screenshots),
    }
    done = subprocess.run(
        [node, "newcomer.mjs", json.dumps(arguments)],
        cwd=HERE,
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def answer(visit: Any, title: str) -> str:
    """What a tab answered, without the line breaks that GraphiQL adds."""
    return "".join(line.strip() for line in visit["answers"][title].splitlines())


def test_every_tab_was_run_and_nothing_was_refused(visit: Any) -> None:
    assert visit["errors"] == []
    assert set(visit["answers"]) == set(visit["tabs"])
    for title in visit["tabs"]:
        assert '"data": {' in answer(visit, title)
        assert '"message"' not in answer(visit, title)


def test_the_tabs_act_as_the_people_of_this_world(visit: Any) -> None:
    people = visit["report"]["users"]

    assert people["funder"]["walletAddress"] in answer(visit, "WhoAmI")
    assert people["worker"]["walletAddress"] in answer(visit, "WorkerPage")


def test_the_payment_is_seen_completed_after_consent_in_another_browser_tab(visit: Any) -> None:
    assert "The payment is approved" in visit["returned"]
    assert '"status": "COMPLETED"' in answer(visit, "Watch")
    assert '"value": "1250"' in answer(visit, "Watch")


def test_the_job_is_paid_for_the_funder_and_for_the_worker(visit: Any) -> None:
    for title in ("JobPage", "WorkerPage"):
        assert '"fundingAssurance": "PAID"' in answer(visit, title)
