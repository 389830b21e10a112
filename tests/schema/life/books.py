"""What must be true of jobs and their parts at any moment, asked of the database itself."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from backend.jobs.lifecycle import application, dispute, job, submission

TRANSITIONS: dict[str, Mapping[Any, frozenset[Any]]] = {
    "job": job.TRANSITIONS,
    "application": application.TRANSITIONS,
    "submission": submission.TRANSITIONS,
    "dispute": dispute.TRANSITIONS,
}
FIRST = {"job": "DRAFT", "application": "PENDING", "submission": "DRAFT", "dispute": "OPEN"}
_ENDED = ", ".join(f"'{status}'" for status in sorted(job.FINAL))

# Each finds the rows that break a rule; all of them together are one statement.
_RULES = {
    "more are selected than the job needs": """
        SELECT job_id FROM jobs_application JOIN jobs_job j ON j.id = job_id
        WHERE jobs_application.status = 'SELECTED'
        GROUP BY job_id, workers_needed HAVING COUNT(*) > workers_needed""",
    "somebody has applied to a job of their own": """
        SELECT a.id FROM jobs_application a JOIN jobs_job j ON j.id = a.job_id
        WHERE a.applicant_id = j.owner_id""",
    "somebody has applied twice": """
        SELECT job_id FROM jobs_application GROUP BY job_id, applicant_id HAVING COUNT(*) > 1""",
    "work is by somebody who is not selected": """
        SELECT s.id FROM jobs_submission s JOIN jobs_application a ON a.id = s.application_id
        WHERE a.status <> 'SELECTED' OR a.applicant_id <> s.worker_id OR a.job_id <> s.job_id""",
    "more is accepted than the reward": """
        SELECT id FROM jobs_submission
        WHERE accepted_value < 0 OR accepted_value > reward_value""",
    "two revisions are live": """
        SELECT application_id FROM jobs_submission
        WHERE status <> 'DRAFT' AND superseded_at IS NULL
        GROUP BY application_id HAVING COUNT(*) > 1""",
    "revisions are not numbered one by one": """
        SELECT application_id FROM jobs_submission
        GROUP BY application_id HAVING COUNT(*) <> MAX(revision)""",
    "the shares of a dispute do not fit it": """
        SELECT id FROM jobs_dispute
        WHERE (worker_value IS NOT NULL) <> (status = 'RESOLVED')
            OR worker_value < 0 OR worker_value > amount_value""",
    "a dispute and its work do not agree": """
        SELECT d.id FROM jobs_dispute d JOIN jobs_submission s ON s.id = d.submission_id
        WHERE (d.status IN ('OPEN', 'RESPONDED', 'ESCALATED')) <> (s.status = 'DISPUTED')""",
    "work is disputed without a dispute": """
        SELECT id FROM jobs_submission WHERE status = 'DISPUTED'
            AND id NOT IN (SELECT submission_id FROM jobs_dispute)""",
    "a job that has ended still waits for something": f"""
        SELECT id FROM jobs_job
        WHERE status IN ({_ENDED}) AND (due_at IS NOT NULL OR money_moving)""",
    # A window that has passed may still wait for the clock.
    "work of a job that has ended is still open": f"""
        SELECT s.id FROM jobs_submission s JOIN jobs_job j ON j.id = s.job_id
        WHERE j.status IN ({_ENDED})
            AND (s.status = 'DISPUTED' OR s.dispute_until > %s
                OR s.superseded_at IS NULL AND s.status IN ('SUBMITTED', 'CHANGES_REQUESTED'))""",
    "work is accepted without any pay": """
        SELECT id FROM jobs_submission WHERE status = 'ACCEPTED' AND accepted_value = 0""",
    "work goes on before its pay is secured": """
        SELECT j.id FROM jobs_job j WHERE j.status IN ('SUBMITTING', 'REVIEWING', 'COMPLETE')
            AND NOT EXISTS (
                SELECT 1 FROM funding_funding f WHERE f.job_id = j.id
                    AND f.status IN ('SETTLED', 'SECURED', 'PARTIALLY_RELEASED', 'CANCELED'))""",
    "a funding does not add up": """
        SELECT id FROM funding_funding WHERE released_value + refunded_value > total_value""",
    "a payer is asked twice for a job": """
        SELECT job_id FROM funding_funding
        WHERE status = 'AWAITING_APPROVAL' GROUP BY job_id HAVING COUNT(*) > 1""",
    "more is promised than a funding has": """
        SELECT f.id FROM funding_funding f JOIN funding_allocation a ON a.funding_id = f.id
        GROUP BY f.id, f.total_value
        HAVING SUM(a.amount_value - a.returned_value) > f.total_value""",
    "a job has ended and somebody is still owed": f"""
        SELECT p.id FROM funding_payable p JOIN funding_funding f ON f.id = p.funding_id
        JOIN jobs_job j ON j.id = f.job_id
        WHERE j.status IN ({_ENDED}) AND p.purpose = 'PAYOUT' AND p.status <> 'PAID'""",
    "a status has changed from what it was not": """
        SELECT subject_id FROM (
            SELECT subject_id, old, LAG(new) OVER (PARTITION BY subject_id ORDER BY id) AS before
            FROM jobs_statuschange) AS story
        WHERE old <> before""",
    "an event is missing": """
        SELECT topic FROM events_event
        GROUP BY topic HAVING COUNT(*) <> MAX(seq) OR MIN(seq) <> 1""",
    "a topic does not know its newest event": """
        SELECT name FROM events_topic t WHERE last_seq <>
            (SELECT COUNT(*) FROM events_event e WHERE e.topic = t.name)""",
    **{
        f"the log of a {kind} ends elsewhere": f"""
            SELECT s.id FROM jobs_{kind} s WHERE s.status <> COALESCE(
                (SELECT new FROM jobs_statuschange c WHERE c.subject_id = s.id
                    AND c.kind = '{kind}' ORDER BY c.id DESC LIMIT 1), '{first}')"""
        for kind, first in FIRST.items()
    },
    **{
        f"the log of a {kind} does not begin at the beginning": f"""
            SELECT subject_id FROM jobs_statuschange c WHERE kind = '{kind}' AND old <> '{first}'
                AND NOT EXISTS (SELECT 1 FROM jobs_statuschange b
                    WHERE b.subject_id = c.subject_id AND b.id < c.id)"""
        for kind, first in FIRST.items()
    },
}
_BROKEN = " UNION ALL ".join(
    f"SELECT '{rule}' WHERE EXISTS ({rows})" for rule, rows in _RULES.items()
)


def broken_rules(*, now: datetime) -> list[str]:
    """The rules that some row breaks."""
    with connection.cursor() as cursor:
        cursor.execute(_BROKEN, [connection.ops.adapt_datetimefield_value(now)])
        return [rule for (rule,) in cursor.fetchall()]


def moves_made() -> Counter[tuple[str, str, str]]:
    """How often each status of each kind was followed by which, as the log tells."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, old, new, COUNT(*) FROM jobs_statuschange GROUP BY kind, old, new"
        )
        return Counter({(kind, old, new): count for kind, old, new, count in cursor.fetchall()})


def accepted() -> dict[UUID, int]:
    """What is accepted of each work, if anything is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, accepted_value FROM jobs_submission WHERE accepted_value <> 0")
        return {UUID(str(id_)): value for id_, value in cursor.fetchall()}


def everything() -> tuple[object, ...]:
    """What differs as soon as anything has changed."""
    with connection.cursor() as cursor:
        cursor.execute(_EVERYTHING)
        return tuple(cursor.fetchall())


_TABLES = ("jobs_job", "jobs_application", "jobs_submission", "jobs_dispute", "funding_funding")
_EVERYTHING = " UNION ALL ".join(
    [
        *(f"SELECT COUNT(*), MAX(updated_at), 0, 0 FROM {table}" for table in _TABLES),
        "SELECT SUM(version), MAX(updated_at), COUNT(due_at), 0 FROM jobs_job",
        "SELECT SUM(accepted_value), MAX(updated_at), COUNT(dispute_until), COUNT(due_at)"
        " FROM jobs_submission",
        "SELECT COUNT(*), MAX(at), 0, 0 FROM jobs_statuschange",
        "SELECT COUNT(*), MAX(at), 0, 0 FROM events_event",
    ]
)
