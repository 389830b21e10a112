"""A real server, and both stores: a folder of the test's own, and a bucket in a process of moto."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from pytest_django import Settings
from werkzeug.serving import make_server

from backend import rate_limits
from backend.files import stores
from backend.ids import new_id
from tests.schema.server import Server, serving

KEY = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}


@pytest.fixture(autouse=True)
def _fresh_limits(settings: Settings) -> Iterator[None]:
    settings.REDIS_PREFIX = f"{settings.REDIS_PREFIX}-{new_id().hex}"
    yield
    rate_limits.limiter().reset()


@pytest.fixture
def disk(settings: Settings, tmp_path: Path) -> Path:
    """The folder that files are kept in."""
    settings.FILES_BUCKET = ""
    settings.FILES_DIR = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3-compatible store."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    moto = DomainDispatcherApplication(create_backend_app)
    turn = threading.Lock()

    def one_at_a_time(environ: Any, start_response: Any) -> Any:
        # A store is consistent: an upload turns into its object in one step. In moto, for a
        # moment, there is neither.
        with turn:
            return moto(environ, start_response)

    server = make_server(
        "127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=MotoRequestHandler
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bucket(settings: Settings, s3: str) -> Iterator[str]:
    """An empty bucket, which files are kept in."""
    name = f"files-{new_id().hex}"
    client = boto3.client("s3", endpoint_url=s3, region_name="us-east-1", **KEY)
    client.create_bucket(Bucket=name)
    settings.FILES_BUCKET = name
    settings.FILES_ENDPOINT_URL = settings.FILES_PUBLIC_ENDPOINT_URL = s3
    settings.FILES_ACCESS_KEY_ID, settings.FILES_SECRET_ACCESS_KEY = KEY.values()
    yield name
    stores._s3.cache_clear()


@pytest.fixture(params=["disk", "bucket"])
def either_store(request: pytest.FixtureRequest) -> str:
    """The contract is one: what uses this runs once on a folder and once on a bucket."""
    request.getfixturevalue(request.param)
    return str(request.param)


@pytest.fixture
def server(transactional_db: None, settings: Settings) -> Iterator[Server]:
    """The whole application under uvicorn, which signs its URLs for where it listens."""
    with serving() as running:
        settings.PUBLIC_URL = running.http
        yield running
