"""The product's URLs and one bare view, the baseline of the GraphQL benchmark."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from backend.urls import urlpatterns as product


async def bare(request: HttpRequest) -> JsonResponse:
    """The least that a JSON endpoint of Django can do."""
    answer = JsonResponse({"data": {"viewer": None}})
    answer["Content-Length"] = str(len(answer.content))
    return answer


urlpatterns = [path("bench/bare", bare), *product]
