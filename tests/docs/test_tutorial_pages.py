"""The tutorials can be followed: docs/tutorial.md by its tabs, docs/tutorial-terminal.md as pasted.

That the tabs do in a browser what the page says is in tests/conformance/test_newcomer.py.
"""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

from graphql import OperationDefinitionNode, parse

from backend.payments.status import TRANSITIONS, PaymentStatus
from backend.schema.graphiql import Tab
from backend.schema.tabs import tabs
from tests.docs import pages
from tests.e2e.test_up import up
from tests.schema.test_tabs import BACK, EXAMPLE
from tools.up import JOB_TO_FUND
from tools.world import bare_environment

IN_GRAPHIQL = pages.DOCS / "tutorial.md"
IN_A_TERMINAL = pages.DOCS / "tutorial-terminal.md"


def name_of(tab: Tab) -> str:
    (operation,) = parse(tab.query).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.name is not None
    return operation.name.value


def test_every_tab_is_introduced_in_its_order() -> None:
    text = IN_GRAPHIQL.read_text().partition("## 5.")[0]
    introduced = list(dict.fromkeys(re.findall(r"\*\*([A-Z]\w+)\*\*", text)))

    said = [name for name in introduced if name not in {"GraphiQL", "Approve"}]
    assert said == [name_of(tab) for tab in tabs(EXAMPLE, return_url=BACK)]


def test_what_it_says_about_the_payment_is_so() -> None:
    text = IN_GRAPHIQL.read_text()
    (seen,) = re.findall(r"```text\n(.+)\n```", text)

    statuses = [PaymentStatus(each) for each in seen.split(" → ")]
    assert all(new in TRANSITIONS[old] for old, new in pairwise(statuses))
    assert statuses[0] in TRANSITIONS[PaymentStatus.AWAITING_APPROVAL]
    cents = int(JOB_TO_FUND["reward"]["value"])  # type: ignore[index]
    assert f"{cents / 100:.2f} USD" in text and JOB_TO_FUND["workersNeeded"] == 1


def test_the_terminals_commands_end_with_a_paid_job_and_its_receipt(tmp_path: Path) -> None:
    blocks = [text for kind, text in pages.FENCED.findall(IN_A_TERMINAL.read_text())]
    environment = {**bare_environment(), "VAR_DIR": str(tmp_path / "var")}
    with up(environment) as _:
        done = subprocess.run(
            ["bash", "-eu"],
            input="\n".join(blocks),
            cwd=tmp_path,
            env={**environment, "no_proxy": "*"},
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    watched = re.findall(r'"status": ?"(\w+)", ?"terminal": ?(true|false)', done.stdout)
    assert watched[-1] == ("COMPLETED", "true")
    assert '"value": "1250"' in done.stdout.replace('":"', '": "')
    assert re.search(r'"number": ?"R-\d{4}-', done.stdout)
