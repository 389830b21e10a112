"""A trivial GraphQL query, against a bare Django view on the same server."""

import json
from urllib.parse import urlsplit

from bench.load import Request, answer_to, load
from bench.results import Row
from bench.world import World

SLICES = 6
SLICE_SECONDS = 0.8
DATA = {"viewer": None}


async def measure(world: World) -> list[Row]:
    """Load both in turns from the same few connections; requests per second."""
    host = urlsplit(world.base_url).netloc
    query = Request.post(host, "/graphql", {"query": "{ viewer { displayName } }"})
    bare = Request.get(host, "/bench/bare")
    answers = {each: await answer_to(each) for each in (query, bare)}
    for answer in answers.values():
        assert json.loads(answer)["data"] == DATA, answer
    answered = dict.fromkeys(answers, 0)
    for _ in range(SLICES):
        for request, answer in answers.items():
            answered[request] += await load(request, expected=answer, seconds=SLICE_SECONDS)
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
