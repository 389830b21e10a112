"""`manage.py listen` sends on what happens while it runs, signed with the secret it printed."""

import re
import threading
import time
from io import StringIO

import pytest
import standardwebhooks
from django.core.management import CommandError, call_command
from django.db import connection

from backend.webhooks import signatures
from backend.webhooks.listening import Listener
from backend.webhooks.names import PayloadFormat
from tests.webhooks.world import NOON, Receiver, announce, client_for

pytestmark = pytest.mark.django_db(transaction=True)


def listener(receiver: Receiver, *events: str) -> Listener:
    client = client_for(receiver.origin)
    secret = signatures.new_secret()
    return Listener(receiver.url, secret, events or ("*",), PayloadFormat.STANDARD, client)


def test_what_happened_before_is_not_sent_on_and_what_happens_then_is_once(
    receiver: Receiver,
) -> None:
    announce("job:1")
    listening = listener(receiver)
    with listening.client:
        later = [announce(topic) for topic in ("job:1", "job:2", "job:1")]

        listening.round(now=NOON)
        listening.round(now=NOON)

    assert receiver.ids() == [str(later[0].id), str(later[2].id), str(later[1].id)]


def test_only_what_was_asked_for_is_sent_on(receiver: Receiver) -> None:
    listening = listener(receiver, "user.*")
    with listening.client:
        announce("job:1")
        wanted = announce("user:1")

        (forwarded,) = listening.round(now=NOON)

    assert forwarded.event == wanted
    assert receiver.ids() == [str(wanted.id)]


def test_a_receiver_that_is_not_there_ends_nothing(receiver: Receiver) -> None:
    listening = listener(receiver)
    with listening.client:
        receiver.answer = lambda request: (500, {})
        announce("job:1")

        (forwarded,) = listening.round(now=NOON)

    assert forwarded.answer is not None and forwarded.answer.status_code == 500


def test_the_command_prints_its_secret_and_what_it_sends(receiver: Receiver) -> None:
    out = StringIO()

    def happen() -> None:
        deadline = time.monotonic() + 5
        while "signing" not in out.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
        announce("job:1")
        connection.close()

    thread = threading.Thread(target=happen)
    thread.start()
    call_command("listen", receiver.url, "--seconds", "2", stdout=out)
    thread.join()

    (request,) = receiver.got
    found = re.search(r"signing with (\S+)", out.getvalue())
    assert found is not None
    standardwebhooks.Webhook(found[1]).verify(request.body, request.headers)
    assert f"job.status {request.id} -> 204" in out.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("http://127.0.0.1:1/", "--events", "x"), ("http://a/", "--secret", "x")],
)
def test_what_cannot_be_listened_to_is_said(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("listen", *arguments)
