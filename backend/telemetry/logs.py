"""Log lines: one JSON object each in production, readable on a developer's machine.

Everybody goes on logging with `logging`. What a line says beside its text comes from
`context.about`, or from `extra=`, and only keys in KEYS get out: an allow-list, because a new key
that nobody thought about is how a token gets into a log.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from backend.telemetry import context, traces
from backend.telemetry.redaction import redactor

# What a line may say. `docs/observability.md` explains each.
KEYS = frozenset(
    {
        *("timestamp", "level", "logger", "event", "exception", "process", "pid"),
        *("request_id", "trace_id", "span_id", "log_id"),
        *("payment_id", "held_grant_id", "funding_id", "job_id", "delivery_id", "reference"),
        *("task", "task_id", "operation", "call", "host"),
        *("method", "route", "status", "duration_ms", "bytes", "close_code"),
    }
)
# Their debug lines show whole requests and answers, and statements with their values.
_OURS = ("backend", "celery_app")
_LEAST_OF_OTHERS = "INFO"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# These write a line for every request, with its URL, or a dozen for every tick.
_QUIET = (
    *("httpx", "httpcore", "urllib3", "botocore", "boto3"),
    # The access line is ours: telemetry/http.py.
    "uvicorn.access",
    *("celery.beat", "celery.worker.strategy", "celery.app.trace"),
)


def logging_config(*, level: str, as_json: bool, secrets: Iterable[str]) -> dict[str, Any]:
    """Django's LOGGING. `level` is for our own lines; libraries say nothing below INFO.

    `secrets` never appear in any line, whatever logs them.
    """
    level = level.upper() if level.upper() in _LEVELS else "INFO"
    others = max(level, _LEAST_OF_OTHERS, key=_LEVELS.index)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": lambda: formatter(as_json=as_json, secrets=secrets)}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "lines", "stream": sys.stderr}
        },
        "root": {"handlers": ["stderr"], "level": others},
        "loggers": {
            **{name: {"level": level} for name in _OURS},
            **{name: {"level": max("WARNING", level, key=_LEVELS.index)} for name in _QUIET},
            # uvicorn and Django bring handlers of their own, which know nothing of all this.
            **{
                name: {"handlers": [], "propagate": True, "level": others}
                for name in ("uvicorn", "uvicorn.error", "django", "django.server")
            },
            "uvicorn.access": {"handlers": [], "propagate": True, "level": "WARNING"},
        },
    }


def formatter(*, as_json: bool, secrets: Iterable[str]) -> structlog.stdlib.ProcessorFormatter:
    """Renders a record: its text, what the work is about, and nothing that is secret."""
    last: list[Processor] = (
        [_redacted(redactor(secrets)), structlog.processors.JSONRenderer(ensure_ascii=False)]
        if as_json
        else [_redacted(redactor(secrets)), _readable]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.ExtraAdder(allow=KEYS),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _where,
            structlog.processors.format_exc_info,
            _allowed,
            *last,
        ],
    )


def _where(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    event["process"] = context.process_kind()
    if ids := traces.current_ids():
        event["trace_id"], event["span_id"] = ids
    return event


def _allowed(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    return {
        key: str(value) if isinstance(value, UUID) else value
        for key, value in event.items()
        if key in KEYS and value is not None
    }


def _redacted(redact: Callable[[str], str]) -> Processor:
    def process(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        return {
            key: redact(value) if isinstance(value, str) else value for key, value in event.items()
        }

    return process


_FIRST = ("timestamp", "level", "logger", "event", "exception")


def _readable(logger: WrappedLogger, method: str, event: EventDict) -> str:
    rest = " ".join(f"{key}={value}" for key, value in event.items() if key not in _FIRST)
    # In local time of day: who reads this sits in front of it.
    line = f"{event['timestamp'][11:23]} {event['level']:7} {event['event']}  [{rest}]"
    return f"{line}\n{event['exception']}" if event.get("exception") else line
