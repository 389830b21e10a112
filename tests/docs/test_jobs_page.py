"""docs/jobs.md says what the tables of the lifecycle say: diagrams and rules are compared."""

from collections.abc import Mapping, Sequence
from typing import Any

from backend.jobs.lifecycle import application, dispute, job, submission
from backend.jobs.lifecycle.rules import Move, Rule
from backend.jobs.status import ApplicationStatus, DisputeStatus, JobStatus, SubmissionStatus
from tests.docs import pages

PAGE = pages.DOCS / "jobs.md"


def diagram(moves: Sequence[Move[Any]], *, first: str, final: frozenset[str]) -> str:
    """The moves as a Mermaid diagram, each with what makes it happen."""
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f"    {move.old} --> {move.new}: {move.by}" for move in moves]
    lines += [f"    {status} --> [*]" for status in sorted(final)]
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def rules(table: Mapping[Any, Rule[Any]]) -> str:
    """The actions as a table: who may do each, and in which statuses."""
    width = max(len(str(action)) for action in table)
    lines = [
        f"{action:<{width}}  {', '.join(sorted(rule.who)):<15}  {', '.join(rule.statuses)}"
        for action, rule in table.items()
    ]
    return "```text\n" + "\n".join(lines) + "\n```"


DIAGRAMS = {
    "job": diagram(job.MOVES, first=JobStatus.DRAFT, final=frozenset(job.FINAL)),
    "application": diagram(application.MOVES, first=ApplicationStatus.PENDING, final=frozenset()),
    "submission": diagram(submission.MOVES, first=SubmissionStatus.DRAFT, final=frozenset()),
    "dispute": diagram(
        dispute.MOVES,
        first=DisputeStatus.OPEN,
        final=frozenset({DisputeStatus.RESOLVED, DisputeStatus.WITHDRAWN}),
    ),
}
RULES = {
    "job": rules(job.RULES),
    "application": rules(application.RULES),
    "submission": rules(submission.RULES),
    "dispute": rules(dispute.RULES),
}


def test_the_diagrams_are_the_moves_of_the_tables() -> None:
    if pages.REWRITE:
        pages.rewrite(PAGE, kind="diagram", blocks=DIAGRAMS)

    assert pages.generated_blocks(PAGE, kind="diagram") == DIAGRAMS


def test_the_actions_are_those_of_the_rules() -> None:
    if pages.REWRITE:
        pages.rewrite(PAGE, kind="rules", blocks=RULES)

    assert pages.generated_blocks(PAGE, kind="rules") == RULES
