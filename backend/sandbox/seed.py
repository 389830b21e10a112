"""A marketplace in which everything has just happened: every status, in six languages.

All of it is done through the domain's own functions, at moments of the past, so that rows, logs,
deadlines and events are what they would be. Only money does not move: work begins as if its pay
had been secured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from backend.accounts.models import User
from backend.ids import new_id
from backend.jobs import clock, disputes, endings, posting, recruiting, review, work
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.jobs.status import DeliverableType, ReviewDecision
from backend.jobs.validation import JobData
from backend.open_payments.types import Amount

TEXT, AUDIO = DeliverableType.TEXT, DeliverableType.AUDIO
ACCEPT, REJECT = ReviewDecision.ACCEPT, ReviewDecision.REJECT
ASK = ReviewDecision.REQUEST_CHANGES


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: an owner, an operator, and at least four workers with wallets of one asset."""

    owner: User
    operator: User
    workers: Sequence[User]

    @property
    def asset(self) -> tuple[str, int]:
        """What the workers are paid in."""
        wallet = self.workers[0].wallet_addresses.order_by("-is_default", "id").first()
        assert wallet is not None
        return wallet.asset_code, wallet.asset_scale


def seed(*, cast: Cast, now: datetime) -> bool:
    """Play all stories, which end at `now`. Whether there was something to do; safe to repeat.

    One transaction: there is all of it or nothing, and no other process moves half a story.
    """
    with transaction.atomic():
        if Job.objects.filter(owner=cast.owner, title=TITLES[0]).exists():
            return False
        for story in STORIES:
            story(Stage(cast, now))
    return True


@dataclass(frozen=True, slots=True)
class Stage:
    """Shortens what the stories say. Days count from today: -3 is three days ago."""

    cast: Cast
    today: datetime

    def at(self, day: float) -> datetime:
        return self.today + timedelta(days=day)

    def draft(
        self,
        title: str,
        description: str,
        *,
        day: float,
        language: str,
        reward: int,
        deliverables: Sequence[DeliverableType] = (TEXT,),
        workers: int = 1,
        dialect: str | None = None,
        recruit_until: float | None = None,
    ) -> Job:
        code, scale = self.cast.asset
        data = JobData(
            title=title,
            description=description,
            language_tag=language,
            dialect=dialect,
            deliverables=deliverables,
            reward=Amount(value=reward, asset_code=code, asset_scale=scale),
            workers_needed=workers,
            recruit_until=None if recruit_until is None else self.at(recruit_until),
        )
        return posting.create_job(owner=self.cast.owner, data=data, now=self.at(day))

    def publish(self, job: Job, *, day: float) -> Job:
        return posting.publish_job(user=self.cast.owner, job_id=job.id, now=self.at(day))

    def apply(self, job: Job, worker: int, note: str, *, day: float) -> Application:
        return recruiting.apply_to_job(
            user=self.cast.workers[worker],
            job_id=job.id,
            note=note,
            payout_wallet_id=None,
            now=self.at(day),
        )

    def begin(self, job: Job, *, workers: Sequence[int], day: float) -> None:
        """Let these workers apply, select them, and let the work begin, all on one day."""
        chosen = [self.apply(job, each, "I would like to do this.", day=day) for each in workers]
        recruiting.decide_applications(
            user=self.cast.owner,
            job_id=job.id,
            select=[each.id for each in chosen],
            now=self.at(day),
        )
        work.begin_work(job=job, at=self.at(day))

    def save(self, job: Job, worker: int, text: str, *, day: float) -> Submission:
        return work.save_submission(
            user=self.cast.workers[worker],
            job_id=job.id,
            note=None,
            text=text,
            now=self.at(day),
        )

    def submit(self, job: Job, worker: int, text: str, *, day: float) -> Submission:
        draft = self.save(job, worker, text, day=day)
        return work.submit_work(user=draft.worker, submission_id=draft.id, now=self.at(day))

    def review(
        self,
        submission: Submission,
        decision: ReviewDecision,
        *,
        day: float,
        comment: str | None = None,
        value: int | None = None,
    ) -> Submission:
        return review.review_submission(
            user=self.cast.owner,
            submission_id=submission.id,
            decision=decision,
            amount=None if value is None else submission.job.amount(value),
            comment=comment,
            idempotency_key=new_id(),
            now=self.at(day),
        )

    def dispute(self, submission: Submission, reason: str, *, day: float) -> Dispute:
        return disputes.open_dispute(
            user=submission.worker, submission_id=submission.id, reason=reason, now=self.at(day)
        )

    def respond(self, dispute: Dispute, response: str, *, day: float) -> Dispute:
        return disputes.respond_to_dispute(
            user=self.cast.owner, dispute_id=dispute.id, response=response, now=self.at(day)
        )


