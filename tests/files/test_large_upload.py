"""80 MB over a line that breaks: resumed where it broke, and never held in memory."""

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from backend.files.parts import PART_SIZE
from tests.files.client import Client
from tests.test_asgi import Process

SIZE = 80 * 1000**2
HEAD = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
# What all of it may cost: some buffers, but not one copy of a part for each part.
MOST_GROWTH = 24 * 1024**2


class Line:
    """The way to a server that was started before its port was known to it."""

    def __init__(self, process: Process) -> None:
        self.base = f"http://127.0.0.1:{process.port}"
        self.client = Client(f"{self.base}/graphql", process.bearer)

    def url(self, signed: str) -> str:
        return f"{self.base}{urlsplit(signed).path}"

    def bring(self, part: dict[str, Any], content: bytes) -> None:
        body = content[part["offset"] : part["offset"] + part["size"]]
        assert httpx.put(self.url(part["url"]), content=body, timeout=60).status_code == 204

    def break_in(self, part: dict[str, Any], content: bytes) -> None:
        """Bring half of a part, and vanish."""
        url = urlsplit(self.url(part["url"]))
        head = f"PUT {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {part['size']}"
        with socket.create_connection((url.hostname or "", url.port or 0)) as connection:
            half = content[part["offset"] : part["offset"] + PART_SIZE // 2]
            connection.sendall(f"{head}\r\n\r\n".encode() + half)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    running = Process(tmp_path)
    yield running
    running.stop()


def most_resident(process: Process) -> int:
    """How many bytes of memory the server has had at most, so far."""
    status = Path(f"/proc/{process.process.pid}/status")
    if not status.exists():
        pytest.skip("this system does not tell how much memory a process takes")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def film(size: int) -> bytes:
    block = hashlib.sha512(b"film").digest() * 1024
    return (HEAD + block * (size // len(block) + 1))[:size]


def test_a_film_is_resumed_where_the_line_broke_and_takes_no_memory(process: Process) -> None:
    line, content, small = Line(process), film(SIZE), film(100)
    upload = line.client.request(small, name="small.mp4", mediaType="video/mp4")
    line.bring(upload["parts"][0], small)
    assert line.client.complete(upload["file"]["id"])["errors"] == []
    before = most_resident(process)

    upload = line.client.request(content, name="film.mp4", mediaType="video/mp4")
    for part in upload["parts"][:7]:
        line.bring(part, content)
    line.break_in(upload["parts"][7], content)
    resumed = line.client.resume(upload["file"]["id"])
    for part in resumed["parts"]:
        line.bring(part, content)
    done = line.client.complete(upload["file"]["id"])
    digest = hashlib.sha256()
    with httpx.stream("GET", line.url(done["file"]["downloadUrl"])) as answer:
        for chunk in answer.iter_bytes():
            digest.update(chunk)

    assert [part["number"] for part in resumed["parts"]] == list(range(8, 17))
    assert digest.hexdigest() == hashlib.sha256(content).hexdigest()
    growth = most_resident(process) - before
    print(f"80 MB up and down: {growth / 1024**2:.1f} MiB more memory at most")
    assert growth < MOST_GROWTH
