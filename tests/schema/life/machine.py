"""A small marketplace, lived in by six people who do what they are offered."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from random import Random
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from strawberry.types import ExecutionResult

from backend.accounts.models import User
from backend.funding import securing, settling
from backend.funding.models import Funding, Payable
from backend.funding.status import FundingMode, FundingStatus, PayableStatus
from backend.jobs.clock import pass_time
from backend.jobs.lifecycle import application, dispute, job, submission
from backend.jobs.models import Application, Dispute, Job, Submission
from backend.jobs.recruiting import close_paid_recruiting
from backend.jobs.signals import work_accepted, work_settled
from tests.jobs.people import NOON, a_person
from tests.schema.client import bearer_of, data_of, execute
from tests.schema.life import books
from tests.schema.life.doing import SAID_BY_PARTS, a_job, key_of, mutation_for
from tests.schema.life.played import Played
from tests.schema.world import global_id

MOST_JOBS = 3
PEOPLE = ("ana", "ben", "eva", "leo", "operator", "auditor")
# Those who have the most to do come the most often.
BUSY = (*PEOPLE, "ana", "ana", "ana", "ben", "eva")
MODELS = {"Job": Job, "Application": Application, "Submission": Submission, "Dispute": Dispute}
ACTIONS: dict[str, list[str]] = {
    "Job": list(job.JobAction),
    "Application": list(application.ApplicationAction),
    "Submission": list(submission.SubmissionAction),
    "Dispute": list(dispute.DisputeAction),
}
# What a client that does only what it is offered never meets.
NEVER = {"INVALID_TRANSITION", "FORBIDDEN", "NOT_FOUND", "INTERNAL"}
SCREEN = """{ jobs(first: 4) { edges { node { id allowedActions
  applications(first: 6) { edges { node { id allowedActions } } }
  submissions(first: 20) { edges { node { id allowedActions
    dispute { id allowedActions } } } } } } } }"""
BUTTONS = """query ($id: ID!) { node(id: $id) {
  ... on Job { job: allowedActions } ... on Application { application: allowedActions }
  ... on Submission { submission: allowedActions } ... on Dispute { dispute: allowedActions } } }"""
# The first is not done by the schema here, and the second is saveSubmission, which names the job:
# whoever is offered SUBMIT there may do it.
NOT_TRIED = {("Job", "FUND"), ("Submission", "EDIT")}
# What ends a history, or leads nowhere, is done less often than it is offered.
SELDOM = {
    ("Job", "CANCEL"),
    ("Job", "DUPLICATE"),
    ("Job", "EDIT"),
    ("Job", "EXTEND"),
    ("Job", "REOPEN"),
    ("Application", "REJECT"),
    ("Application", "RESET"),
    ("Application", "WITHDRAW"),
    ("Submission", "EDIT"),
    ("Dispute", "WITHDRAW"),
}
# Of what is worth a look, how much more than the rest: others is 6.
INTEREST = {
    ("Application", "SELECTED"): 1,
    ("Application", "REJECTED"): 1,
    ("Application", "PENDING"): 3,
    ("Job", "SELECTING"): 9,
    ("Job", "SUBMITTING"): 2,
    ("Job", "REVIEWING"): 2,
    ("Submission", "ACCEPTED"): 12,
    ("Submission", "REJECTED"): 12,
    ("Dispute", "OPEN"): 12,
    ("Dispute", "RESPONDED"): 12,
    ("Dispute", "ESCALATED"): 12,
}
# Who may have something to do with what. Only a hint where to look: the schema says what it is.
WHERE_TO_LOOK = """
    SELECT 'Job', id, owner_id, CAST(NULL AS UUID), status FROM jobs_job
    WHERE status NOT IN ('CANCELED', 'COMPLETE', 'EXPIRED')
    UNION ALL
    SELECT 'Job', j.id, a.applicant_id, NULL, 'WORK' FROM jobs_job j
    JOIN jobs_application a ON a.job_id = j.id AND a.status = 'SELECTED'
    WHERE j.status IN ('SUBMITTING', 'REVIEWING') AND NOT EXISTS (
        SELECT 1 FROM jobs_submission s WHERE s.application_id = a.id AND s.status = 'DRAFT')
    UNION ALL
    SELECT 'Application', a.id, j.owner_id, a.applicant_id, a.status
    FROM jobs_application a JOIN jobs_job j ON j.id = a.job_id
    WHERE j.status IN ('RECRUITING', 'SELECTING') AND a.status <> 'WITHDRAWN'
    UNION ALL
    SELECT 'Submission', s.id, j.owner_id, s.worker_id, s.status
    FROM jobs_submission s JOIN jobs_job j ON j.id = s.job_id
    WHERE j.status IN ('SUBMITTING', 'REVIEWING') AND s.superseded_at IS NULL
        AND (s.status NOT IN ('ACCEPTED', 'REJECTED') OR s.dispute_until IS NOT NULL)
    UNION ALL
    SELECT 'Dispute', d.id, j.owner_id, s.worker_id, d.status
    FROM jobs_dispute d JOIN jobs_submission s ON s.id = d.submission_id
    JOIN jobs_job j ON j.id = s.job_id
    WHERE d.status NOT IN ('RESOLVED', 'WITHDRAWN')
    ORDER BY 1, 2, 3"""
Offer = tuple[str, str, str]


class Life(RuleBasedStateMachine):
    """One history. Everything in it is asked of the schema, as a client does."""

    # They and their tokens outlive a history, since nothing in it changes them.
    people: ClassVar[dict[str, User]] = {}
    bearers: ClassVar[dict[str, str]] = {}
    played: ClassVar[Played] = Played()

    @classmethod
    def invite(cls) -> None:
        """Make the people; once, before the first history."""
        cls.people = {
            name: a_person(name, is_staff=name == "operator", is_auditor=name == "auditor")
            for name in PEOPLE
        }
        long_after = NOON + timedelta(days=10_000)
        cls.bearers = {name: bearer_of(user, now=long_after) for name, user in cls.people.items()}
        cls.played = Played()

    def __init__(self) -> None:
        super().__init__()
        # Each history is a transaction that is never committed.
        self.world = transaction.atomic()
        self.world.__enter__()
        self.now = NOON
        self.names = {user.id: name for name, user in self.people.items()}
        self.accepted: Counter[UUID] = Counter()
        self.settled: Counter[UUID] = Counter()
        work_accepted.connect(self._hear_accepted)
        work_settled.connect(self._hear_settled)

    def teardown(self) -> None:
        work_accepted.disconnect(self._hear_accepted)
        work_settled.disconnect(self._hear_settled)
        try:
            self.played.histories += 1
            self.played.moves += books.moves_made()
        finally:
            transaction.set_rollback(True)
            self.world.__exit__(None, None, None)

    def _hear_accepted(self, submission: Submission, value: int, **_: Any) -> None:
        assert submission.id not in self.settled, "nothing more was to come"
        self.accepted[submission.id] += value

    def _hear_settled(self, submission: Submission, **_: Any) -> None:
        self.settled[submission.id] += 1

    @initialize(at_work=st.booleans())
    def move_in(self, at_work: bool) -> None:
        # Most histories would never get far if they had to find their way here first.
        self._mutate("ana", "createJob", "JobInput", {**a_job(1), "recruitLimit": 4})
        id_ = global_id("Job", Job.objects.get().id)
        for who, action in (("ana", "PUBLISH"), ("ben", "APPLY"), ("eva", "APPLY")):
            assert not self._do(who, ("Job", id_, action), 0)
        if not at_work:
            return
        for key in Application.objects.values_list("pk", flat=True):
            assert not self._do("ana", ("Application", global_id("Application", key), "SELECT"), 0)
        assert not self._do("ana", ("Job", id_, "FUND"), 0)
        self.a_payment_ends(0, True)
        assert not self._do("ana", ("Job", id_, "PRE_FUND"), 0)

    # --- what people do

    @rule(who=st.sampled_from(PEOPLE), luck=st.integers(0, 100))
    def create(self, who: str, luck: int) -> None:
        if Job.objects.count() < MOST_JOBS:
            errors = self._mutate(who, "createJob", "JobInput", a_job(luck))
            assert not errors

    @rule(seed=st.integers(0, 2**32))
    def somebody_does_something(self, seed: int) -> None:
        # By a seed, because a long history of single draws is more than hypothesis keeps.
        rng = Random(seed)
        who, offers = self._look_around(rng) if rng.random() < 0.05 else self._look_at_one(rng)
        if not offers:
            return
        weights = [1 if (kind, action) in SELDOM else 8 for kind, _id, action in offers]
        (offer,) = rng.choices(offers, weights)
        kind, _id, action = offer
        if (kind, action) in SELDOM and rng.random() < 0.6:
            return
        if (kind, action) == ("Job", "DUPLICATE") and Job.objects.count() >= MOST_JOBS:
            return
        errors = self._do(who, offer, rng.randint(1, 2500))
        assert not {error["code"] for error in errors} & NEVER, (who, offer, errors)
        if not errors:
            self.played.taken[kind, action] += 1
        self.played.refused.update(f"{kind} {action}: {error['code']}" for error in errors)

    def _look_around(self, rng: Random) -> tuple[str, list[Offer]]:
        """All that somebody is offered, whether or not a single look at it says the same."""
        who = rng.choice(BUSY)
        offers = self._screen(who)
        for id_ in rng.sample(ids := sorted({offer[1] for offer in offers}), min(len(ids), 2)):
            kind = next(offer[0] for offer in offers if offer[1] == id_)
            on_screen = [offer for offer in offers if offer[1] == id_]
            assert self._buttons(who, kind, id_) == on_screen, (who, id_)
        return who, _to_do(offers)

    def _look_at_one(self, rng: Random) -> tuple[str, list[Offer]]:
        """What somebody is offered with one thing of theirs; three looks, if there is nothing."""
        with connection.cursor() as cursor:
            cursor.execute(WHERE_TO_LOOK)
            places = cursor.fetchall()
        weights = [INTEREST.get((place[0], place[-1]), 6) for place in places]
        for _ in range(3 if places else 0):
            ((kind, key, *parties, status),) = rng.choices(places, weights)
            who = rng.choice(self._concerned(rng, kind, status, parties))
            offers = _to_do(self._buttons(who, kind, global_id(kind, UUID(str(key)))))
            if offers:
                return who, offers
        return "nobody", []

    def _concerned(self, rng: Random, kind: str, status: str, parties: list[Any]) -> list[str]:
        owner, *worker = (self.names[UUID(str(party))] for party in parties if party)
        if kind == "Dispute":
            return [owner, *worker, "operator"]
        if kind == "Application":
            return [owner] * 5 + worker  # who can only withdraw
        anybody = rng.choice(BUSY)
        if status == "RECRUITING":
            return [owner, owner, anybody]
        return [owner, *worker] if status != "DRAFT" or kind == "Job" else worker

    @rule(
        who=st.sampled_from((*PEOPLE, None)),
        pick=st.integers(0, 10_000),
        kind=st.sampled_from(sorted(MODELS)),
        luck=st.integers(1, 2500),
    )
    def try_what_is_not_offered(self, who: str | None, pick: int, kind: str, luck: int) -> None:
        keys = list(MODELS[kind]._default_manager.order_by("pk").values_list("pk", flat=True))
        if not keys:
            return
        id_ = global_id(kind, keys[pick % len(keys)])
        action = ACTIONS[kind][pick % len(ACTIONS[kind])]
        if (kind, action) in {*SAID_BY_PARTS, *NOT_TRIED}:
            return
        if (kind, id_, action) in self._buttons(who, kind, id_):
            return
        before = books.everything()
        self._do(who, (kind, id_, action), luck)
        assert books.everything() == before, (who, kind, action)

    # --- what money and time do

    @rule(pick=st.integers(0, 10), arrives=st.booleans())
    def a_payment_ends(self, pick: int, arrives: bool) -> None:
        waiting = list(Funding.objects.filter(status=FundingStatus.AWAITING_APPROVAL))
        if not waiting:
            return
        funding = waiting[pick % len(waiting)]
        if funding.mode == FundingMode.PREAPPROVED:
            self._the_payer_decides(funding, consents=arrives)
            return
        Job.objects.filter(id=funding.job_id).update(money_moving=False)
        if arrives:
            funding.move_to(FundingStatus.SETTLED, at=self.now, released_value=funding.total_value)
            close_paid_recruiting(job=funding.job, at=self.now)
        else:
            funding.move_to(FundingStatus.FAILED, at=self.now)

    def _the_payer_decides(self, funding: Funding, *, consents: bool) -> None:
        with transaction.atomic():
            if consents:
                funding.move_to(FundingStatus.SECURED, at=self.now)
                securing.money_is_secured(funding, at=self.now)
            else:
                securing.money_did_not_come(funding, FundingStatus.REJECTED, at=self.now)

    @rule(pick=st.integers(0, 10))
    def a_worker_is_paid(self, pick: int) -> None:
        owed = list(Payable.objects.filter(status=PayableStatus.OWED).order_by("id"))
        if owed:
            with transaction.atomic():
                settling.paid(owed[pick % len(owed)], at=self.now)

    @rule(hours=st.sampled_from((1, 24, 5 * 24, 7 * 24, 14 * 24, 40 * 24)))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def the_clock_comes_by(self) -> None:
        pass_time(now=self.now)
        before = books.everything()
        moved = pass_time(now=self.now)
        assert moved == 0, "a second run has nothing to do"
        assert books.everything() == before

    # --- what must always be true

    @invariant()
    def the_books_are_right(self) -> None:
        self.played.steps += 1
        broken = books.broken_rules(now=self.now)
        assert not broken, broken
        assert books.accepted() == {key: value for key, value in self.accepted.items() if value}
        assert all(times == 1 for times in self.settled.values())

    # --- how it is done

    def _buttons(self, who: str | None, kind: str, id_: str) -> list[Offer]:
        shown = data_of(self._execute(who, BUTTONS, {"id": id_}))["node"]
        if shown is None:
            return []
        return self._noted((kind, id_, action) for action in shown[kind.lower()])

    def _screen(self, who: str) -> list[Offer]:
        offers: list[Offer] = []

        def add(kind: str, node: dict[str, Any] | None) -> None:
            if node:
                offers.extend((kind, node["id"], action) for action in node["allowedActions"])

        for edge in data_of(self._execute(who, SCREEN, {}))["jobs"]["edges"]:
            node = edge["node"]
            add("Job", node)
            for each in node["applications"]["edges"]:
                add("Application", each["node"])
            for each in node["submissions"]["edges"]:
                add("Submission", each["node"])
                add("Dispute", each["node"]["dispute"])
        return self._noted(offers)

    def _noted(self, offers: Iterable[Offer]) -> list[Offer]:
        noted = list(offers)
        self.played.offered.update((kind, action) for kind, _id, action in noted)
        return noted

    def _do(self, who: str | None, offer: Offer, luck: int) -> list[dict[str, Any]]:
        kind, id_, action = offer
        if (kind, action) == ("Job", "FUND"):
            return self._fund(Job.objects.get(id=key_of(id_)))
        later = (self.now + timedelta(days=luck % 60 + 1)).isoformat()
        mutation = mutation_for(kind, id_, action, luck=luck, later=later)
        return self._mutate(who, *mutation)

    def _fund(self, row: Job) -> list[dict[str, Any]]:
        # What fundJob writes; the payment itself is not played here.
        Funding.objects.create(
            job=row,
            payer=row.owner,
            mode=FundingMode.DIRECT,
            total_value=row.total_budget.value,
            asset_code=row.asset_code,
            asset_scale=row.asset_scale,
            created_at=self.now,
            updated_at=self.now,
        )
        Job.objects.filter(id=row.id).update(money_moving=True)
        return []

    def _mutate(
        self, who: str | None, name: str, type_name: str, values: dict[str, Any]
    ) -> list[dict[str, Any]]:
        query = (
            f"mutation ($input: {type_name}!) "
            f"{{ {name}(input: $input) {{ errors {{ code message path }} }} }}"
        )
        result = self._execute(who, query, {"input": values})
        if who is None:
            assert result.errors, "a visitor changes nothing"
            return []
        errors: list[dict[str, Any]] = data_of(result)[name]["errors"]
        return errors

    def _execute(self, who: str | None, query: str, variables: dict[str, Any]) -> ExecutionResult:
        bearer = self.bearers[who] if who else None
        return execute(query, variables=variables, bearer=bearer, now=self.now)


def _to_do(offers: Iterable[Offer]) -> list[Offer]:
    return [offer for offer in offers if offer[0::2] not in SAID_BY_PARTS]
