"""Random histories of several people: what is offered works, and the books of work stay right.

Everybody asks for `allowedActions` and does something of it; others try what is not offered; time
passes, late and twice. LIFE_EXAMPLES histories are played: `LIFE_EXAMPLES=3000 python -m pytest
tests/schema/test_life.py` is the long run.
"""

import os
from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import F, Max, Q, Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from backend import rate_limits
from backend.accounts.models import User
from backend.events.models import Event
from backend.funding.models import Funding
from backend.funding.status import FundingMode, FundingStatus
from backend.ids import new_id
from backend.jobs.clock import pass_time
from backend.jobs.lifecycle import application, dispute, job, submission
from backend.jobs.models import Application, Dispute, Job, StatusChange, Submission
from backend.jobs.recruiting import close_paid_recruiting
from backend.jobs.signals import work_accepted, work_settled
from backend.jobs.status import ApplicationStatus, SubmissionStatus
from tests.jobs.people import NOON, a_person
from tests.schema.client import data_of, execute
from tests.schema.world import global_id

HISTORIES = int(os.environ.get("LIFE_HISTORIES", "6"))
FIRST = int(os.environ.get("LIFE_FIRST", "0"))
# Each is a dozen things that happen, one after the other.
CHAPTERS = 10
MOST_JOBS = 3
PEOPLE = ("ana", "ben", "eva", "leo", "operator", "auditor")
# Those who have the most to do come the most often.
BUSY = (*PEOPLE, "ana", "ana", "ana", "ben", "eva")
MODELS = {"Job": Job, "Application": Application, "Submission": Submission, "Dispute": Dispute}
TRANSITIONS: dict[str, Any] = {
    "job": job.TRANSITIONS,
    "application": application.TRANSITIONS,
    "submission": submission.TRANSITIONS,
    "dispute": dispute.TRANSITIONS,
}
ACTIONS: dict[str, list[str]] = {
    "Job": list(job.JobAction),
    "Application": list(application.ApplicationAction),
    "Submission": list(submission.SubmissionAction),
    "Dispute": list(dispute.DisputeAction),
}
NEVER = {"INVALID_TRANSITION", "FORBIDDEN", "NOT_FOUND", "INTERNAL"}
SCREEN = """{ jobs(first: 4) { edges { node { id allowedActions
  applications(first: 6) { edges { node { id allowedActions } } }
  submissions(first: 20) { edges { node { id allowedActions
    dispute { id allowedActions } } } } } } } }"""
REVIEWS = {"ACCEPT", "REQUEST_CHANGES", "REJECT"}
SELDOM = {"Job CANCEL", "DUPLICATE", "Job EDIT", "EXTEND", "WITHDRAW", "RESET", "REOPEN"}
SELDOM |= {"Job SELECT", "Job REVIEW", "Application REJECT"}
DECISIONS = {"SELECT": "select", "REJECT": "reject", "RESET": "reset"}
USD = {"assetCode": "USD", "assetScale": 2}
Offer = tuple[str, str, str]


# How often each action succeeded, over all histories.
_played: Counter[str] = Counter()


