"""What a worker holds while it moves one row: its claim, its calls, its commits.

Two ways to call a wallet, and nothing else calls one:

- `ask`: repeatable calls. The answer is journalled in the commit that uses it. A step may make
  several: each renews the lease where too little of it is left.
- `ask_once`: continue, rotate, create an outgoing payment. Intent committed → row locked → call →
  raw answer committed → applied by the caller's next commit. After a crash the intent is still
  the row's `pending_call`, and `ask_once` hands out the saved answer, or says it was lost.

One way to change anything: `commit`, guarded by the fence. paying.py and vault.py say what there
is to change of a payment and of a held grant.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, QuerySet, TextChoices, Value, When

from backend.accounts.models import WalletAddress
from backend.clock import Clock
from backend.ids import new_id
from backend.open_payments import (
    Answer,
    Client,
    OpenPaymentsError,
    Operation,
    WalletUnreachable,
)
from backend.open_payments.types import Access
from backend.payments.bulkheads import BULKHEAD
from backend.payments.errors import Failure, LostRace
from backend.payments.models import Grant, HeldGrant, Payment, WalletCall
from backend.payments.patience import MAX_CONSENTS, PREPARE_FOR, pause_seconds
from backend.payments.signals import row_moving
from backend.payments.status import GrantKind, GrantStatus
from backend.telemetry import metrics

T = TypeVar("T")
Row = TypeVar("Row", Payment, HeldGrant)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 600.0
DECIDING_HEADERS = ("www-authenticate", "retry-after", "date")
# A row that has had its turn rests for as long as the turn lasted, at most for this long.
LONGEST_REST = timedelta(minutes=1)


class Run(ABC, Generic[Row]):
    """One claim on one row. Not for sharing between threads."""

    # The row's state machine, and the statuses that all of them have a name for.
    TRANSITIONS: ClassVar[Mapping[Any, frozenset[Any]]]
    CREATED: ClassVar[TextChoices]
    AWAITING_APPROVAL: ClassVar[TextChoices]
    CONSENTED: ClassVar[TextChoices]
    REJECTED: ClassVar[TextChoices]
    EXPIRED: ClassVar[TextChoices]
    FAILED: ClassVar[TextChoices]
    # The column by which a call or a grant names the row.
    NAMED: ClassVar[str]

    # Which attempt a call belongs to; a held grant has none.
    attempt_number = 0

    def __init__(self, row: Row, *, client: Client, clock: Clock, rng: random.Random) -> None:
        self.row: Row = row
        self.client = client
        self._clock = clock
        self._rng = rng
        self._fence = row.fence
        self._began_at = clock.now()
        # What repeatable calls brought, for the next commit: losing it in a crash costs a repeat.
        self._unsaved_calls: list[WalletCall] = []
        self._unsaved_grants: list[Grant] = []
        self._replaced_grants: list[UUID] = []
        self._using: Grant | None = None
        self.grants: list[Grant] = list(
            row.grants.filter(
                status__in=[
                    GrantStatus.AWAITING_APPROVAL,
                    GrantStatus.APPROVED,
                    GrantStatus.REJECTED,
                ]
            ).order_by("created_at", "id")
        )

    # --- what the two kinds of rows differ in -------------------------------------------------

    @property
    @abstractmethod
    def status(self) -> Any: ...

    @property
    @abstractmethod
    def may_have_sent(self) -> bool:
        """Whether money may be moving, so that only a wallet's word can end this."""

    @abstractmethod
    def access(self, limit: int) -> Access:
        """What the payer is asked for, with `limit` in the sender's asset."""

    @abstractmethod
    def after_move(self, old: Any, new: Any, *, reason: str, at: datetime) -> None:
        """Log a change of the status and tell of it; the last act of its transaction."""

    @property
    def is_owed(self) -> bool:
        """Whether what is to be paid stays owed when this fails, so that nobody funds again."""
        return False

    def on_intent(self, sent_at: datetime | None) -> None:
        """Save what belongs to the intent of a call that must not be repeated."""

    @property
    def sender(self) -> WalletAddress:
        """The wallet that pays."""
        wallet: WalletAddress = self.row.sender
        return wallet

    @property
    def is_over(self) -> bool:
        return not self.TRANSITIONS[self.status]

    @property
    def now(self) -> datetime:
        return self._clock.now()

    @property
    def failed_grant(self) -> Grant | None:
        """The grant whose token the last call used."""
        return self._using

    def must_stop(self) -> bool:
        """Whether this claim is over: waiting, ended, or too little lease left for a call."""
        due_at: datetime | None = self.row.due_at
        if due_at is None or due_at > self.now or self.row.lease_until is None:
            return True
        return not self._lease_outlives_a_call()

    def ran_out_of_time(self) -> bool:
        """Whether wallets had all the time to prepare the row: none counts before they are asked.

        Else a standstill of ours would end what nobody has looked at.
        """
        if self.now <= self.row.deadline_at:
            return False
        first = self.row.calls.order_by("id").first()
        return first is not None and self.now > first.at + PREPARE_FOR

    def has_had_its_turn(self) -> bool:
        """Whether this claim has lasted so long that other rows come first."""
        return self.now - self._began_at >= timedelta(seconds=settings.LEASE_S)

    def _lease_outlives_a_call(self) -> bool:
        lease_until: datetime | None = self.row.lease_until
        assert lease_until is not None
        return lease_until - self.now >= timedelta(seconds=2 * settings.WALLET_BUDGET_S)

    # --- grants in hand -----------------------------------------------------------------------

    def grant(self, kind: GrantKind) -> Grant | None:
        """The newest grant of this kind that has not ended."""
        return next((grant for grant in reversed(self.grants) if grant.kind == kind), None)

    def grant_with_token(self, kind: GrantKind) -> Grant | None:
        """The same, if its access token will outlive the next call."""
        grant = self.grant(kind)
        if grant is None or grant.status != GrantStatus.APPROVED or not self.token_lives(grant):
            return None
        return grant

    def token_lives(self, grant: Grant) -> bool:
        """Whether the token outlives two wallet budgets; None means that it never expires."""
        margin = timedelta(seconds=2 * settings.WALLET_BUDGET_S)
        return grant.token_expires_at is None or grant.token_expires_at > self.now + margin

    def may_ask_the_payer_again(self) -> bool:
        """Whether the payer has been asked for consent fewer times than is bearable."""
        asked = self.row.grants.filter(kind=GrantKind.OUTGOING_PAYMENT).count()
        return asked < MAX_CONSENTS

    # --- calls --------------------------------------------------------------------------------

    def ask(self, operation: Operation[T], *, grant: Grant | None = None) -> T:
        """Make a call that may be repeated, and understand its answer.

        Raises:
            OpenPaymentsError: as `exchange` and `parse` do; the call is journalled anyway.
            HostBusy: it is a slow host, and has its share of the threads; nothing was sent.
            LostRace: another worker has the row; nothing was sent.
        """
        assert operation.repeatable, operation.name
        with BULKHEAD.slot(_host_of(operation)):
            self._renew_lease()
            self._using = grant
            call = self._call(operation, grant)
            call.is_answer = True
            self._unsaved_calls.append(call)
            answer = self._exchange(operation, call)
        return operation.parse(answer)

    def ask_once(
        self,
        operation: Operation[T],
        *,
        grant: Grant | None,
        status: Any = None,
        sent_at: datetime | None = None,
    ) -> T:
        """Make a call that must not be repeated, or take up the one a crash left behind.

        `status` and `sent_at` are committed with the intent. The caller's next `commit` closes
        the call; until then every crash leads back here.

        Raises:
            WalletUnreachable: with `request_sent` true also when the answer was lost in a crash.
            OpenPaymentsError: as `exchange` and `parse` do.
            HostBusy, LostRace: as `ask`; nothing was sent, and no intent committed.
        """
        assert not operation.repeatable, operation.name
        self._using = grant
        if self.row.pending_call_id:
            answer = self._saved_answer(operation)
        else:
            with BULKHEAD.slot(_host_of(operation)):
                answer = self._exchange_locked(
                    operation, self._intend(operation, grant, status, sent_at)
                )
        return operation.parse(answer)

    def _renew_lease(self) -> None:
        # Else others would join a worker that makes many calls in one step, one each LEASE_S, until
        # all of them asked the same slow wallet for the same row.
        if self.row.lease_until is not None and self._lease_outlives_a_call():
            return
        lease_until = self.now + timedelta(seconds=settings.LEASE_S)
        mine = self._rows().filter(id=self.row.id, fence=self._fence)
        if not mine.update(lease_until=lease_until):
            raise LostRace(f"{self.row} was taken over between two calls.")
        self.row.lease_until = lease_until

    def _intend(
        self,
        operation: Operation[Any],
        grant: Grant | None,
        status: Any,
        sent_at: datetime | None,
    ) -> WalletCall:
        intent = self._call(operation, grant)
        intent.is_answer = False
        with self.commit(
            status, pending_call=intent, before_update=intent.save, tries=self.row.tries
        ):
            self.on_intent(sent_at)
        return intent

    def _exchange_locked(self, operation: Operation[Any], intent: WalletCall) -> Answer:
        # The lease alone let a worker that was paused past it send a second time. On PostgreSQL
        # the row stays locked while the request is out: a paused worker keeps its lock, a killed
        # one loses it with its connection. SQLite has one lock for everybody, so it is never
        # held over the network: there the fence is only looked at before the call.
        call = self._call(operation, intent.grant)
        call.is_answer, call.intent = True, intent
        if connection.vendor == "postgresql":
            with transaction.atomic():
                self._require_claim(self._rows().select_for_update(no_key=True))
                answer = self._exchange_and_journal(operation, call)
        else:
            self._require_claim(self._rows())
            answer = self._exchange_and_journal(operation, call)
        # Raised only now: inside the transaction it would undo the journal.
        if isinstance(answer, WalletUnreachable):
            raise answer
        return answer

    def _rows(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = type(self.row)._default_manager.all()
        return rows

    def _require_claim(self, rows: QuerySet[Any]) -> None:
        if not rows.filter(id=self.row.id, fence=self._fence).values_list("id").first():
            raise LostRace(f"{self.row} was taken over before its call.")

    def _exchange_and_journal(
        self, operation: Operation[Any], call: WalletCall
    ) -> Answer | WalletUnreachable:
        answer: Answer | WalletUnreachable
        try:
            answer = self._exchange(operation, call)
        except WalletUnreachable as unreachable:
            answer = unreachable
        call.save(force_insert=True)
        return answer

    def _saved_answer(self, operation: Operation[Any]) -> Answer:
        intent = self.row.pending_call
        assert intent is not None
        if intent.request_digest != operation.digest:
            # Another release asked in other words, or a server has moved since: what was asked is
            # not known here any more, and an answer could not be read.
            raise WalletUnreachable(operation.name, reason="asked otherwise", request_sent=True)
        saved = WalletCall.objects.filter(intent=intent).first()
        if saved is None:
            raise WalletUnreachable(operation.name, reason="answer lost", request_sent=True)
        if saved.status is None:
            raise WalletUnreachable(
                operation.name, reason=saved.error, request_sent=saved.request_sent
            )
        return Answer(status=saved.status, headers=saved.headers, body=saved.open_body())

    def _call(self, operation: Operation[Any], grant: Grant | None) -> WalletCall:
        return WalletCall(
            id=new_id(),
            **{self.NAMED: self.row},
            attempt_number=self.attempt_number,
            grant=grant,
            operation=operation.name,
            host=_host_of(operation)[:255],
            request_digest=operation.digest,
            fence=self._fence,
            at=self.now,
        )

    def _exchange(self, operation: Operation[Any], call: WalletCall) -> Answer:
        asked_at = self.now
        try:
            answer = self.client.exchange(operation)
        except WalletUnreachable as error:
            call.error, call.request_sent = error.reason[:80], error.request_sent
            raise
        finally:
            call.duration_ms = max(0, round((self.now - asked_at) / timedelta(milliseconds=1)))
        call.status, call.body = answer.status, call.seal_body(answer.body)
        call.headers = {
            name: answer.headers[name] for name in DECIDING_HEADERS if name in answer.headers
        }
        return answer

    # --- commits ------------------------------------------------------------------------------

    @contextmanager
    def commit(
        self,
        status: Any = None,
        *,
        reason: str = "",
        wait_seconds: float | None = None,
        wait_until: datetime | None = None,
        before_update: Any = None,
        **fields: Any,
    ) -> Iterator[None]:
        """Save `fields`, what the body writes, the journal, the log and the event, all or none.

        Without a wait the row stays due and claimed, and the next step follows; with one
        it is released until then.

        Raises:
            LostRace: the claim was lost, or the row moved; nothing was saved.
        """
        old, now = self.status, self.now
        if status is not None:
            assert status in self.TRANSITIONS[old], f"{old} → {status}"
        changes: dict[str, Any] = {"tries": 0, "pending_call": None, **fields}
        if status is not None:
            changes |= {"status": status, "updated_at": now}
        if wait_seconds is not None:
            wait_until = now + timedelta(seconds=wait_seconds)
        if wait_until is not None:
            changes |= {"due_at": wait_until, "lease_until": None}
        else:
            # Still at work: a short lease, renewed, is found soon after a worker was killed.
            changes["lease_until"] = now + timedelta(seconds=settings.LEASE_S)
        if status is not None and not self.TRANSITIONS[status]:
            changes |= {"due_at": None, "lease_until": None}
        before = {name: getattr(self.row, name) for name in changes}
        try:
            with transaction.atomic():
                if status is not None:
                    row_moving.send(sender=type(self.row), row=self.row)
                if before_update:
                    before_update(force_insert=True)
                self._update_row(old, changes)
                self._save_grants()
                yield
                WalletCall.objects.bulk_create(self._unsaved_calls)
                if status is not None:
                    self.after_move(old, status, reason=reason[:200], at=now)
        except BaseException:
            for name, value in before.items():
                setattr(self.row, name, value)
            raise
        self._unsaved_calls, self._unsaved_grants, self._replaced_grants = [], [], []
        if status is not None:
            metrics.MOVES.labels(type(self.row).__name__, str(status)).inc()

    def _save_grants(self) -> None:
        if self._replaced_grants:
            Grant.objects.filter(id__in=self._replaced_grants).update(
                status=GrantStatus.SUPERSEDED, secrets=""
            )
        Grant.objects.bulk_create(self._unsaved_grants)

    def _update_row(self, old: Any, changes: dict[str, Any]) -> None:
        mine = self._rows().filter(id=self.row.id, fence=self._fence, status=old)
        if not mine.update(**changes):
            raise LostRace(f"{self.row} is no longer {old} under this claim.")
        for name, value in changes.items():
            setattr(self.row, name, value)

    def end_grants(self) -> None:
        """Delete all secrets, because the row is over; only inside `commit`."""
        in_use = [GrantStatus.APPROVED, GrantStatus.AWAITING_APPROVAL]
        self.row.grants.exclude(secrets="").update(
            secrets="",
            interact_ref="",
            status=Case(
                When(status__in=in_use, then=Value(str(GrantStatus.ENDED))), default=F("status")
            ),
        )

    def add_grant(self, grant: Grant) -> None:
        """Store a new grant; only inside `commit`."""
        grant.save(force_insert=True)
        self.grants.append(grant)

    def replace_grant(self, grant: Grant) -> None:
        """Use this grant from now on instead of others of its kind; the next commit stores it."""
        if older := self.grant(GrantKind(grant.kind)):
            self._replaced_grants.append(older.id)
            self.grants.remove(older)
        self.grants.append(grant)
        self._unsaved_grants.append(grant)

    def update_grant(self, grant: Grant, **fields: Any) -> None:
        """Change a grant; only inside `commit`."""
        Grant.objects.filter(id=grant.id).update(**fields)
        for name, value in fields.items():
            setattr(grant, name, value)

    def end_grant(self, grant: Grant, status: GrantStatus) -> None:
        """Take a grant out of use and delete its secrets; only inside `commit`."""
        self.update_grant(grant, status=status, secrets="", interact_ref="")
        self.grants.remove(grant)

    # --- endings and pauses -------------------------------------------------------------------

    def fail(self, failure: Failure, *, status: Any = None, **fields: Any) -> None:
        """End the row with a reason its payer can act on; `status` None is FAILED."""
        with self.commit(status or self.FAILED, **failure.fields(owed=self.is_owed), **fields):
            pass

    def give_up(self, failure: Failure) -> None:
        """End the row, unless money may be moving: then only wait and ask again."""
        if self.may_have_sent:
            self.try_later()
        else:
            self.fail(failure)

    def try_later(self, *, at_least_seconds: float = 0) -> None:
        """Release the row and look at it again after a pause that grows with every try."""
        with self.later(at_least_seconds=at_least_seconds):
            pass

    @contextmanager
    def later(self, *, at_least_seconds: float = 0) -> Iterator[None]:
        """The same, with a commit whose body may change something."""
        tries = self.row.tries
        longest = pause_seconds(
            first=FIRST_PAUSE_SECONDS, tries=tries, longest=LONGEST_PAUSE_SECONDS
        )
        seconds = max(at_least_seconds, longest * self._rng.uniform(0.5, 1.0))
        with self.commit(wait_seconds=seconds, tries=tries + 1):
            yield

    @staticmethod
    def retry_after(error: OpenPaymentsError) -> float:
        """The pause that the wallet asked for, in seconds, at most an hour; 0 by default."""
        return min(float(getattr(error, "retry_after_seconds", None) or 0), 3600.0)

    def distrust(self, grant: Grant) -> None:
        """Have this token replaced before it is used again; only inside `commit`."""
        self.update_grant(grant, token_expires_at=self.now)

    def release(self) -> None:
        """Give the claim back without changing when the row is due."""
        self._rows().filter(id=self.row.id, fence=self._fence).update(lease_until=None)

    def rest(self) -> None:
        """Give the claim back, and look again after a pause as long as this turn was."""
        pause = min(self.now - self._began_at, LONGEST_REST)
        self._rows().filter(id=self.row.id, fence=self._fence).update(
            lease_until=None, due_at=self.now + pause
        )


def _host_of(operation: Operation[Any]) -> str:
    return urlsplit(operation.url).netloc
