"""docs/reviewing.md from top to bottom: every operation is done, by whom the page says."""

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest

from backend.accounts.models import User
from backend.jobs.models import Job, Submission
from backend.jobs.status import DisputeStatus
from tests.docs import pages
from tests.jobs.people import NOON, a_job_with_work, a_person, submitted_work
from tests.schema.client import data_of, execute
from tests.schema.world import global_id

PAGE = pages.DOCS / "reviewing.md"


class Story:
    """A job with work that waits for its review, its people, and what answers have given."""

    def __init__(self) -> None:
        job, (beto,) = a_job_with_work()
        work = submitted_work(job, beto)
        operator = a_person("operator", is_staff=True)
        self.people: dict[str, User] = {"ana": job.owner, "beto": beto, "operator": operator}
        self.known = {
            "job": global_id("Job", job.id),
            "submission": global_id("Submission", work.id),
        }
        self.job: Job = job
        self.now = NOON

    def take(
        self, _kind: str, who: str, name: str, path: str, document: str, variables: str
    ) -> dict[str, Any]:
        """One step of the page, a minute after the last."""
        self.now += timedelta(minutes=1)
        values = json.loads(re.sub("<([^<>]+)>", self._value, variables))
        data = data_of(execute(document, variables=values, user=self.people[who], now=self.now))
        (answer,) = data.values()
        assert answer["errors"] == []
        if name:
            self.known[name] = pages.at(data, path)
        return dict(answer)

    def _value(self, match: re.Match[str]) -> str:
        return str(uuid.uuid4()) if match[1] == "a new UUID" else self.known[match[1]]


@pytest.mark.django_db
def test_the_story_on_the_page_ends_with_what_the_operator_divides() -> None:
    story = Story()
    steps = pages.STEP.findall(PAGE.read_text())
    assert len(steps) == PAGE.read_text().count("```graphql\n")

    answers = [story.take(*step) for step in steps]

    dispute = answers[-1]["dispute"]
    assert dispute["status"] == DisputeStatus.RESOLVED
    disputed = int(answers[4]["dispute"]["amount"]["value"])
    assert int(dispute["workerShare"]["value"]) + int(dispute["payerShare"]["value"]) == disputed
    last = Submission.objects.get(job=story.job, superseded_at=None, revision=2)
    assert last.accepted_value == 1000 + 1050
