"""`python -m backend.embedded`: server, worker and beat in one process, with nothing else to start.

The same code as in production: Celery's worker and beat run on threads beside uvicorn, by default
over SQLite and an in-memory broker. With DATABASE_URL and REDIS_URL set it uses those.
"""

import argparse
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

WORKER_THREADS = 8
DRAIN_SECONDS = 2
STOP_SECONDS = 5.0

log = logging.getLogger(__name__)


def main() -> None:
    """Serve until SIGTERM or SIGINT; print one JSON line once requests are welcome."""
    arguments = _arguments()
    listener = _listen(arguments.host, arguments.port)
    base_url = f"http://{arguments.host}:{listener.getsockname()[1]}"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    # Wallets send people back here, so the default has to know the port.
    os.environ.setdefault("PUBLIC_URL", base_url)

    import django
    from django.core.management import call_command

    from backend.telemetry import context

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    context.process_is("embedded")
    stopped = _note_signals()
    with _background_work():
        if not stopped.is_set():
            _serve(listener, ready_line=json.dumps({"base": base_url}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="backend.embedded", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes any free port")
    return parser.parse_args()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        sys.exit(
            f"Port {port} of {host} cannot be used ({error.strerror}); choose one with --port."
        )


def _note_signals() -> threading.Event:
    # uvicorn raises the signal it stopped for once more when it is done. By default that would
    # kill the process there, before the worker had put down what it has in hand.
    stopped = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    return stopped


def _serve(listener: socket.socket, *, ready_line: str) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            sys.stdout.write(f"{ready_line}\n")
            sys.stdout.flush()

    config = uvicorn.Config(
        "backend.asgi:application",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Items are small: compressing them costs more than it saves.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    Server(config).run(sockets=[listener])


@contextmanager
def _background_work() -> Iterator[None]:
    """Run Celery's worker and beat on threads of this process while the body runs."""
    from celery import beat
    from celery.worker import WorkController, state

    from celery_app import app

    # Not app.Worker: that one also takes over signals and stdout, as a process of its own may.
    worker = WorkController(
        app=app,
        pool="threads",
        concurrency=WORKER_THREADS,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    clock = beat.Service(app, scheduler_cls=beat.Scheduler)
    threads = [
        threading.Thread(target=worker.start, name="worker", daemon=True),
        threading.Thread(target=clock.start, name="beat", daemon=True),
    ]
    for entry in app.conf.beat_schedule.values():
        # Beat waits one period before the first round; a fresh process has waited long enough.
        app.send_task(entry["task"])
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        state.should_stop = 0
        for thread in threads:
            thread.join(STOP_SECONDS)
            clock.stop()
        if any(thread.is_alive() for thread in threads):
            # A wallet is still silent. Its payment's row says what was asked, so whoever claims
            # it next goes on from there; waiting longer would gain nothing.
            log.warning("stopped while a wallet had not answered")
            os._exit(0)


if __name__ == "__main__":
    main()
