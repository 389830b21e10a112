"""What the GraphQL pages answer, written by hand for exactly these two pages.

As fast as Python gets with a database: one hop to a database thread, two or three statements in
SQL, joins instead of look-ups, tuples instead of objects. Nobody would want to keep a whole
marketplace like this.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from django.db import connection
from django.http import HttpRequest, HttpResponse

from backend.accounts.models import BearerToken
from backend.accounts.tokens import note_use
from backend.clock import SYSTEM_CLOCK
from backend.events.threads import in_database
from backend.jobs.lifecycle.job import RULES, JobAction, JobFacts
from backend.jobs.lifecycle.rules import Who, allowed
from backend.jobs.status import ApplicationStatus

PAGE = 20
APPLICATIONS = 50
Json = dict[str, Any]

VIEWER = """
SELECT t.id, t.user_id, t.last_used_at
FROM accounts_bearertoken t JOIN accounts_user u ON u.id = t.user_id
WHERE t.digest = %s AND t.revoked_at IS NULL AND t.expires_at > %s AND u.is_active
"""
FACTS = """
EXISTS (SELECT 1 FROM funding_funding f WHERE f.job_id = j.id AND f.status = 'SETTLED'),
EXISTS (SELECT 1 FROM funding_funding f
        WHERE f.job_id = j.id AND f.status IN ('SETTLED', 'AWAITING_APPROVAL')),
EXISTS (SELECT 1 FROM jobs_application a WHERE a.job_id = j.id AND a.applicant_id = %s)
"""
JOBS = f"""
SELECT j.id, j.title, j.reward_value, j.asset_code, j.asset_scale, j.status, j.language_tag,
       j.recruit_until, j.expires_at, j.workers_needed, j.recruit_limit, j.owner_id,
       u.display_name, u.is_active, {FACTS}
FROM jobs_job j JOIN accounts_user u ON u.id = j.owner_id
WHERE j.status <> 'DRAFT' OR j.owner_id = %s
ORDER BY j.id DESC LIMIT {PAGE + 1}
"""
JOB_COUNT = "SELECT COUNT(*) FROM jobs_job j WHERE j.status <> 'DRAFT' OR j.owner_id = %s"
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
    return {
        "totalCount": count,
        "pageInfo": _page_info(rows, PAGE),
        "edges": [
            {
                "cursor": _cursor(key),
                "node": {
                    "id": _id("Job", key),
                    "title": title,
                    "reward": {
                        "value": str(reward),
                        "assetCode": asset_code,
                        "assetScale": asset_scale,
                    },
                    "status": status,
                    "fundingAssurance": "PAID" if paid else "NONE",
                    "languageTag": language_tag or None,
                    "recruitUntil": _time(recruit_until),
                    "expiresAt": _time(expires_at),
                    "workersNeeded": workers_needed,
                    "recruitLimit": recruit_limit,
                    "owner": _person(owner, name, is_active),
                    "allowedActions": _actions(
                        viewer, now, status, owner, recruit_until, funded, applied
                    ),
                },
            }
            for (
                (key, title, reward, asset_code, asset_scale, status, language_tag),
                (recruit_until, expires_at, workers_needed, recruit_limit),
                (owner, name, is_active, paid, funded, applied),
            ) in ((row[:7], row[7:11], row[11:]) for row in shown)
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
    owner, name, is_active, paid, funded, applied = rows[0][18:]
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
        "fundingAssurance": "PAID" if paid else "NONE",
        "allowedActions": _actions(viewer, now, status, owner, recruit_until, funded, applied),
        "owner": _person(owner, name, is_active),
        "applications": _applications(id, viewer),
    }


def _applications(job: Any, viewer: Any) -> Json:
    rows = _select(APPLICATION_ROWS, job, viewer, viewer)
    ((count,),) = _select(APPLICATION_COUNT, job, viewer, viewer)
    return {
        "totalCount": count,
        "pageInfo": _page_info(rows, APPLICATIONS),
        "edges": [
            {
                "cursor": _cursor(key),
                "node": {
                    "id": _id("Application", key),
                    "note": note or None,
                    "status": status,
                    "createdAt": _time(created_at),
                    "applicant": _person(applicant, name, is_active),
                },
            }
            for key, note, status, created_at, applicant, name, is_active in rows[:APPLICATIONS]
        ],
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


def _page_info(rows: Sequence[tuple[Any, ...]], size: int) -> Json:
    shown = rows[:size]
    return {
        "hasNextPage": len(rows) > size,
        "endCursor": _cursor(shown[-1][0]) if shown else None,
    }


def _actions(
    viewer: Any,
    now: datetime,
    status: str,
    owner: Any,
    recruit_until: Any,
    funded: bool,
    applied: bool,
) -> list[str]:
    facts = JobFacts(
        roles=frozenset({Who.OWNER if owner == viewer else Who.OTHER}),
        status=status,
        now=now,
        recruit_until=_instant(recruit_until),
        application=ApplicationStatus.PENDING if applied else None,
    )
    withheld = {JobAction.FUND: funded}
    return [action.value for action in allowed(RULES, facts) if not withheld.get(action)]


def _person(key: Any, name: str, is_active: bool) -> Json | None:
    return {"id": _id("User", key), "displayName": name} if is_active else None


def _id(type_name: str, key: Any) -> str:
    return base64.b64encode(f"{type_name}:{_uuid(key)}".encode()).decode()


def _cursor(key: Any) -> str:
    return base64.urlsafe_b64encode(_uuid(key).bytes).decode().rstrip("=")


# SQLite has no UUIDs and no time zones.


def _key(key: UUID) -> Any:
    return key.hex if connection.vendor == "sqlite" else key


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _instant(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


def _time(value: Any) -> str | None:
    return _instant(value).isoformat() if value else None
