"""`python -m bench.payer`: owners of jobs, whose workers are paid out of consents that are held.

Commands come as JSON lines on stdin, results go to stdout:

    {"do": "secure", "jobs": 4, "workers": 12}   select the workers and ask each payer for a consent
    {"do": "redirects"}                          where payers decide, once all of them can
    {"do": "await"}                              until all consents are held
    {"do": "pay"}                                owe all workers their reward, in one commit, and
                                                 wait for the money: {"seconds": …}
"""

import argparse
import importlib
import json
import sys
import time
import uuid
from datetime import timedelta
from typing import Any

import django

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.02
REWARD = 100
Json = dict[str, Any]


class Owners:
    """The jobs of one measurement."""

    def __init__(self, wallets: list[str]) -> None:
        self._payer_url, self._worker_url = wallets
        self._jobs: list[Any] = []

    def obey(self, command: Json) -> Json:
        """Do what one line asks."""
        match command["do"]:
            case "secure":
                self._jobs = [self._secure(command["workers"]) for _ in range(command["jobs"])]
                return {}
            case "redirects":
                return {"redirects": _until(self._redirects)}
            case "await":
                return {"held": _until(self._held)}
            case _:
                return {"seconds": self._pay()}

    def _secure(self, workers: int) -> Any:
        from django.conf import settings

        from backend.clock import SYSTEM_CLOCK
        from backend.funding.services import pre_fund_job
        from backend.funding.status import FundingMode
        from backend.jobs.models import Application, Job

        now = SYSTEM_CLOCK.now()
        owner, wallet = _person(self._payer_url, now)
        job = Job.objects.create(
            owner=owner,
            title="Translate",
            deliverables=["TEXT"],
            reward_value=REWARD,
            asset_code=wallet.asset_code,
            asset_scale=wallet.asset_scale,
            workers_needed=workers,
            recruit_limit=workers,
            status="SELECTING",
            recruit_until=now + timedelta(days=1),
            expires_at=now + timedelta(days=30),
            created_at=now,
            updated_at=now,
        )
        for _ in range(workers):
            worker, till = _person(self._worker_url, now)
            Application.objects.create(
                job=job,
                applicant=worker,
                payout_wallet=till,
                payout_url=till.url,
                payout_asset_code=till.asset_code,
                payout_asset_scale=till.asset_scale,
                status="SELECTED",
                created_at=now,
                updated_at=now,
            )
        pre_fund_job(
            payer=owner,
            job_id=job.id,
            mode=FundingMode.PREAPPROVED,
            expected_total=None,
            return_url=f"{settings.PUBLIC_URL}/done",
            idempotency_key=uuid.uuid4(),
            now=now,
        )
        return job

    def _redirects(self) -> list[str] | None:
        from backend.payments import links
        from backend.payments.models import Grant
        from backend.payments.status import GrantKind

        asked = Grant.objects.filter(
            held_grant__payer__in=[job.owner_id for job in self._jobs],
            kind=GrantKind.OUTGOING_PAYMENT,
            status="AWAITING_APPROVAL",
        )
        found = [links.start_url(grant.id) for grant in asked]
        return found if len(found) == len(self._jobs) else None

    def _held(self) -> bool:
        from backend.jobs.models import Job

        at_work = Job.objects.filter(id__in=[job.id for job in self._jobs], status="SUBMITTING")
        return at_work.count() == len(self._jobs)

    def _pay(self) -> float:
        from django.db import transaction

        from backend.clock import SYSTEM_CLOCK
        from backend.funding import settling
        from backend.jobs.models import Application, Job, Submission
        from backend.payments.models import Payment

        now = SYSTEM_CLOCK.now()
        before = Payment.objects.filter(status="COMPLETED").count()
        applications = list(Application.objects.filter(job__in=self._jobs).select_related("job"))
        with transaction.atomic():
            list(Job.objects.select_for_update().filter(id__in=[job.id for job in self._jobs]))
            for application in applications:
                submission = Submission.objects.create(
                    job=application.job,
                    application=application,
                    worker_id=application.applicant_id,
                    revision=1,
                    status="ACCEPTED",
                    reward_value=REWARD,
                    accepted_value=REWARD,
                    submitted_at=now,
                    review_by=now,
                    created_at=now,
                    updated_at=now,
                )
                settling.owe_for_work(submission, value=REWARD, at=now)
        began = time.perf_counter()
        goal = before + len(applications)
        _until(lambda: Payment.objects.filter(status="COMPLETED").count() >= goal)
        return time.perf_counter() - began


def _person(wallet_url: str, now: Any) -> tuple[Any, Any]:
    from backend.accounts import wallets
    from backend.accounts.models import User, WalletAddress

    known = WalletAddress.objects.filter(url=wallet_url, owner=None).first()
    known = known or wallets.add_platform_wallet(address=wallet_url, now=now)
    user = User.objects.create(email=f"{uuid.uuid4()}@example.com", display_name="Person")
    wallet = WalletAddress.objects.create(
        owner=user,
        url=known.url,
        asset_code=known.asset_code,
        asset_scale=known.asset_scale,
        auth_server=known.auth_server,
        resource_server=known.resource_server,
        checked_at=now,
        is_default=True,
    )
    return user, wallet


def _until(look: Any) -> Any:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(LOOK_SECONDS)
    raise RuntimeError("that did not happen in time")


def main() -> None:
    """Obey until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--wallets", nargs=2, required=True, help="the payers' and the workers'")
    arguments = parser.parse_args()
    django.setup()
    importlib.import_module("celery_app")  # so that hints reach the worker
    owners = Owners(arguments.wallets)
    for line in sys.stdin:
        print(json.dumps(owners.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
