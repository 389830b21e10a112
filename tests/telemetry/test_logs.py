import json
import logging
import sys
from io import StringIO
from typing import Any
from uuid import UUID

import pytest

from backend.telemetry import context
from backend.telemetry.logs import formatter, logging_config

PAYMENT = UUID("0197e6b2-5d1c-7b60-8a0e-2f2d3b1c4d5e")


class Lines:
    """A logger of its own, and what it has written."""

    def __init__(self, *, as_json: bool) -> None:
        self._stream = StringIO()
        handler = logging.StreamHandler(self._stream)
        handler.setFormatter(formatter(as_json=as_json, secrets=["the encryption key"]))
        self.log = logging.Logger("backend.test", logging.DEBUG)
        self.log.addHandler(handler)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def last(self) -> dict[str, Any]:
        return dict(json.loads(self.text.splitlines()[-1]))


@pytest.fixture(autouse=True)
def _nobody_has_said_what_this_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_process_kind", "command")


@pytest.fixture
def lines() -> Lines:
    return Lines(as_json=True)


def test_a_line_is_one_json_object_that_says_what_the_work_is_about(lines: Lines) -> None:
    with context.about(request_id="0123456789abcdef", payment_id=PAYMENT, funding_id=None):
        lines.log.info("asked %s", "the wallet")

    assert lines.last["event"] == "asked the wallet"
    assert lines.last["request_id"] == "0123456789abcdef"
    assert lines.last["payment_id"] == str(PAYMENT)
    assert lines.last["process"] == "command"
    assert "funding_id" not in lines.last


def test_what_is_noted_half_way_ends_with_the_work(lines: Lines) -> None:
    with context.about(funding_id=None):
        context.note(funding_id=PAYMENT)
        lines.log.info("inside")
        inside = lines.last
        with context.about(payment_id=PAYMENT):
            pass
    lines.log.info("outside")

    assert inside["funding_id"] == str(PAYMENT)
    assert not {"funding_id", "payment_id"} & lines.last.keys()


def test_what_nobody_left_room_for_is_not_noted(lines: Lines) -> None:
    context.note(funding_id=PAYMENT)
    lines.log.info("hello")

    assert "funding_id" not in lines.last


def test_keys_that_are_not_allowed_are_left_out(lines: Lines) -> None:
    lines.log.info("hello", extra={"access": "secret", "headers": {}, "log_id": "abc"})

    assert lines.last["log_id"] == "abc"
    assert not {"access", "headers"} & lines.last.keys()


@pytest.mark.parametrize("as_json", [True, False])
def test_secrets_are_taken_out_of_texts_and_of_tracebacks(as_json: bool) -> None:
    lines = Lines(as_json=as_json)
    try:
        raise ValueError("decrypting with the encryption key: password=swordfish")
    except ValueError:
        lines.log.exception("Bearer %s", "swordfish")

    assert "ValueError" in lines.text
    assert "swordfish" not in lines.text
    assert "encryption key" not in lines.text


def test_a_readable_line_has_the_text_and_the_ids() -> None:
    lines = Lines(as_json=False)
    with context.about(payment_id=PAYMENT):
        lines.log.warning("slow")

    assert "warning slow" in lines.text
    assert f"payment_id={PAYMENT}" in lines.text


def test_the_first_to_say_what_a_process_is_is_right(lines: Lines) -> None:
    context.process_is("embedded")
    context.process_is("web")
    lines.log.info("hello")

    assert lines.last["process"] == "embedded"


def test_debug_is_for_our_own_lines_only() -> None:
    config = logging_config(level="debug", as_json=True, secrets=[])

    levels = {name: each["level"] for name, each in config["loggers"].items()}
    assert levels["backend"] == "DEBUG"
    assert config["root"]["level"] == levels["django"] == levels["uvicorn.error"] == "INFO"
    assert levels["httpx"] == levels["uvicorn.access"] == "WARNING"
    assert config["handlers"]["stderr"]["stream"] is sys.stderr


@pytest.mark.parametrize("text", ["0123456789abcdef", "01J9ZK4Q-x.y_z", "a" * 64])
def test_a_request_id_that_looks_like_one_is_taken(text: str) -> None:
    assert context.sane_request_id(text) == text


@pytest.mark.parametrize("text", [None, "", "short", "a" * 65, "with blank inside", "new\nline00"])
def test_a_request_id_that_does_not_is_replaced(text: str | None) -> None:
    made = context.sane_request_id(text)

    assert made != text
    assert context.sane_request_id(made) == made


def test_a_message_takes_the_request_along() -> None:
    with context.about(request_id="0123456789abcdef"):
        headers = context.carried()

    assert context.taken_along(headers) == "0123456789abcdef"
    assert context.carried() == {}
    assert context.taken_along({"request_id": "not\nours!"}) is None
