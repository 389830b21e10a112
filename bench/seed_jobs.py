"""`python -m bench.seed_jobs --jobs N`: three years of a marketplace, straight into PostgreSQL.

Proportions do not depend on N. Most jobs are over; a few per cent recruit, and they are the newest.
Words are as frequent as in a language (the n-th most common one 1/n as often as the first). Columns
that this file does not know get the model's own defaults. Prints one JSON line.
"""

import argparse
import base64
import json
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID

import django

SEED = 20260601
YEARS = timedelta(days=3 * 365)
# Of all jobs, by age: these still recruit, and these are under way.
RECRUITING, UNDER_WAY = 0.03, 0.03
JOBS_PER_OWNER = 20
APPLIED_TO = 20
WORDS = 20_000
TITLE_WORDS, DESCRIPTION_WORDS = 6, 34
BATCH = 5000
# The first two never meet; the third is in most old jobs and in no new one.
EVEN, ODD, BYGONE = "parejo", "impar", "antiguamente"
ASSETS = ("USD", "USD", "EUR", "EUR", "MXN")
LANGUAGES = {
    "es-MX": 25,
    "en-US": 15,
    "es": 10,
    "en": 10,
    "": 10,
    "pt-BR": 7,
    "es-419": 5,
    "nah": 5,
    "oto-MX": 3,
    "maz-MX": 1,
    **{f"{first}{second}": 0.2 for first in "qz" for second in "abcdefghijklmnopq"},
    "es-GQ": 0.01,
}
DELIVERABLES = {
    '["TEXT"]': 40,
    '["AUDIO"]': 25,
    '["TEXT", "AUDIO"]': 10,
    '["IMAGE"]': 10,
    '["FILE", "LINK"]': 10,
    '["VIDEO"]': 4,
    '["LINK"]': 1,
}
SYLLABLES = [consonant + vowel for consonant in "bcdfglmnprstvz" for vowel in "aeiou"]


