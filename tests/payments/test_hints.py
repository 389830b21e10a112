import os
import subprocess
import sys

import pytest

PRINT_THE_BROKER = (
    "from backend.payments.tasks import advance_payment;"
    "print(advance_payment.app.main, advance_payment.app.conf.broker_url)"
)


@pytest.mark.parametrize("entry", ["backend.asgi", "celery_app"])
def test_every_process_sends_its_hints_through_our_app(entry: str) -> None:
    environment = {**os.environ, "BROKER_URL": "memory://here"}

    done = subprocess.run(
        [sys.executable, "-c", f"import {entry}, django; django.setup(); {PRINT_THE_BROKER}"],
        env={**environment, "DJANGO_SETTINGS_MODULE": "backend.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.split()[-2:] == ["faena", "memory://here"]