class Life(RuleBasedStateMachine):
    """A small marketplace, lived in by six people."""

    def __init__(self) -> None:
        super().__init__()
        # Each history is a transaction that is never committed.
        self.world = transaction.atomic()
        self.world.__enter__()
        self.now = NOON
        self.people: dict[str, User] = {}
        self.accepted: Counter[UUID] = Counter()
        self.settled: Counter[UUID] = Counter()
        work_accepted.connect(self._hear_accepted)
        work_settled.connect(self._hear_settled)

    def teardown(self) -> None:
        work_accepted.disconnect(self._hear_accepted)
        work_settled.disconnect(self._hear_settled)
        transaction.set_rollback(True)
        self.world.__exit__(None, None, None)

    def _hear_accepted(self, submission: Submission, value: int, **_: Any) -> None:
        assert submission.id not in self.settled, "nothing more was to come"
        self.accepted[submission.id] += value

    def _hear_settled(self, submission: Submission, **_: Any) -> None:
        self.settled[submission.id] += 1

    @initialize()
    def move_in(self) -> None:
        for name in PEOPLE:
            self.people[name] = a_person(
                name, is_staff=name == "operator", is_auditor=name == "auditor"
            )
        # Most histories would never get far if they had to find their way here first.
        self._mutate("ana", "createJob", "JobInput", _a_job(2))
        id_ = global_id("Job", Job.objects.get().id)
        for who, action in (("ana", "PUBLISH"), ("ben", "APPLY"), ("eva", "APPLY")):
            assert not self._do(who, ("Job", id_, action), 0)

    # --- what people do

    @rule(who=st.sampled_from(PEOPLE), workers=st.integers(1, 2))
    def create(self, who: str, workers: int) -> None:
        if Job.objects.count() < MOST_JOBS:
            errors = self._mutate(who, "createJob", "JobInput", _a_job(workers))
            assert not errors

    @rule(seed=st.integers(0, 2**32))
    def life_goes_on(self, seed: int) -> None:
        # By a seed, because a long history of single draws is more than hypothesis keeps.
        rng = Random(seed)
        for _ in range(12):
            chance = rng.random()
            if chance < 0.85:
                who = rng.choice(BUSY)
                self._do_what_is_offered(who, rng.randrange(10_000), rng.randint(1, 2500))
            elif chance < 0.95:
                self.a_payment_ends(rng.randrange(10), rng.random() < 0.85)
            else:
                self.time_passes(rng.choice((1, 24, 24, 4 * 24, 6 * 24)))
                self.the_clock_comes_by()

    @rule(who=st.sampled_from(PEOPLE), pick=st.integers(0, 10_000), luck=st.integers(1, 2500))
    def somebody_does_something(self, who: str, pick: int, luck: int) -> None:
        self._do_what_is_offered(who, pick, luck)

    def _do_what_is_offered(self, who: str, pick: int, luck: int) -> bool:
        offers = self._offers(who)
        if luck % 8:
            # What ends a history, or leads nowhere, is done less often than it is offered.
            offers = [
                offer for offer in offers if not {offer[2], f"{offer[0]} {offer[2]}"} & SELDOM
            ]
        if not offers:
            return False
        offer = offers[pick % len(offers)]
        errors = self._do(who, offer, luck)
        assert not {error["code"] for error in errors} & NEVER, (offer, errors)
        if not errors and offer[0::2] not in {("Job", "SELECT"), ("Job", "REVIEW")}:
            _played[f"{offer[0]} {offer[2]}"] += 1
        return not errors

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
        offered = {offer[2] for offer in self._offers(who) if offer[1] == id_}
        action = ACTIONS[kind][pick % len(ACTIONS[kind])]
        if action in offered or (kind, action) == ("Job", "FUND"):
            return
        before = self._everything()
        self._do(who, (kind, id_, action), luck)
        assert self._everything() == before, (who, kind, action)

    # --- what money and time do

    @rule(pick=st.integers(0, 10), arrives=st.booleans())
    def a_payment_ends(self, pick: int, arrives: bool) -> None:
        waiting = list(Funding.objects.filter(status=FundingStatus.AWAITING_APPROVAL))
        if not waiting:
            return
        funding = waiting[pick % len(waiting)]
        Job.objects.filter(id=funding.job_id).update(money_moving=False)
        if arrives:
            funding.move_to(FundingStatus.SETTLED, at=self.now, released_value=funding.total_value)
            close_paid_recruiting(job=funding.job, at=self.now)
        else:
            funding.move_to(FundingStatus.FAILED, at=self.now)

    @rule(hours=st.sampled_from((1, 24, 5 * 24, 7 * 24, 14 * 24, 40 * 24)))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def the_clock_comes_by(self) -> None:
        pass_time(now=self.now)
        before = self._everything()
        moved = pass_time(now=self.now)
        assert moved == 0, "a second run has nothing to do"
        assert self._everything() == before

    # --- what must always be true

    @invariant()
    def nobody_has_too_much(self) -> None:
        for row in Job.objects.all():
            selected = row.applications.filter(status=ApplicationStatus.SELECTED)
            assert selected.count() <= row.workers_needed
            assert not row.applications.filter(applicant=row.owner_id).exists()
            assert row.total_budget.value == row.reward_value * row.workers_needed
        for each in Submission.objects.select_related("application"):
            assert each.application.applicant_id == each.worker_id
            assert each.application.status == ApplicationStatus.SELECTED
            assert 0 <= each.accepted_value <= each.reward_value
            assert self.accepted[each.id] == each.accepted_value
            assert self.settled[each.id] <= 1
        live = Submission.objects.exclude(status=SubmissionStatus.DRAFT)
        live = live.filter(superseded_at__isnull=True)
        per_worker = live.values_list("application_id")
        assert all(count == 1 for count in Counter(per_worker).values())

    @invariant()
    def disputes_add_up(self) -> None:
        for each in Dispute.objects.select_related("submission"):
            assert (each.worker_value is not None) == (each.status == "RESOLVED")
            assert 0 <= (each.worker_value or 0) <= each.amount_value
            is_open = each.status in {"OPEN", "RESPONDED", "ESCALATED"}
            assert is_open == (each.submission.status == SubmissionStatus.DISPUTED)

    @invariant()
    def what_has_ended_is_quiet(self) -> None:
        ended = Job.objects.filter(status__in=[each.value for each in job.FINAL])
        assert not ended.filter(due_at__isnull=False).exists()
        assert not ended.filter(money_moving=True).exists()
        waiting = Q(status__in=("SUBMITTED", "CHANGES_REQUESTED"), superseded_at__isnull=True)
        contested = Q(status="DISPUTED") | Q(dispute_until__isnull=False)
        loose = Submission.objects.filter(waiting | contested, job__in=ended)
        # A window that has passed may still wait for the clock.
        assert not loose.exclude(dispute_until__lte=self.now).exists()

    @invariant()
    def the_log_tells_the_whole_story(self) -> None:
        for kind, model in MODELS.items():
            first = "PENDING" if kind == "Application" else "OPEN" if kind == "Dispute" else "DRAFT"
            stories: dict[UUID, str] = {}
            for change in StatusChange.objects.filter(kind=kind.lower()).order_by("id"):
                assert change.old == stories.get(change.subject_id, first)
                assert change.new in TRANSITIONS[change.kind][change.old]
                stories[change.subject_id] = change.new
            for key, status in model._default_manager.values_list("pk", "status"):
                assert stories.get(key, first) == status

    @invariant()
    def no_event_is_missing(self) -> None:
        seqs: dict[str, int] = {}
        for topic, seq in Event.objects.order_by("topic", "seq").values_list("topic", "seq"):
            assert seq == seqs.get(topic, 0) + 1
            seqs[topic] = seq

    def check(self) -> None:
        """Everything that must always be true."""
        self.nobody_has_too_much()
        self.disputes_add_up()
        self.what_has_ended_is_quiet()
        self.the_log_tells_the_whole_story()
        self.no_event_is_missing()

    # --- how it is done

    def _offers(self, who: str | None) -> list[Offer]:
        user = self.people[who] if who else None
        offers: list[Offer] = []

        def add(kind: str, node: dict[str, Any] | None) -> None:
            if node:
                offers.extend((kind, node["id"], action) for action in node["allowedActions"])

        shown = data_of(execute(SCREEN, user=user, now=self.now))["jobs"]["edges"]
        for edge in shown:
            node = edge["node"]
            add("Job", node)
            for each in node["applications"]["edges"]:
                add("Application", each["node"])
            for each in node["submissions"]["edges"]:
                add("Submission", each["node"])
                add("Dispute", each["node"]["dispute"])
        return offers

    def _do(self, who: str | None, offer: Offer, luck: int) -> list[dict[str, Any]]:
        kind, id_, action = offer
        if kind == "Job":
            return self._do_with_job(who, id_, action, luck)
        if kind == "Application":
            return self._do_with_application(who, id_, action)
        if kind == "Submission":
            return self._do_with_submission(who, id_, action, luck)
        return self._do_with_dispute(who, id_, action, luck)

    def _do_with_job(
        self, who: str | None, id_: str, action: str, luck: int
    ) -> list[dict[str, Any]]:
        row = Job.objects.get(id=_key(id_))
        later = (self.now + timedelta(days=luck % 60 + 1)).isoformat()
        text = {"text": f"Sentence {luck}."}
        simple = {
            "PUBLISH": "publishJob",
            "DUPLICATE": "duplicateJob",
            "CLOSE_RECRUITING": "closeRecruiting",
            "COMPLETE": "completeJob",
        }
        if action in simple:
            if action == "DUPLICATE" and Job.objects.count() >= MOST_JOBS:
                return []
            return self._mutate(who, simple[action], "JobIdInput", {"jobId": id_})
        if action == "FUND":
            return self._fund(row)
        if action in {"SELECT", "REVIEW"}:
            return []  # the applications, or the submissions, themselves say how
        if action == "SUBMIT":
            return self._mutate(
                who, "saveSubmission", "SaveSubmissionInput", {"jobId": id_, **text}
            )
        names: dict[str, tuple[str, str, dict[str, Any]]] = {
            "EDIT": (
                "updateJob",
                "UpdateJobInput",
                {"job": _as_input(row, luck), "expectedVersion": row.version},
            ),
            "APPLY": ("applyToJob", "ApplyInput", {"note": "I would love to."}),
            "REOPEN": ("reopenRecruiting", "ReopenRecruitingInput", {"recruitUntil": later}),
            "EXTEND": ("extendJob", "ExtendJobInput", {"expiresAt": later}),
            "PRE_FUND": (
                "preFundJob",
                "PreFundJobInput",
                {"returnUrl": "http://127.0.0.1:8000/", "idempotencyKey": str(new_id())},
            ),
            "CANCEL": ("cancelJob", "CancelJobInput", {"reason": "No longer needed."}),
        }
        name, type_name, values = names[action]
        return self._mutate(who, name, type_name, {"jobId": id_, **values})

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

    def _do_with_application(self, who: str | None, id_: str, action: str) -> list[dict[str, Any]]:
        if action == "WITHDRAW":
            values: dict[str, Any] = {"applicationId": id_}
            return self._mutate(who, "withdrawApplication", "ApplicationIdInput", values)
        job_id = Application.objects.get(id=_key(id_)).job_id
        values = {"jobId": global_id("Job", job_id), DECISIONS[action]: [id_]}
        return self._mutate(who, "decideApplications", "DecideApplicationsInput", values)

    def _do_with_submission(
        self, who: str | None, id_: str, action: str, luck: int
    ) -> list[dict[str, Any]]:
        row = Submission.objects.get(id=_key(id_))
        if action == "EDIT":
            values: dict[str, Any] = {"jobId": global_id("Job", row.job_id), "text": f"{luck}"}
            return self._mutate(who, "saveSubmission", "SaveSubmissionInput", values)
        if action == "DISPUTE":
            values = {"submissionId": id_, "reason": "I did what was asked."}
            return self._mutate(who, "openDispute", "OpenDisputeInput", values)
        if action not in REVIEWS:
            name = {"SUBMIT": "submitWork", "ACKNOWLEDGE": "acknowledgeDecision"}[action]
            return self._mutate(who, name, "SubmissionIdInput", {"submissionId": id_})
        values = {
            "submissionId": id_,
            "decision": action,
            "comment": "Thank you.",
            "idempotencyKey": str(new_id()),
        }
        if action == "ACCEPT" and luck % 2 and row.status != "DISPUTED":
            values["amount"] = {"value": str(min(luck, max(row.rest, 1))), **USD}
        return self._mutate(who, "reviewSubmission", "ReviewSubmissionInput", values)

    def _do_with_dispute(
        self, who: str | None, id_: str, action: str, luck: int
    ) -> list[dict[str, Any]]:
        values: dict[str, Any] = {"disputeId": id_}
        if action == "RESPOND":
            values["response"] = "No."
            return self._mutate(who, "respondToDispute", "RespondToDisputeInput", values)
        if action == "RESOLVE":
            amount = Dispute.objects.get(id=_key(id_)).amount_value
            worker = luck % (amount + 1)
            values |= {
                "workerShare": {"value": str(worker), **USD},
                "payerShare": {"value": str(amount - worker), **USD},
                "note": "Both have a point.",
                "idempotencyKey": str(new_id()),
            }
            return self._mutate(who, "resolveDispute", "ResolveDisputeInput", values)
        name = {"ESCALATE": "escalateDispute", "WITHDRAW": "withdrawDispute"}[action]
        return self._mutate(who, name, "DisputeIdInput", values)

    def _mutate(
        self, who: str | None, name: str, type_name: str, values: dict[str, Any]
    ) -> list[dict[str, Any]]:
        query = (
            f"mutation ($input: {type_name}!) "
            f"{{ {name}(input: $input) {{ errors {{ code message path }} }} }}"
        )
        user = self.people[who] if who else None
        result = execute(query, variables={"input": values}, user=user, now=self.now)
        if who is None:
            assert result.errors, "a visitor changes nothing"
            return []
        errors: list[dict[str, Any]] = data_of(result)[name]["errors"]
        return errors

    def _everything(self) -> tuple[object, ...]:
        return (
            Job.objects.aggregate(Sum("version"), Max("updated_at")),
            StatusChange.objects.count(),
            Event.objects.count(),
            *(model._default_manager.count() for model in MODELS.values()),
            Submission.objects.aggregate(Sum("accepted_value"), Max("updated_at")),
            Submission.objects.filter(dispute_until__isnull=False).count(),
            Funding.objects.aggregate(Sum(F("total_value"))),
        )