def main() -> None:
    """Fill the database and print who may ask for what."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, required=True)
    count = parser.parse_args().jobs
    django.setup()
    from django.db import connection

    from backend.accounts.models import User, WalletAddress
    from backend.funding.models import Funding
    from backend.jobs.models import Application, Job

    chance = random.Random(SEED)
    now = datetime.now(UTC).replace(microsecond=0)
    people = [_key(chance, now - YEARS) for _ in range(count // JOBS_PER_OWNER + 2)]
    worker, owner = people[0], people[1]
    jobs = list(_lives(chance, count, people, now))
    indexes = _drop_indexes(Job)
    _copy(User, ({"id": key, "email": f"{key.hex}@example.com"} for key in people))
    _copy(WalletAddress, (_wallet(key, now) for key in people))
    _copy(Job, _jobs(chance, jobs, now))
    _copy(Funding, _fundings(chance, jobs, now))
    recruiting = [job for job in jobs if job["status"] == "RECRUITING"]
    _copy(Application, _applications(chance, jobs, recruiting, people, now))
    with connection.cursor() as cursor:
        for index in indexes:
            cursor.execute(index)
        cursor.execute("VACUUM ANALYZE")
    print(json.dumps(_what_to_ask(recruiting, worker, owner, now)))


def _what_to_ask(
    recruiting: list[dict[str, Any]], worker: UUID, owner: UUID, now: datetime
) -> dict[str, str]:
    from backend.accounts import tokens
    from backend.accounts.models import User

    return {
        **{
            name: tokens.issue(user=User.objects.get(id=key), label="bench", now=now)
            for name, key in (("worker", worker), ("owner", owner))
        },
        "job": base64.b64encode(f"Job:{recruiting[len(recruiting) // 2]['id']}".encode()).decode(),
        **{f"word {rank}": _word(rank) for rank in (1, 5, 50, 500, 5000)},
        **{"even": EVEN, "odd": ODD, "bygone": BYGONE},
    }


def _lives(
    chance: random.Random, count: int, people: list[UUID], now: datetime
) -> Iterator[dict[str, Any]]:
    """What other rows depend on, oldest first."""
    for number in range(count):
        age = 1 - number / count
        at = now - YEARS * age
        owner = people[1] if number % (count // JOBS_PER_OWNER) == 0 else chance.choice(people[2:])
        if chance.random() < 0.02:
            status = "DRAFT"
        elif age < RECRUITING:
            status = "RECRUITING"
        elif age < RECRUITING + UNDER_WAY:
            status = chance.choice(["SELECTING", "SUBMITTING", "REVIEWING"])
        else:
            (status,) = chance.choices(["COMPLETE", "EXPIRED", "CANCELED"], [62, 25, 13])
        yield {"id": _key(chance, at), "owner_id": owner, "status": status, "created_at": at}


def _jobs(
    chance: random.Random, lives: list[dict[str, Any]], now: datetime
) -> Iterator[dict[str, Any]]:
    vocabulary = [_word(rank) for rank in range(1, WORDS + 1)]
    frequency = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))
    tags, tag_weights = list(LANGUAGES), list(accumulate(LANGUAGES.values()))
    kinds, kind_weights = list(DELIVERABLES), list(accumulate(DELIVERABLES.values()))
    length = TITLE_WORDS + DESCRIPTION_WORDS
    for start in range(0, len(lives), BATCH):
        batch = lives[start : start + BATCH]
        words = chance.choices(vocabulary, cum_weights=frequency, k=length * len(batch))
        languages = chance.choices(tags, cum_weights=tag_weights, k=len(batch))
        deliverables = chance.choices(kinds, cum_weights=kind_weights, k=len(batch))
        for number, life in enumerate(batch):
            text = words[number * length : (number + 1) * length]
            text.append(EVEN if number % 2 else ODD)
            if life["created_at"] < now - YEARS / 3:
                text.append(BYGONE)
            at = life["created_at"]
            recruits_until = (
                now + timedelta(seconds=chance.randint(1, 30 * 86_400))
                if life["status"] == "RECRUITING"
                else at + timedelta(days=7)
            )
            yield {
                **life,
                "title": " ".join(text[:TITLE_WORDS]),
                "description": " ".join(text[TITLE_WORDS:]),
                "language_tag": languages[number],
                "deliverables": deliverables[number],
                "reward_value": int(10 ** chance.uniform(2, 5)) // 50 * 50 + 50,
                "asset_code": chance.choice(ASSETS),
                "asset_scale": 2,
                "recruit_until": recruits_until,
                "expires_at": recruits_until + timedelta(days=21),
                "updated_at": at,
            }


def _fundings(
    chance: random.Random, lives: list[dict[str, Any]], now: datetime
) -> Iterator[dict[str, Any]]:
    share = {"COMPLETE": 0.9, "RECRUITING": 0.05, "SUBMITTING": 0.9, "REVIEWING": 0.9}
    for life in lives:
        if chance.random() < share.get(life["status"], 0):
            yield {
                "id": _key(chance, life["created_at"]),
                "job_id": life["id"],
                "payer_id": life["owner_id"],
                "mode": "DIRECT",
                "status": "SETTLED",
                "total_value": 100,
                "released_value": 100,
                "asset_code": "USD",
                "asset_scale": 2,
                "created_at": now,
                "updated_at": now,
            }


def _applications(
    chance: random.Random,
    lives: list[dict[str, Any]],
    recruiting: list[dict[str, Any]],
    people: list[UUID],
    now: datetime,
) -> Iterator[dict[str, Any]]:
    pairs = {(job["id"], people[0]) for job in recruiting[-2 * APPLIED_TO :: 2]}
    for _ in range(len(lives) // 5):
        job, applicant = chance.choice(lives), chance.choice(people[2:])
        if applicant != job["owner_id"]:
            pairs.add((job["id"], applicant))
    for job_id, applicant_id in sorted(pairs):
        yield {
            "id": _key(chance, now),
            "job_id": job_id,
            "applicant_id": applicant_id,
            "payout_wallet_id": applicant_id,
            "payout_url": f"https://wallet.example/{applicant_id.hex}",
            "payout_asset_code": "USD",
            "payout_asset_scale": 2,
            "created_at": now,
            "updated_at": now,
        }


def _wallet(owner: UUID, now: datetime) -> dict[str, Any]:
    # The same key for both, so that applications find it without a look-up.
    return {
        "id": owner,
        "owner_id": owner,
        "url": f"https://wallet.example/{owner.hex}",
        "asset_code": "USD",
        "asset_scale": 2,
        "auth_server": "https://auth.wallet.example",
        "resource_server": "https://wallet.example",
        "checked_at": now,
        "is_default": True,
    }


def _key(chance: random.Random, at: datetime) -> UUID:
    """A UUIDv7 of that time."""
    milliseconds = int(at.timestamp() * 1000)
    rest = chance.getrandbits(74)
    return UUID(
        int=milliseconds << 80 | 7 << 76 | (rest >> 62) << 64 | 2 << 62 | rest & (2**62 - 1)
    )


def _word(rank: int) -> str:
    """The word of that rank. No word begins another, since the search would find both."""
    syllables = []
    while rank:
        rank, number = divmod(rank, len(SYLLABLES))
        syllables.append(SYLLABLES[number])
    return f"{''.join(syllables)}x"


def _copy(model: Any, rows: Iterable[dict[str, Any]]) -> None:
    """COPY rows given by column; what is not given gets the model's default."""
    from django.db import connection, transaction

    blank = model()
    columns = {field.attname: field for field in model._meta.concrete_fields}
    defaults = {
        name: _text(field.get_db_prep_save(getattr(blank, name), connection))
        for name, field in columns.items()
    }
    statement = f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN"
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            values = [
                _text(row[name]) if name in row else default for name, default in defaults.items()
            ]
            copy.write("\t".join(values) + "\n")


def _text(value: Any) -> str:
    if value is None:
        return r"\N"
    if hasattr(value, "obj"):  # psycopg's wrapper of JSON
        return json.dumps(value.obj)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _drop_indexes(model: Any) -> list[str]:
    """Drop what no constraint needs, and return how to make it again: loading goes faster."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [model._meta.db_table],
        )
        found = cursor.fetchall()
        for name, _definition in found:
            cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")
    return [definition for _name, definition in found]


if __name__ == "__main__":
    main()
