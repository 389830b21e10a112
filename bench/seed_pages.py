"""`python -m bench.seed_pages`: a marketplace to look at, straight into the database.

Prints one JSON line: the tokens of a worker and of an owner, and the owner's job for which many
people were selected and have handed in their work.
"""

import base64
import json
from datetime import timedelta

import django

OWNERS = 10
JOBS_EACH = 20
APPLICANTS = 60
APPLIED_TO = 5
TITLE = "Record sixty short sentences in your own variety of Náhuatl"
DESCRIPTION = "Read every sentence twice, in a quiet room, in the voice you use at home. " * 8
NOTE = "I grew up with the language, teach it at a school, and own a good microphone."


def main() -> None:
    """Fill the database and print what the benchmark asks for."""
    django.setup()
    from backend.accounts import tokens
    from backend.accounts.models import User, WalletAddress
    from backend.clock import SYSTEM_CLOCK
    from backend.jobs.models import Application, Job, Submission
    from backend.jobs.status import (
        ApplicationStatus,
        DeliverableType,
        JobStatus,
        SubmissionStatus,
    )

    now = SYSTEM_CLOCK.now()

    def people(kind: str, count: int) -> list[User]:
        return User.objects.bulk_create(
            User(email=f"{kind}-{each}@example.com", display_name=f"{kind} {each} de la Cruz")
            for each in range(count)
        )

    owners, workers = people("owner", OWNERS), people("worker", APPLICANTS)
    wallets = WalletAddress.objects.bulk_create(
        WalletAddress(
            owner=worker,
            url=f"https://wallet.example/{worker.id.hex}",
            asset_code="USD",
            asset_scale=2,
            auth_server="https://auth.wallet.example",
            resource_server="https://wallet.example",
            checked_at=now,
            is_default=True,
        )
        for worker in workers
    )
    jobs = Job.objects.bulk_create(
        Job(
            owner=owners[each % OWNERS],
            title=TITLE,
            description=DESCRIPTION,
            language_tag="nah-MX",
            dialect="Huasteca",
            deliverables=[DeliverableType.AUDIO.value, DeliverableType.TEXT.value],
            reward_value=2500,
            asset_code="USD",
            asset_scale=2,
            workers_needed=10,
            recruit_limit=100,
            status=JobStatus.RECRUITING,
            recruit_until=now + timedelta(days=7),
            expires_at=now + timedelta(days=30),
            created_at=now,
            updated_at=now,
        )
        for each in range(OWNERS * JOBS_EACH)
    )
    busy = jobs[-1]
    Job.objects.filter(id=busy.id).update(
        status=JobStatus.REVIEWING,
        workers_needed=APPLICANTS,
        submit_until=now + timedelta(days=7),
    )
    pairs = [(worker, busy) for worker in range(APPLICANTS)]
    pairs += [(0, job) for job in jobs[-1 - APPLIED_TO : -1]]
    applications = Application.objects.bulk_create(
        Application(
            job=job,
            applicant=workers[worker],
            note=NOTE,
            payout_wallet=wallets[worker],
            payout_url=wallets[worker].url,
            payout_asset_code="USD",
            payout_asset_scale=2,
            status=ApplicationStatus.SELECTED if job is busy else ApplicationStatus.PENDING,
            created_at=now,
            updated_at=now,
        )
        for worker, job in pairs
    )
    Submission.objects.bulk_create(
        Submission(
            job=busy,
            application=each,
            worker=each.applicant,
            revision=1,
            status=SubmissionStatus.SUBMITTED,
            note=NOTE,
            text=DESCRIPTION,
            reward_value=busy.reward_value,
            submitted_at=now,
            review_by=now + timedelta(days=14),
            due_at=now + timedelta(days=12),
            created_at=now,
            updated_at=now,
        )
        for each in applications
        if each.job is busy
    )
    print(
        json.dumps(
            {
                "worker": tokens.issue(user=workers[0], label="bench", now=now),
                "owner": tokens.issue(user=busy.owner, label="bench", now=now),
                "job": base64.b64encode(f"Job:{busy.id}".encode()).decode(),
            }
        )
    )


if __name__ == "__main__":
    main()
