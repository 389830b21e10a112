"""What the GraphQL pages answer, written by hand for exactly these two pages.

As fast as Python gets with a database: one hop to a database thread, two or three statements in
SQL, joins instead of look-ups, tuples instead of objects. Nobody would want to keep a whole
marketplace like this.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from backend.accounts.models import BearerToken
from backend.accounts.tokens import note_use
from backend.clock import SYSTEM_CLOCK
from backend.events.threads import in_database
from backend.funding.status import FundingStatus
from backend.jobs.lifecycle import application, submission
from backend.jobs.lifecycle.job import RULES, JobAction, JobFacts
from backend.jobs.lifecycle.rules import Who, allowed
from backend.jobs.search import JobSearch
from backend.jobs.status import ApplicationStatus
from backend.schema.connections import MOST_COUNTED, SEAL_BYTES

PAGE = 20
COUNTED = MOST_COUNTED
APPLICATIONS = 50
SUBMISSIONS = 3
Json = dict[str, Any]

VIEWER = """
SELECT t.id, t.user_id, t.last_used_at
FROM accounts_bearertoken t JOIN accounts_user u ON u.id = t.user_id
WHERE t.digest = %s AND t.revoked_at IS NULL AND t.expires_at > %s AND u.is_active
"""
# What the rules look at: the viewer's own application, and how many there are.
FACTS = """
j.money_moving,
(SELECT f.status FROM funding_funding f
 WHERE f.job_id = j.id AND f.status IN ('SETTLED', 'AWAITING_APPROVAL') LIMIT 1),
(SELECT a.status FROM jobs_application a WHERE a.job_id = j.id AND a.applicant_id = %s),
(SELECT COUNT(*) FROM jobs_application a WHERE a.job_id = j.id AND a.status <> 'WITHDRAWN'),
(SELECT COUNT(*) FROM jobs_application a WHERE a.job_id = j.id AND a.status = 'SELECTED')
"""
WORK = """
SELECT
  COUNT(CASE WHEN {undecided} THEN 1 END),
  COUNT(CASE WHEN s.status = 'DISPUTED' OR s.dispute_until > %s THEN 1 END),
  COUNT(CASE WHEN {undecided} OR s.status = 'DISPUTED'
    OR (s.dispute_until > %s AND s.accepted_value < s.reward_value) THEN 1 END)
FROM jobs_submission s WHERE s.job_id = %s
""".format(undecided="s.status IN ('SUBMITTED', 'CHANGES_REQUESTED') AND s.superseded_at IS NULL")
JOBS = f"""
SELECT j.id, j.title, j.reward_value, j.asset_code, j.asset_scale, j.status, j.language_tag,
       j.recruit_until, j.expires_at, j.workers_needed, j.recruit_limit, j.owner_id,
       u.display_name, u.is_active, {FACTS}
FROM jobs_job j JOIN accounts_user u ON u.id = j.owner_id
WHERE j.status <> 'DRAFT' OR j.owner_id = %s
ORDER BY j.id DESC LIMIT {PAGE + 1}
"""
JOB_COUNT = f"""
SELECT COUNT(*) FROM (
  SELECT 1 FROM jobs_job j WHERE j.status <> 'DRAFT' OR j.owner_id = %s LIMIT {COUNTED + 1}
) counted
"""
JOB = f"""
SELECT j.id, j.version, j.title, j.description, j.status, j.language_tag, j.dialect,
       j.deliverables, j.reward_value, j.asset_code, j.asset_scale, j.workers_needed,
       j.recruit_limit, j.recruit_until, j.submit_days, j.review_days, j.expires_at, j.created_at,
       j.owner_id, u.display_name, u.is_active, {FACTS}
FROM jobs_job j JOIN accounts_user u ON u.id = j.owner_id
WHERE j.id = %s AND (j.status <> 'DRAFT' OR j.owner_id = %s)
"""
VISIBLE = "a.job_id = %s AND (a.applicant_id = %s OR j.owner_id = %s)"
APPLICATION_ROWS = f"""
SELECT a.id, a.note, a.status, a.created_at, a.applicant_id, u.display_name, u.is_active
FROM jobs_application a JOIN jobs_job j ON j.id = a.job_id
JOIN accounts_user u ON u.id = a.applicant_id
WHERE {VISIBLE} ORDER BY a.id DESC LIMIT {APPLICATIONS + 1}
"""
APPLICATION_COUNT = f"""
SELECT COUNT(*) FROM jobs_application a JOIN jobs_job j ON j.id = a.job_id WHERE {VISIBLE}
"""
SUBMISSION_ROWS = """
SELECT s.application_id, s.id, s.revision, s.status, s.accepted_value, s.reward_value,
       s.submitted_at, s.review_by, s.worker_id
