"""The door for webhooks of others."""

import logging

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from backend.clock import SYSTEM_CLOCK
from backend.webhooks import inbox
from backend.webhooks.signatures import ID, SIGNATURE, TIMESTAMP, NotGenuine

log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
@never_cache
def payments(request: HttpRequest) -> JsonResponse:
    """POST /api/webhooks/payments: 202 for what is signed, 401 for what is not, 400 for garbage.

    One body for each refusal, which helps nobody to guess. The log says more, in one line.
    """
    body = request.read(inbox.LARGEST_BYTES + 1)
    if len(body) > inbox.LARGEST_BYTES:
        return _refuse(400, "too large")
    headers = {name: request.headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE)}
    try:
        inbox.receive(headers=headers, body=body, now=SYSTEM_CLOCK.now())
    except NotGenuine as error:
        return _refuse(401, str(error))
    except inbox.Malformed as error:
        return _refuse(400, str(error))
    return JsonResponse({"ok": True}, status=202)


def _refuse(status: int, reason: str) -> JsonResponse:
    log.warning("inbound webhook refused: %s", reason)
    code = {400: "BAD_REQUEST", 401: "UNAUTHENTICATED"}[status]
    return JsonResponse({"ok": False, "error": {"code": code}}, status=status)
