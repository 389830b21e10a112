"""`python -m bench.crowd`: people with tokens and one job, and events about them when asked.

Commands come as JSON lines on stdin, results go to stdout; times are CLOCK_MONOTONIC's seconds,
which all processes of a machine share:

    {"do": "seed", "people": 125}                         tokens of so many people, and a job
    {"do": "happen", "topic": "job", "count": 1, "length": 10}    what happens to all or to one,
    {"do": "happen", "topic": "person", "number": 0, …}    and when it was committed
"""

import json
import sys
import time
from datetime import timedelta
from typing import Any

import django

Json = dict[str, Any]


def main() -> None:
    """Obey until stdin ends."""
    django.setup()
    crowd = Crowd()
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(getattr(crowd, command.pop("do"))(**command)), flush=True)


class Crowd:
    """Those who follow, and what they follow."""

    def __init__(self) -> None:
        self._people: list[Any] = []
        self._job: Any = None

    def seed(self, people: int) -> Json:
        """Make everybody; their tokens, and the job's global id."""
        from backend.accounts import tokens
        from backend.accounts.models import User
        from backend.clock import SYSTEM_CLOCK
        from backend.jobs.models import Job
        from backend.jobs.status import JobStatus
        from backend.schema.nodes import encode_id

        now = SYSTEM_CLOCK.now()
        self._people = [
            User.objects.create(email=f"crowd-{number}@example.com", display_name=f"{number}")
            for number in range(people)
        ]
        self._job = Job.objects.create(
            owner=self._people[0],
            title="A job that everybody follows",
            reward_value=100,
            asset_code="USD",
            asset_scale=2,
            status=JobStatus.RECRUITING,
            recruit_until=now + timedelta(days=1),
            expires_at=now + timedelta(days=30),
            created_at=now,
            updated_at=now,
        )
        issued = [tokens.issue(user=user, label="bench", now=now) for user in self._people]
        return {"tokens": issued, "job": encode_id("Job", self._job.id)}

    def happen(self, topic: str, count: int, length: int, number: int = 0) -> Json:
        """Write `count` events, `length` characters each, in one transaction."""
        from django.db import transaction

        from backend.clock import SYSTEM_CLOCK
        from backend.events import emit

        name = f"job:{self._job.id}" if topic == "job" else f"user:{self._people[number].pk}"
        with transaction.atomic():
            for _ in range(count):
                emit(
                    topic=name,
                    type="job.status",
                    payload={"text": "x" * length},
                    at=SYSTEM_CLOCK.now(),
                    subject_id=self._job.id,
                )
        return {"at": time.monotonic()}


if __name__ == "__main__":
    main()