def _a_job(workers: int) -> dict[str, Any]:
    return {
        "title": "Ten sentences",
        "description": "Write ten sentences in Otomi.",
        "deliverables": ["TEXT"],
        "reward": {"value": "2500", **USD},
        "workersNeeded": workers,
        "recruitLimit": 4,
        "closeRecruitingWhenFunded": workers == 1,
    }


def _as_input(row: Job, luck: int) -> dict[str, Any]:
    return {
        **_a_job(row.workers_needed),
        "title": f"Sentences, {luck}",
        "recruitLimit": row.recruit_limit,
        "closeRecruitingWhenFunded": row.close_recruiting_when_funded,
    }


def _key(id_: str) -> UUID:
    import base64

    return UUID(base64.b64decode(id_).decode().partition(":")[2])


@pytest.fixture(autouse=True)
def _no_limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RETURN_URLS = frozenset({"http://127.0.0.1:8000"})
    monkeypatch.setattr(rate_limits, "hit", lambda *_args: None)


@pytest.mark.django_db
def test_what_is_offered_works_in_every_history_and_the_books_of_work_stay_right() -> None:
    for seed in range(FIRST, FIRST + HISTORIES):
        rng, life = Random(seed), Life()
        try:
            life.move_in()
            for _ in range(CHAPTERS):
                life.life_goes_on(rng.randrange(2**32))
                who, kind = rng.choice((*PEOPLE, None)), rng.choice(sorted(MODELS))
                life.try_what_is_not_offered(who, rng.randrange(10_000), kind, rng.randint(1, 2500))
                life.check()
        except BaseException as error:
            error.add_note(f"in the history of seed {seed}: LIFE_FIRST={seed} LIFE_HISTORIES=1")
            raise
        finally:
            life.teardown()

    print(HISTORIES, "histories,", sum(_played.values()), "actions:", dict(sorted(_played.items())))
    assert HISTORIES < 30 or {f"Submission {each}" for each in REVIEWS} <= set(_played)


@pytest.mark.django_db
def test_hypothesis_finds_no_shorter_way_into_trouble() -> None:
    run_state_machine_as_test(Life, settings=SHORT)


SHORT = settings(
    max_examples=max(5, HISTORIES // 10),
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
