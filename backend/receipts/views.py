"""What anybody may ask: by which keys receipts are signed, and whether one is genuine."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from backend.receipts.keys import published_keys, write_key_set
from backend.receipts.verifying import NotGenuine, verify

# Pages of every origin may ask: the answers are the same for everybody, and no cookie matters.
FOR_EVERYBODY = {"Access-Control-Allow-Origin": "*"}
VERIFY_PATH = "receipts/verify"


def verify_url() -> str:
    """Where a receipt can be sent to be checked."""
    return f"{settings.PUBLIC_URL}/{VERIFY_PATH}"


@require_safe
@cache_control(public=True, max_age=3600)
def published(request: HttpRequest) -> JsonResponse:
    """GET /.well-known/receipts/jwks.json: the public keys, the one in use and those before it."""
    return JsonResponse(
        write_key_set(published_keys()),
        content_type="application/jwk-set+json",
        headers=FOR_EVERYBODY,
    )


@csrf_exempt
@require_POST
@never_cache
def check(request: HttpRequest) -> JsonResponse:
    """POST /receipts/verify, with a receipt as the body: whether this server issued it, or why not.

    It takes the whole receipt and reads no table, so it tells nobody anything that they did not
    bring: a number alone gets no answer. The body keeps it out of logs, which have URLs.
    """
    try:
        claims = verify(
            request.body.decode("ascii", errors="replace").strip(),
            keys=published_keys(),
            issuer=settings.PUBLIC_URL,
        )
    except NotGenuine as error:
        body = {"valid": False, "reason": error.flaw, "message": error.message}
    else:
        body = {"valid": True, "receipt": claims}
    return JsonResponse(body, headers=FOR_EVERYBODY)
