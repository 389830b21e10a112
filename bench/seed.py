"""`python -m bench.seed`: people with wallets, tokens and jobs, straight into the database.

Sign-up hashes passwords slowly on purpose and publishing is limited; neither is measured here.
Prints one JSON line.
"""

import argparse
import base64
import json
from datetime import timedelta

import django


def main() -> None:
    """Fill the database and print who is in it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, required=True)
    parser.add_argument("--jobs-each", type=int, required=True)
    parser.add_argument("--wallet-address", required=True)
    arguments = parser.parse_args()
    django.setup()
    people = [
        _person(number, arguments.wallet_address, arguments.jobs_each)
        for number in range(arguments.people)
    ]
    print(json.dumps(people))


def _person(number: int, wallet_address: str, jobs: int) -> dict[str, object]:
    from backend.accounts import tokens, wallets
    from backend.accounts.models import User, WalletAddress
    from backend.clock import SYSTEM_CLOCK
    from backend.funding import sellers
    from backend.jobs.models import Job
    from backend.jobs.status import JobStatus

    now = SYSTEM_CLOCK.now()
    if number == 0:
        sellers.register_default_seller(now=now)
        wallets.add_platform_wallet(address=wallet_address, now=now)
    user = User.objects.create(email=f"payer-{number}@example.com", display_name=f"Payer {number}")
    wallet = WalletAddress.objects.get(url=wallet_address, owner=None)
    WalletAddress.objects.create(
        owner=user,
        url=wallet.url,
        asset_code=wallet.asset_code,
        asset_scale=wallet.asset_scale,
        auth_server=wallet.auth_server,
        resource_server=wallet.resource_server,
        checked_at=now,
        is_default=True,
    )
    made = Job.objects.bulk_create(
        Job(
            owner=user,
            title=f"Job {each}",
            reward_value=100,
            asset_code=wallet.asset_code,
            asset_scale=wallet.asset_scale,
            status=JobStatus.RECRUITING,
            recruit_until=now + timedelta(days=1),
            expires_at=now + timedelta(days=30),
            created_at=now,
            updated_at=now,
        )
        for each in range(jobs)
    )
    return {
        "token": tokens.issue(user=user, label="bench", now=now),
        "jobs": [base64.b64encode(f"Job:{job.id}".encode()).decode() for job in made],
    }


if __name__ == "__main__":
    main()
