"""A PostgreSQL server of one's own, which may be stopped as by a power cut.

PostgreSQL does not run as root: there, it runs as the user `postgres`.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.processes import START_SECONDS, Process, free_port

SUPERUSER = "postgres"
# Debian keeps the programs of each version out of PATH.
_ELSEWHERE = Path("/usr/lib/postgresql")


class Cluster:
    """The server and its folder. `url` is that of a superuser who needs no password."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"postgres://{SUPERUSER}@127.0.0.1:{port}/postgres"
        self._data = folder / "data"
        options = {"port": str(port), "listen_addresses": "127.0.0.1"}
        settings = {**options, "unix_socket_directories": str(folder), "shared_buffers": "64MB"}
        pairs = [f"--{name}={value}" for name, value in settings.items()]
        self.process = Process(
            "postgres",
            _as_owner([_program("postgres"), "-D", str(self._data), *pairs]),
            environment=dict(os.environ),
            log_file=folder / "postgres.log",
            ready="database system is ready to accept connections",
        )

    def make(self) -> None:
        """Fill the folder with an empty cluster that trusts everybody on this machine."""
        _run([_program("initdb"), "-D", str(self._data), "-U", SUPERUSER, "-A", "trust", "-N"])

    def stop_immediately(self) -> None:
        """`pg_ctl -m immediate`: nobody is asked, nothing is written; the start recovers."""
        _run([_program("pg_ctl"), "-D", str(self._data), "-m", "immediate", "-w", "stop"])


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    """Run one until the block ends, then leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="faena-pg-"))
    cluster = Cluster(folder)
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, SUPERUSER)
        cluster.make()
        cluster.process.start()
        cluster.process.wait_until_ready()
        yield cluster
    finally:
        cluster.process.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    places = sorted(_ELSEWHERE.glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(places[-1]) if places else None)
    if found is None:
        raise RuntimeError(f"PostgreSQL's {name} is not on this machine")
    return found


def _as_owner(command: Sequence[str]) -> list[str]:
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", f"--reuid={SUPERUSER}", f"--regid={SUPERUSER}", "--clear-groups", *command]


def _run(command: Sequence[str]) -> None:
    subprocess.run(
        _as_owner(command), capture_output=True, check=True, timeout=START_SECONDS, cwd="/"
    )
