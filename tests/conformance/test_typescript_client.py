"""clients/typescript: as fresh as the schema, and used by an app against a real server.

That it follows streams over a bad connection is in test_streams.py, beside the other clients.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import HERE, run_package
from tests.schema.server import serving


@pytest.fixture
def seen(node: str, typescript_client: Path, transactional_db: None) -> Any:
    """What typescript_client.mjs saw."""
    with serving() as server:
        arguments = {"url": server.graphql, "ours": str(typescript_client)}
        done = subprocess.run(
            [node, "typescript_client.mjs", json.dumps(arguments)],
            cwd=HERE,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_its_documents_and_types_are_those_that_the_schema_gives(node: str) -> None:
    run_package(node, "@graphql-codegen/cli/esm/bin.js", "--check")


@pytest.mark.django_db(transaction=True)
def test_an_app_gets_answers_refusals_and_silence_as_what_they_are(seen: Any) -> None:
    assert seen["viewer"]["displayName"] == "Ana"
    assert seen["reward"] == "12.50\u00a0USD"
    assert seen["refused"]["code"] == "BAD_CREDENTIALS"
    assert "contraseña" in seen["refused"]["message"]
    assert (seen["missing"]["code"], seen["missing"]["paths"]) == ("VALIDATION", [["title"]])
    assert (seen["stranger"]["name"], seen["stranger"]["code"]) == ("Refused", "UNAUTHENTICATED")
    assert seen["silent"]["name"] == "NoAnswer"


@pytest.mark.django_db(transaction=True)
def test_sums_are_exact_to_the_last_digit(seen: Any) -> None:
    assert seen["amounts"] == [
        ["5", "0.05\u00a0USD"],
        ["1200", "12.00\u00a0USD"],
        ["922337203685477580799", "9,223,372,036,854,775,807.99\u00a0USD"],
        *[None] * 4,
    ]
    assert seen["yen"] == "1,250\u00a0JPY"
