"""docs/uploads.md says what the code does: its types, its times and its limits are compared."""

import hashlib
import importlib
import json
import os
import re
import subprocess
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import boto3
from botocore.stub import Stubber

from backend.files import media_types
from backend.rate_limits import LIMITS
from tests.docs import pages

PAGE = pages.DOCS / "uploads.md"


def test_every_type_that_is_taken_is_listed_and_no_other() -> None:
    rows = pages.table_with_heading(PAGE, "Kind")

    listed = [name for row in rows for name in re.findall(r"`([^`]+)`", row[1])]
    assert set(listed) == media_types.taken()
    assert len(listed) == len(set(listed))


def test_every_time_in_the_table_is_the_one_of_the_code() -> None:
    rows = pages.table_with_heading(PAGE, "Constant")

    named = {row[0].strip("`"): row[1] for row in rows}
    assert named == {name: pages.in_words(_value_of(name)) for name in named}


def test_every_default_is_the_one_of_the_example_environment() -> None:
    rows = pages.table_with_heading(PAGE, "Setting")

    example = (pages.ROOT / ".env.example").read_text()
    for name, default, *_ in rows:
        assert f"\n{name.strip('`')}={default}\n" in example


def test_the_limit_of_requests_is_the_one_of_the_code() -> None:
    limit = LIMITS["uploads"]

    assert (limit.amount, limit.get_expiry()) == (60, 60)
    assert "more than 60 of these mutations in a minute" in PAGE.read_text()


def test_the_commands_measure_a_file_and_bring_the_part_that_was_asked_for(tmp_path: Path) -> None:
    film = bytes(range(256)) * 40
    (tmp_path / "film.mp4").write_bytes(film)
    measure, bring = (text for kind, text in pages.FENCED.findall(PAGE.read_text()) if kind == "sh")

    said = subprocess.run(["bash", "-ec", measure], cwd=tmp_path, capture_output=True, check=True)

    size, digest = said.stdout.decode().split()[:2]
    assert (int(size), digest) == (len(film), hashlib.sha256(film).hexdigest())
    assert bytes_brought_by(bring, folder=tmp_path, offset=300, size=1000) == film[300:1300]


def test_the_rules_for_a_bucket_are_rules_of_s3() -> None:
    rules = json.loads(
        next(text for kind, text in pages.FENCED.findall(PAGE.read_text()) if kind == "json")
    )
    client = boto3.client("s3", "us-east-1", aws_access_key_id="-", aws_secret_access_key="-")
    with Stubber(client) as stub:
        asked = {"Bucket": "files", "CORSConfiguration": {"CORSRules": rules}}
        stub.add_response("put_bucket_cors", {}, asked)

        client.put_bucket_cors(**asked)


def bytes_brought_by(script: str, *, folder: Path, offset: int, size: int) -> bytes:
    """What a server gets that is named as the part's URL."""
    got = []

    class Store(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Store) as store:
        thread = threading.Thread(target=store.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{store.server_port}/part"
        values = {"OFFSET": str(offset), "SIZE": str(size), "URL": url, "no_proxy": "*"}
        environment = {"PATH": os.environ["PATH"], **values}
        quiet = script.replace("curl ", "curl --silent ")
        subprocess.run(["bash", "-ec", quiet], cwd=folder, env=environment, check=True, timeout=20)
        thread.join(timeout=10)
    (body,) = got
    return body


def _value_of(name: str) -> object:
    module, _, constant = name.rpartition(".")
    value = getattr(importlib.import_module(f"backend.{module}"), constant)
    return timedelta(seconds=value) if constant.endswith("_SECONDS") else value
