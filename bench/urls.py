"""The product's URLs and one bare view, the baseline of the GraphQL benchmark."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from backend.urls import urlpatterns as product


async def bare(request: HttpRequest) -> JsonResponse:
    """The least that a JSON endpoint of Django can do."""
    return JsonResponse({"data": {"viewer": None}})


urlpatterns = [path("bench/bare", bare), *product]
