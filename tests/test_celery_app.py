import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("process", ["worker", "beat"])
def test_with_unsafe_settings_it_does_not_start(process: str, tmp_path: Path) -> None:
    unsafe = {**os.environ, "DEBUG": "", "SECRET_KEY": "guessed", "BROKER_URL": "memory://"}

    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "celery_app", process],
        cwd=tmp_path,
        env={**unsafe, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode != 0
    assert "faena.E001" in done.stdout + done.stderr
