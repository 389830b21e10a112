"""What everybody is answered while the database is away: come back with the same request.

The links that people hold go on working: whatever was committed is found again, and repeating it
does nothing twice.
"""

import logging

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext_lazy as _

from backend.errors import ErrorCode, FaenaError

log = logging.getLogger(__name__)

# It does not answer, or breaks off. Also what is only there for a moment: a lock, a lost race.
AWAY = (OperationalError, InterfaceError)
# A standby that is about to take over: PostgreSQL refuses to write there.
ONLY_READS = "25006"
RETRY_AFTER_SECONDS = 5
RETRY_AFTER = {"Retry-After": str(RETRY_AFTER_SECONDS)}


class DatabaseAway(FaenaError):
    """The database does not answer."""

    code = ErrorCode.UPSTREAM_UNAVAILABLE
    retryable = True

    def __init__(self) -> None:
        super().__init__(
            _(
                "The server cannot reach its records at the moment. Nothing was lost: try the "
                "same again in a few seconds."
            )
        )


class Outages(MiddlewareMixin):
    """Answers 503 where a view met a database that is away: a page to browsers, JSON to others."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer, or None where it was something else."""
        if not is_away(exception):
            return None
        note(exception)
        answer = _page(request) if _is_browser(request) else _refusal()
        # Its address may be a permission.
        answer["Referrer-Policy"] = "no-referrer"
        return answer


def is_away(error: BaseException | None) -> bool:
    """Whether the database did not answer; SQLite calls a mistake in our SQL by the same name."""
    cause = getattr(error, "__cause__", None)
    if isinstance(error, InternalError):
        return getattr(cause, "sqlstate", "") == ONLY_READS
    mistake = getattr(cause, "sqlite_errorname", "") == "SQLITE_ERROR"
    return isinstance(error, AWAY) and not mistake


def note(error: BaseException) -> None:
    """Say in the log that somebody was sent away, and why."""
    log.warning("no database (%s), asked to come back", type(error).__name__)


def _is_browser(request: HttpRequest) -> bool:
    return request.get_preferred_type(["application/json", "text/html"]) == "text/html"


def _page(request: HttpRequest) -> HttpResponse:
    context = {"message": DatabaseAway().message, "can_be_opened_again": request.method == "GET"}
    page = render_to_string("unavailable.html", context)
    return HttpResponse(page, status=503, headers=RETRY_AFTER)


def _refusal() -> HttpResponse:
    error = DatabaseAway()
    body = {"errors": [{"message": error.message, "extensions": {"code": error.code}}]}
    return JsonResponse(body, status=503, headers=RETRY_AFTER)