FROM jobs_submission s JOIN jobs_job j ON j.id = s.job_id
WHERE s.job_id = %s AND s.application_id IN ({places})
  AND (s.worker_id = %s OR (j.owner_id = %s AND s.status <> 'DRAFT'))
ORDER BY s.id DESC
"""


async def jobs(request: HttpRequest) -> HttpResponse:
    """The list of jobs."""
    return _answer({"jobs": await in_database(_jobs, request.headers["Authorization"])})


async def job(request: HttpRequest, key: UUID) -> HttpResponse:
    """One job with its applications and who made them."""
    return _answer({"job": await in_database(_job, request.headers["Authorization"], key)})


def _answer(data: Json) -> HttpResponse:
    body = json.dumps({"data": data}, separators=(",", ":"), ensure_ascii=False).encode()
    answer = HttpResponse(body, content_type="application/json")
    answer["Content-Length"] = str(len(body))
    return answer


def _jobs(authorization: str) -> Json:
    now = SYSTEM_CLOCK.now()
    viewer = _viewer(authorization, now)
    rows = _select(JOBS, viewer, viewer)
    ((count,),) = _select(JOB_COUNT, viewer)
    shown = rows[:PAGE]
    seal = _seal("jobs.Job", "", _search_name())
    return {
        "totalCount": min(count, COUNTED),
        "pageInfo": _page_info(rows, PAGE, seal),
        "edges": [
            {
                "cursor": _cursor(key, seal),
                "node": {
                    "id": _id("Job", key),
                    "title": title,
                    "reward": {
                        "value": str(reward),
                        "assetCode": asset_code,
                        "assetScale": asset_scale,
                    },
                    "status": status,
                    "fundingAssurance": "PAID" if facts[1] == "SETTLED" else "NONE",
                    "languageTag": language_tag or None,
                    "recruitUntil": _time(recruit_until),
                    "expiresAt": _time(expires_at),
                    "workersNeeded": workers_needed,
                    "recruitLimit": recruit_limit,
                    "owner": _person(owner, name, is_active),
                    "allowedActions": _actions(
                        viewer, now, status, owner, recruit_until, expires_at, facts
                    ),
                },
            }
            for (
                (key, title, reward, asset_code, asset_scale, status, language_tag),
                (recruit_until, expires_at, workers_needed, recruit_limit),
                (owner, name, is_active),
                facts,
            ) in ((row[:7], row[7:11], row[11:14], row[14:]) for row in shown)
        ],
    }


def _job(authorization: str, key: UUID) -> Json | None:
    now = SYSTEM_CLOCK.now()
    viewer = _viewer(authorization, now)
    rows = _select(JOB, viewer, _key(key), viewer)
    if not rows:
        return None
    id, version, title, description, status, language_tag, dialect, deliverables = rows[0][:8]
    reward, asset_code, asset_scale, workers_needed, recruit_limit, recruit_until = rows[0][8:14]
    submit_days, review_days, expires_at, created_at = rows[0][14:18]
    owner, name, is_active = rows[0][18:21]
    facts = rows[0][21:]
    (work,) = _select(WORK, now, now, id)
    asset = {"assetCode": asset_code, "assetScale": asset_scale}
    return {
        "id": _id("Job", id),
        "version": version,
        "title": title,
        "description": description,
        "status": status,
        "languageTag": language_tag or None,
        "dialect": dialect or None,
        "deliverables": json.loads(deliverables),
        "reward": {"value": str(reward), **asset},
        "totalBudget": {"value": str(reward * workers_needed), **asset},
        "workersNeeded": workers_needed,
        "recruitLimit": recruit_limit,
        "recruitUntil": _time(recruit_until),
        "submitDays": submit_days,
        "reviewDays": review_days,
        "expiresAt": _time(expires_at),
        "createdAt": _time(created_at),
        "fundingAssurance": "PAID" if facts[1] == "SETTLED" else "NONE",
        "allowedActions": _actions(
            viewer, now, status, owner, recruit_until, expires_at, facts, work
        ),
        "owner": _person(owner, name, is_active),
        "applications": _applications(
            id, viewer, now, owner, status, workers_needed - facts[4], asset
        ),
    }


def _applications(
    job: Any, viewer: Any, now: datetime, owner: Any, job_status: str, places: int, asset: Json
) -> Json:
    rows = _select(APPLICATION_ROWS, job, viewer, viewer)
    ((count,),) = _select(APPLICATION_COUNT, job, viewer, viewer)
    shown = rows[:APPLICATIONS]
    work: dict[Any, list[tuple[Any, ...]]] = {row[0]: [] for row in shown}
    statement = SUBMISSION_ROWS.format(places=", ".join(["%s"] * len(work)))
    for row in _select(statement, job, *work, viewer, viewer) if work else ():
        work[row[0]].append(row[1:])
    seal, below = _seal("jobs.Application", "job_id"), _seal("jobs.Submission", "application_id")
    return {
        "totalCount": count,
        "pageInfo": _page_info(rows, APPLICATIONS, seal),
        "edges": [
            {
                "cursor": _cursor(key, seal),
                "node": {
                    "id": _id("Application", key),
                    "note": note or None,
                    "status": status,
                    "createdAt": _time(created_at),
                    "allowedActions": [
                        action.value
                        for action in allowed(
                            application.RULES,
                            application.ApplicationFacts(
                                roles=_roles(viewer, owner, worker=applicant),
                                status=status,
                                job_status=job_status,
                                places_left=places,
                            ),
                        )
                    ],
                    "applicant": _person(applicant, name, is_active),
                    "submissions": {
                        "edges": [
                            {
                                "cursor": _cursor(each[0], below),
                                "node": _submission(each, viewer, now, owner, job_status, asset),
                            }
                            for each in work[key][:SUBMISSIONS]
                        ]
                    },
                },
            }
            for key, note, status, created_at, applicant, name, is_active in shown
        ],
    }


def _submission(
    row: tuple[Any, ...], viewer: Any, now: datetime, owner: Any, job_status: str, asset: Json
) -> Json:
    key, revision, status, accepted, reward, submitted_at, review_by, worker = row
    facts = submission.SubmissionFacts(
        roles=_roles(viewer, owner, worker=worker),
        status=status,
        job_status=job_status,
        now=now,
        rest=reward - accepted,
        review_by=_instant(review_by),
    )
    return {
        "id": _id("Submission", key),
        "revision": revision,
        "status": status,
        "accepted": {"value": str(accepted), **asset},
        "submittedAt": _time(submitted_at),
        "allowedActions": [action.value for action in allowed(submission.RULES, facts)],
    }


def _viewer(authorization: str, now: datetime) -> Any:
    digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()
    ((token, viewer, last_used_at),) = _select(VIEWER, digest, now)
    used = SimpleNamespace(id=token, last_used_at=_instant(last_used_at))
    note_use(cast("BearerToken", used), now=now)
    return viewer


def _select(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _page_info(rows: Sequence[tuple[Any, ...]], size: int, seal: hmac.HMAC) -> Json:
    shown = rows[:size]
    return {
        "hasNextPage": len(rows) > size,
        "endCursor": _cursor(shown[-1][0], seal) if shown else None,
    }


def _actions(
    viewer: Any,
    now: datetime,
    status: str,
    owner: Any,
    recruit_until: Any,
    expires_at: Any,
    counted: tuple[Any, ...],
    work: tuple[int, ...] = (0, 0, 0),
) -> list[str]:
    money_moving, standing, own, applications, selected = counted
    undecided, contested, reviewable = work
    is_selected = own == ApplicationStatus.SELECTED
    facts = JobFacts(
        roles=_roles(viewer, owner, worker=viewer if is_selected else None),
        status=status,
        now=now,
        recruit_until=_instant(recruit_until),
        expires_at=_instant(expires_at),
        application=ApplicationStatus(own) if own else None,
        applications=applications,
        selected=selected,
        undecided=undecided,
        contested=contested,
        reviewable=reviewable,
        money_moving=bool(money_moving),
    )
    withheld = {
        JobAction.FUND: standing is not None,
        JobAction.PRE_FUND: standing == FundingStatus.AWAITING_APPROVAL,
    }
    return [action.value for action in allowed(RULES, facts) if not withheld.get(action)]


def _roles(viewer: Any, owner: Any, *, worker: Any) -> frozenset[Who]:
    found = {Who.OWNER if viewer == owner else Who.OTHER}
    return frozenset(found | {Who.WORKER}) if viewer == worker else frozenset(found)


def _person(key: Any, name: str, is_active: bool) -> Json | None:
    return {"id": _id("User", key), "displayName": name} if is_active else None


def _id(type_name: str, key: Any) -> str:
    return base64.b64encode(f"{type_name}:{_uuid(key)}".encode()).decode()


def _search_name() -> str:
    return repr((JobSearch(), None))


def _seal(label: str, *names: str) -> hmac.HMAC:
    name = json.dumps([label, "-pk", names[-1]] if names[0] else [label, "-id", names[-1]])
    return salted_hmac("cursor", name.encode() + b"\n", algorithm="sha256")


def _cursor(key: Any, seal: hmac.HMAC) -> str:
    values = f'["{_uuid(key).hex}"]'.encode()
    mac = seal.copy()
    mac.update(values)
    return base64.urlsafe_b64encode(mac.digest()[:SEAL_BYTES] + values).decode().rstrip("=")


# SQLite has no UUIDs and no time zones.


def _key(key: UUID) -> Any:
    return key.hex if connection.vendor == "sqlite" else key


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _instant(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


def _time(value: Any) -> str | None:
    return _instant(value).isoformat() if value else None
