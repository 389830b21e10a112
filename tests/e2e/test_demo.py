"""`make demo`: a newcomer's first minute."""

import json
import subprocess
import sys

from tests.e2e.processes import REPOSITORY
from tools.world import bare_environment


def test_the_demo_ends_with_a_paid_job_and_says_so_on_its_last_line() -> None:
    demo = [sys.executable, "-m", "tools.demo"]

    done = subprocess.run(
        demo,
        cwd=REPOSITORY,
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    last_line = json.loads(done.stdout.splitlines()[-1])
    assert last_line["payment_status"] == "COMPLETED"
    assert last_line["job_status"] == "SELECTING"
    assert last_line["received"] == {"value": "2500", "assetCode": "USD", "assetScale": 2}
    # The snapshot, and the five announcements after AWAITING_APPROVAL that nobody can miss.
    assert last_line["events"] >= 6
    story = last_line["story"]
    assert (story["job_status"], story["funding_status"]) == ("COMPLETE", "SETTLED")
    assert story["paid"][-1] == {"value": "1250", "assetCode": "USD", "assetScale": 2}
    assert story["paid"][0]["assetCode"] == "MXN"
    assert story["refunded"] == {"value": "750", "assetCode": "USD", "assetScale": 2}
