"""The client of docs/uploads.md, run as it stands there, over a line that breaks."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from pytest_django import Settings

from backend.files.models import File
from backend.files.parts import PART_SIZE
from backend.files.status import FileStatus
from tests.docs import pages
from tests.schema.server import serving
from tests.schema.world import a_person, bearer

PAGE = pages.DOCS / "uploads.md"
SIZE = 3 * PART_SIZE + 1000
# Every third request to bring a part fails on its way.
AROUND = """
import {{ File }} from "node:buffer";
import {{ webcrypto }} from "node:crypto";

globalThis.crypto ??= webcrypto;
const [REQUEST, RESUME, COMPLETE] = {operations};
const usual = fetch;
let asked = 0;
globalThis.fetch = (url, init) => {{
  if (init.method === "PUT" && ++asked % 3 === 1) return Promise.reject(new TypeError("cut"));
  return usual(url, init);
}};

{client}

async function graphql(query, input) {{
  const answer = await usual({graphql}, {{
    method: "POST",
    headers: {{ "Content-Type": "application/json", Authorization: {authorization} }},
    body: JSON.stringify({{ query, variables: {{ input }} }}),
  }});
  const {{ data, errors }} = await answer.json();
  if (errors) throw new Error(errors[0].message);
  return Object.values(data)[0];
}}

const bytes = new Uint8Array({size}).fill(120);
const film = new File([bytes], "notes.txt", {{ type: "text/plain;charset=utf-8" }});
console.log(JSON.stringify(await upload(film, graphql)));
"""


@pytest.mark.django_db(transaction=True)
def test_the_client_on_the_page_uploads_over_a_line_that_breaks(
    node: str, settings: Settings, tmp_path: Path
) -> None:
    settings.FILES_DIR = tmp_path / "files"
    blocks = pages.FENCED.findall(PAGE.read_text())
    request, complete, resume = (text for kind, text in blocks if kind == "graphql")
    (client,) = (text for kind, text in blocks if kind == "js")
    with serving() as server:
        settings.PUBLIC_URL = server.http
        program = AROUND.format(
            operations=json.dumps([request, resume, complete]),
            client=client,
            graphql=json.dumps(server.graphql),
            authorization=json.dumps(bearer(a_person())),
            size=SIZE,
        )

        done = subprocess.run(
            [node, "--input-type=module", "-e", program],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "READY"
    file = File.objects.get()
    assert (file.status, file.size) == (FileStatus.READY, SIZE)
    assert file.sha256 == hashlib.sha256(b"x" * SIZE).hexdigest()
