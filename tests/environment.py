"""The environment of a test run, set before Django reads its settings (`-p tests.environment`).

Databases, key prefixes and files are this run's own, so that runs can stand beside each other.
"""

import atexit
import os
import shutil
import tempfile
import uuid

RUN_ID = os.environ.setdefault("FAENA_TEST_RUN", uuid.uuid4().hex[:10])

os.environ["DEBUG"] = "1"
os.environ["VAR_DIR"] = os.path.join(tempfile.gettempdir(), f"faena-tests-{RUN_ID}")
if "PYTEST_XDIST_WORKER" not in os.environ:
    atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)
# Each parallel worker counts its own log-ins.
os.environ["REDIS_PREFIX"] = f"faena-test-{RUN_ID}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
# Hints go nowhere in tests; those that need a broker start their own processes.
os.environ["BROKER_URL"] = "memory://"
os.environ.setdefault("LOG_LEVEL", "WARNING")