TITLES = (
    "Transcribe three interviews about the milpa",
    "Record forty greetings in Mazahua",
    "Name the plants in these photos in Otomi",
    "Read a bedtime story aloud in Nahuatl",
    "Translate a clinic's leaflet into Quechua",
    "Write captions for a school film",
    "Correct the subtitles of a documentary",
    "Proofread the menu of a small restaurant",
    "Describe ten photos for people who cannot see them",
    "Digitise a handwritten cookbook",
    "Record numbers from one to a hundred in Mazahua",
)


def _a_draft(stage: Stage) -> None:
    stage.draft(
        TITLES[0],
        "Twenty minutes each, in the spelling that the speakers use themselves.",
        day=-1,
        language="es-MX",
        reward=4500,
        workers=3,
    )


def _recruiting_without_applications(stage: Stage) -> None:
    job = stage.draft(
        TITLES[1],
        "As one would greet an aunt, a stranger, a child. One recording each.",
        day=-1,
        language="maz",
        reward=2000,
        deliverables=(AUDIO,),
        workers=2,
        recruit_until=13,
    )
    stage.publish(job, day=-1)


def _recruiting_with_applications(stage: Stage) -> None:
    job = stage.draft(
        TITLES[2],
        "Sixty photos. For each plant its name, and what it is good for.",
        day=-4,
        language="oto-MX",
        dialect="Valle del Mezquital",
        reward=3000,
        workers=2,
        recruit_until=10,
    )
    stage.publish(job, day=-4)
    stage.apply(job, 1, "I am a botanist, and Otomi is what we speak at home.", day=-3)
    stage.apply(job, 0, "My grandmother can help me.", day=-2)
    refused = stage.apply(job, 3, "I can look the names up.", day=-2)
    changed = stage.apply(job, 2, "I know plants, but the names in Quechua.", day=-2)
    recruiting.withdraw_application(
        user=changed.applicant, application_id=changed.id, now=stage.at(-1)
    )
    recruiting.decide_applications(
        user=job.owner, job_id=job.id, reject=[refused.id], now=stage.at(-1)
    )


def _selecting(stage: Stage) -> None:
    job = stage.draft(
        TITLES[3],
        "Ten minutes, in one recording, as one would read it to a child.",
        day=-6,
        language="nah-MX",
        dialect="Huasteca",
        reward=2500,
        deliverables=(AUDIO,),
    )
    stage.publish(job, day=-6)
    chosen = stage.apply(job, 0, "I read stories to my pupils every week.", day=-5)
    stage.apply(job, 4, "I host a radio show, though in Mazahua.", day=-4)
    recruiting.close_recruiting(user=job.owner, job_id=job.id, now=stage.at(-1))
    recruiting.decide_applications(
        user=job.owner, job_id=job.id, select=[chosen.id], now=stage.at(-1)
    )


def _submitting(stage: Stage) -> None:
    job = stage.draft(
        TITLES[4],
        "Two pages about fever in small children. Plain words, no loans where there is a word.",
        day=-5,
        language="que",
        reward=6000,
        workers=3,
    )
    stage.publish(job, day=-5)
    stage.begin(job, workers=(0, 2, 3), day=-4)
    stage.save(job, 0, "Fiebre kan chay p'unchaykuna…", day=-1)
    first = stage.submit(job, 2, "Ñawpaqta yakuta upyachiy…", day=-2)
    stage.review(first, ASK, day=-1, comment="Please leave the numbers as they are.")
    stage.save(job, 2, "Ñawpaqta yakuta upyachiy, 2 litros…", day=-0.5)


