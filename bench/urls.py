"""The product's URLs and what the benchmarks compare it with."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from backend.urls import urlpatterns as product
from bench import hand_written


async def bare(request: HttpRequest) -> JsonResponse:
    """The least that a JSON endpoint of Django can do."""
    answer = JsonResponse({"data": {"viewer": None}})
    answer["Content-Length"] = str(len(answer.content))
    return answer


urlpatterns = [
    path("bench/bare", bare),
    path("bench/jobs", hand_written.jobs),
    path("bench/jobs/<uuid:key>", hand_written.job),
    *product,
]
