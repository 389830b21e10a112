"""Processes that run while a newer release migrates: they pay as before, and leave the new alone.

`python -m tests.e2e.rolling` does it with two releases; that one needs the history, and is for
releases.
"""

import asyncio
import random
import time

import httpx

from tests.e2e.marketplace import Marketplace
from tests.e2e.people import Story, people, see_it_through

NEWER = "OF_A_NEWER_RELEASE"
MIGRATION = (
    *(
        f"ALTER TABLE {table} ADD COLUMN newer varchar(8) DEFAULT 'x' NOT NULL"
        for table in ("accounts_user", "jobs_job", "funding_funding", "payments_payment")
    ),
    "INSERT INTO django_migrations (app, name, applied) "
    "VALUES ('payments', '9999_of_a_newer_release', CURRENT_TIMESTAMP)",
)
# Due all the time, and would be advanced if anybody knew how. Not while one of ours is at it, who
# would give back the claim afterwards.
LEFT_TO_IT = (
    f"UPDATE payments_payment SET status = '{NEWER}', due_at = CURRENT_TIMESTAMP "
    "WHERE status = 'AWAITING_APPROVAL' AND receive_value = 900 AND lease_until IS NULL"
)
ROW = f"SELECT status, fence, lease_until, due_at FROM payments_payment WHERE status = '{NEWER}'"
ENOUGH_SECONDS = 120.0


async def pay(market: Marketplace) -> None:
    rng, gave_up = random.Random(1), asyncio.Event()
    async with people(market, 1) as (payer,), asyncio.timeout(ENOUGH_SECONDS):
        left = await payer.fund(await payer.publish_job(reward=900))
        while (await payer.payment(left))["status"] != "AWAITING_APPROVAL":  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        half_way = await payer.fund(await payer.publish_job(reward=800))

        market.database.change(*MIGRATION)
        while not (before := market.database.rows(ROW)):
            market.database.change(LEFT_TO_IT)
            await asyncio.sleep(0.1)
        async with people(market, 1) as (newcomer,):
            begun = await newcomer.fund(await newcomer.publish_job(reward=700))
            stories = [
                (payer, Story(payment_id=half_way, started_at=time.monotonic())),
                (newcomer, Story(payment_id=begun, started_at=time.monotonic())),
            ]
            await asyncio.gather(
                *(see_it_through(who, story, rng=rng, until=gave_up) for who, story in stories)
            )
        shown = await payer.payment(left)

    assert [story.status for _, story in stories] == ["COMPLETED", "COMPLETED"]
    assert market.database.rows(ROW) == before
    assert shown["status"] == "UNKNOWN"


def test_what_runs_goes_on_paying_beside_a_database_that_is_one_migration_ahead(
    market: Marketplace,
) -> None:
    asyncio.run(pay(market))

    assert httpx.get(f"{market.url}/readyz", timeout=5).status_code == 200
    ours = [market.web, *(each for each in (market.worker, market.beat) if each)]
    assert [each.name for each in ours if not each.alive] == []
