import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend import outbound
from backend.clock import SYSTEM_CLOCK
from backend.errors import FaenaError
from backend.webhooks import signatures
from backend.webhooks.listening import Forwarded, Listener
from backend.webhooks.names import PayloadFormat, check_patterns

ROUND_SECONDS = 0.25


class Command(BaseCommand):
    help = "Send every event of this installation, signed, to a URL while this runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", help="such as http://127.0.0.1:3000/webhooks")
        parser.add_argument("--events", nargs="+", default=["*"], help="names, as of an endpoint")
        parser.add_argument(
            "--format", choices=PayloadFormat.values, default=PayloadFormat.STANDARD.value
        )
        parser.add_argument("--secret", help="to sign with; left out, a fresh one is printed")
        parser.add_argument("--seconds", type=float, help="end after so long")

    def handle(self, *, url: str, seconds: float | None, **options: Any) -> None:
        payload_format = PayloadFormat(options["format"])
        secret = options["secret"] or signatures.new_secret()
        try:
            signatures.key_of(secret)
            events = check_patterns(options["events"], payload_format)
            origin = "/".join(url.split("/")[:3])
            # Whoever can run this names the URL: it may be on this very machine.
            policy = outbound.Policy(allowed_origins=frozenset({origin}), max_body_bytes=2**31)
        except (FaenaError, ValueError) as error:
            raise CommandError(str(error)) from error
        with outbound.client(policy) as client:
            listener = Listener(url, secret, events, payload_format, client)
            self.stdout.write(f"signing with {secret}")
            ends_at = None if seconds is None else time.monotonic() + seconds
            while ends_at is None or time.monotonic() < ends_at:
                for done in listener.round(now=SYSTEM_CLOCK.now()):
                    self.stdout.write(_line(done))
                time.sleep(ROUND_SECONDS)


def _line(done: Forwarded) -> str:
    answer = done.answer
    outcome = "not sent" if answer is None else answer.status_code or answer.flaw
    return f"{done.name} {done.event.id} -> {outcome}"