def _reviewing(stage: Stage) -> None:
    job = stage.draft(
        TITLES[5],
        "Eight minutes of film. What is said, and what is heard besides.",
        day=-6,
        language="en",
        reward=4000,
        workers=4,
    )
    stage.publish(job, day=-6)
    stage.begin(job, workers=(0, 1, 2, 3), day=-5)
    stage.submit(job, 0, "1. [Rain. A bell.] - You are late again…", day=-2)
    partly = stage.submit(job, 1, "1. You are late again. 2. …", day=-3)
    stage.review(partly, ACCEPT, value=2500, day=-2, comment="The sounds are missing.")
    refused = stage.submit(job, 2, "A summary of the film.", day=-3)
    stage.review(refused, REJECT, day=-2, comment="These are no captions.")
    disputed = stage.submit(job, 3, "[Rain] You are late again. [Bell]…", day=-3)
    stage.review(disputed, REJECT, day=-2, comment="Not in the format that we use.")
    stage.dispute(disputed, "The job names no format.", day=-1)


def _reviewing_with_answered_disputes(stage: Stage) -> None:
    job = stage.draft(
        TITLES[6],
        "Forty minutes. Spelling, and names as the speakers write them.",
        day=-8,
        language="es",
        reward=5000,
        workers=3,
    )
    stage.publish(job, day=-8)
    stage.begin(job, workers=(0, 1, 3), day=-7)
    undisputed = stage.submit(job, 0, "00:01 Buenas tardes…", day=-5)
    stage.review(undisputed, REJECT, day=-2, comment="The names are missing.")
    claims = []
    for worker in (1, 3):
        submission = stage.submit(job, worker, "00:01 Buenas tardes…", day=-5)
        stage.review(submission, REJECT, day=-4, comment="Half of the names are wrong.")
        claims.append(stage.dispute(submission, "The list of names came too late.", day=-3))
    for claim in claims:
        stage.respond(claim, "It was sent on the first day.", day=-2)
    disputes.escalate_dispute(
        user=claims[1].submission.worker, dispute_id=claims[1].id, now=stage.at(-1)
    )


def _complete(stage: Stage) -> None:
    job = stage.draft(
        TITLES[7],
        "Two pages, in English and as one would want to eat it.",
        day=-12,
        language="en",
        reward=1500,
    )
    stage.publish(job, day=-12)
    stage.begin(job, workers=(3,), day=-11)
    submission = stage.submit(job, 3, "Starters: cactus salad…", day=-9)
    stage.review(submission, ACCEPT, day=-8, comment="Now I am hungry.")


def _complete_after_disputes(stage: Stage) -> None:
    job = stage.draft(
        TITLES[8],
        "Two or three sentences each: what matters first.",
        day=-30,
        language="en",
        reward=2000,
        workers=2,
    )
    stage.publish(job, day=-30)
    stage.begin(job, workers=(1, 3), day=-29)
    split, given_up = (
        stage.dispute(
            stage.review(
                stage.submit(job, worker, "A market at noon…", day=-27),
                REJECT,
                day=-26,
                comment="Too short.",
            ),
            "The job asks for two or three sentences.",
            day=-25,
        )
        for worker in (1, 3)
    )
    disputes.withdraw_dispute(
        user=given_up.submission.worker, dispute_id=given_up.id, now=stage.at(-24)
    )
    stage.respond(split, "Six of ten have one sentence.", day=-24)
    disputes.resolve_dispute(
        user=stage.cast.operator,
        dispute_id=split.id,
        worker_share=job.amount(800),
        payer_share=job.amount(1200),
        note="Four of ten are as the job asks.",
        idempotency_key=new_id(),
        now=stage.at(-23),
    )
    endings.complete_job(user=job.owner, job_id=job.id, now=stage.at(-22))


def _canceled(stage: Stage) -> None:
    job = stage.draft(
        TITLES[9],
        "Ninety pages, with the measures of the time.",
        day=-9,
        language="es-MX",
        reward=9000,
    )
    stage.publish(job, day=-9)
    stage.apply(job, 3, "I love old handwriting.", day=-8)
    endings.cancel_job(
        user=job.owner, job_id=job.id, reason="The family wants to do it.", now=stage.at(-7)
    )


def _expired(stage: Stage) -> None:
    job = stage.draft(
        TITLES[10],
        "Slowly, and once more as one counts eggs.",
        day=-20,
        language="maz",
        reward=900,
        deliverables=(AUDIO,),
        recruit_until=-13,
    )
    stage.publish(job, day=-20)
    # Whatever else is due at this moment has been due for as long, and would be moved anyway.
    clock.pass_time(now=stage.at(-13))


STORIES = (
    _a_draft,
    _recruiting_without_applications,
    _recruiting_with_applications,
    _selecting,
    _submitting,
    _reviewing,
    _reviewing_with_answered_disputes,
    _complete,
    _complete_after_disputes,
    _canceled,
    _expired,
)
