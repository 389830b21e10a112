"""A trivial GraphQL query, against a bare Django view on the same server."""

from urllib.parse import urlsplit

from bench.load import Request, load
from bench.results import Row
from bench.world import World

SLICES = 6
SLICE_SECONDS = 0.8
ANSWER = b'{"data":{"viewer":null}}'


async def measure(world: World) -> list[Row]:
    """Load both in turns from the same few connections; requests per second."""
    host = urlsplit(world.base_url).netloc
    query = Request.post(host, "/graphql", {"query": "{ viewer { displayName } }"})
    bare = Request.get(host, "/bench/bare")
    answered = {query: 0, bare: 0}
    for _ in range(SLICES):
        for request in answered:
            answered[request] += await load(request, expected=ANSWER, seconds=SLICE_SECONDS)
    seconds = SLICES * SLICE_SECONDS
    return [
        Row(
            name="trivial GraphQL query / bare Django view, throughput",
            unit="/s",
            ours=answered[query] / seconds,
            baseline=answered[bare] / seconds,
            at_least=0.45,
        )
    ]
