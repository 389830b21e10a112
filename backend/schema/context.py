"""What every resolver gets: who asks, what time it is, the database, and batches of look-ups."""

import time
from collections.abc import Awaitable, Callable, Hashable, Mapping
from datetime import datetime
from typing import Any, ParamSpec, Protocol, TypeVar

import strawberry
from django.utils.translation import gettext_lazy as _
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from strawberry.dataloader import DataLoader

from backend import locales, rate_limits
from backend.accounts.callers import Caller, caller_for_bearer, key_in
from backend.accounts.models import Scope, User
from backend.accounts.services import users_for_bearers
from backend.clock import SYSTEM_CLOCK, Clock
from backend.errors import ErrorCode, FaenaError
from backend.events.hub import hub
from backend.events.threads import in_database
from backend.payments.threads import asking_wallets

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# A stream whose token was revoked is silent after this long.
STREAM_TRUST_SECONDS = 2.0


class Unauthenticated(FaenaError):
    """Log in first, or again."""

    code = ErrorCode.UNAUTHENTICATED


class Runner(Protocol):
    """Runs a function that uses the database, from async code."""

    def __call__(
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[R]: ...


class Asker(Protocol):
    """Runs a function that waits for wallets, for somebody, from async code."""

    def __call__(
        self, principal: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[R]: ...


class Context:
    """One operation's surroundings. A socket's context makes a fresh one per operation."""

    def __init__(
        self,
        *,
        bearer: str | None,
        remote_address: str = "",
        accept_language: str = "",
        clock: Clock = SYSTEM_CLOCK,
        run: Runner = in_database,
        ask: Asker = asking_wallets,
        request: HTTPConnection | None = None,
        response_headers: MutableHeaders | None = None,
    ) -> None:
        self.bearer = bearer
        self.remote_address = remote_address
        self.accept_language = accept_language
        self.clock = clock
        self.request = request
        # Of the answer to a plain POST; None where one answer carries many results.
        self.response_headers = response_headers
        # Strawberry puts the socket's connection_init payload here.
        self.connection_params: dict[str, object] | None = None
        # Whether this is a query or a subscription: then an API key needs the scope READ. What a
        # mutation needs, and its answer, see `scopes`.
        self.reads = False
        # Who holds a socket, as far as it is known: a visitor is where they come from.
        self.holder = rate_limits.network_of(remote_address)
        self._run = run
        self._ask = ask
        self._caller: Caller | None = None
        self._counted = False
        self._viewer: User | None = None
        self._viewer_known = False
        self._viewer_trusted_until = 0.0
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}
        self._made: dict[Hashable, Any] = {}

    def for_operation(self) -> "Context":
        """The same caller with nothing remembered."""
        return Context(
            bearer=self.bearer,
            remote_address=self.remote_address,
            accept_language=self.accept_language,
            clock=self.clock,
            run=self._run,
            ask=self._ask,
            request=self.request,
            response_headers=self.response_headers,
        )

    def forget(self) -> None:
        """Drop what was loaded; a subscription does this before each item."""
        self._loaders.clear()
        self._made.clear()

    def now(self) -> datetime:
        return self.clock.now()

    @property
    def language(self) -> str:
        """The language that sentences for people are written in, as far as is known by now.

        The profile's once it is known who asks, until then and without one the client's choice.
        """
        profile = self._viewer.locale if self._viewer is not None else ""
        return locales.language_for(profile=profile, accept_language=self.accept_language)

    async def db(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function that uses the database off the event loop."""
        return await self._run(function, *args, **kwargs)

    async def at_wallets(
        self, user: User, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a function that waits for wallets, as `user`, off the threads of the database.

        Raises:
            RateLimited: this user waits for too many already.
        """
        return await self._ask(str(user.pk), function, *args, **kwargs)

    async def require_scope(self, scope: Scope | None) -> None:
        """Pass silently when the caller may act within `scope`; None is for people only.

        Raises:
            Forbidden: it is an API key without it.
            KeyRefused: it is an API key that does not work.
        """
        if self.is_program:
            await self.viewer()
            self.check_scope(scope)

    def check_scope(self, scope: Scope | None) -> None:
        """`require_scope` for where it is known who asks: also on a database thread."""
        if self._caller is not None:
            self._caller.require(scope)

    @property
    def is_program(self) -> bool:
        """Whether an API key was sent, of which it need not be known yet whether it works."""
        return key_in(self.bearer) is not None

    async def count_mutation(self) -> None:
        """Count a mutation of a person. A program's requests are counted by its key.

        Raises:
            RateLimited: it is one too many.
        """
        if self.bearer is not None and key_in(self.bearer) is None:
            await self.db(self._count_mutation)

    def _count_mutation(self) -> None:
        try:
            if not self._viewer_known:
                self.look_up_viewer()
        except Unauthenticated:
            return  # logIn takes whoever comes; where a person is needed that is said
        assert self._viewer is not None
        rate_limits.hit("mutations", str(self._viewer.pk))

    async def viewer(self) -> User | None:
        """Who asks; None is a visitor without a token.

        Raises:
            Unauthenticated, KeyRefused: a token was sent, and it does not work.
            Forbidden: it is an API key that may not read.
            RateLimited: it is an API key that is used too often.
        """
        if not self._viewer_known:
            await self.db(self.look_up_viewer)
        return self._viewer

    def viewer_of_stream(self) -> User | None:
        """Who asks, as looked up at most STREAM_TRUST_SECONDS ago. Call it on a database thread.

        Raises:
            Unauthenticated: the token has stopped working.
        """
        if not self._viewer_known or time.monotonic() > self._viewer_trusted_until:
            self.look_up_viewer()
        return self._viewer

    async def viewer_of_crowd(self) -> User | None:
        """What `viewer_of_stream` says, looked up together with the others of this moment.

        Raises:
            Unauthenticated: the token has stopped working.
        """
        if not self._viewer_known or time.monotonic() > self._viewer_trusted_until:
            await self.recheck_viewer()
        return self._viewer

    async def recheck_viewer(self) -> None:
        """Look up who asks once more: a person together with the others of this moment.

        Raises:
            What `look_up_viewer` raises.
        """
        if self.bearer is None or key_in(self.bearer) is not None:
            await self.db(self.look_up_viewer)
            return
        trusted_until = time.monotonic() + STREAM_TRUST_SECONDS
        user = await hub().batches(_live_users).get(self.bearer)
        self._know(Caller(user) if user else None, trusted_until)

    def look_up_viewer(self) -> None:
        """Look up who asks, again if need be. Call it on a database thread.

        Raises:
            Unauthenticated, KeyRefused: a token was sent, and it does not work.
            Forbidden: it is an API key that may not read.
            RateLimited: it is an API key that is used too often.
        """
        trusted_until = time.monotonic() + STREAM_TRUST_SECONDS
        caller = None
        if self.bearer is not None:
            self._viewer_known = False
            caller = caller_for_bearer(header=self.bearer, now=self.now())
        self._know(caller, trusted_until)

    def _know(self, caller: Caller | None, trusted_until: float) -> None:
        self._viewer_trusted_until = trusted_until
        self._viewer_known = False
        if self.bearer is not None:
            if caller is None:
                raise Unauthenticated(_("This token is unknown, expired or revoked. Log in."))
            self._admit(caller)
        self._viewer_known = True

    def _admit(self, caller: Caller) -> None:
        if self.reads:
            caller.require(Scope.READ)
        if caller.key is not None and not self._counted:
            # An operation counts once, however long it is followed.
            rate_limits.hit("apiKey", str(caller.key.id))
            self._counted = True
        self._caller, self._viewer = caller, caller.user

    async def require_user(self) -> User:
        """Who asks.

        Raises:
            Unauthenticated: nobody has logged in.
        """
        if (viewer := await self.viewer()) is None:
            raise Unauthenticated(_("Log in: send the header Authorization: Bearer <token>."))
        return viewer

    async def batched(self, load: Callable[[list[K]], Mapping[K, V]], key: K) -> V | None:
        """`load([key, …])[key]`, with the keys of all callers of this moment in one call.

        `load` must be a plain function, the same object each time; None when it leaves out `key`.
        """
        return await self.loader(load, lambda: load).load(key)

    def remember(
        self, load: Callable[[list[K]], Mapping[K, V]], key: K, found: Mapping[K, V]
    ) -> None:
        """Answer `batched(load, key)` with what `load` has `found` already, until `forget()`."""
        self.loader(load, lambda: load).prime(key, found.get(key))

    def loader(
        self, name: Hashable, make: Callable[[], Callable[[list[K]], Mapping[K, V]]]
    ) -> DataLoader[K, V | None]:
        """This operation's DataLoader called `name`, made on first use."""
        if name not in self._loaders:
            self._loaders[name] = self.batches(make())
        return self._loaders[name]

    def batches(self, load: Callable[[list[K]], Mapping[K, V]]) -> DataLoader[K, V | None]:
        """A DataLoader of one's own over `load`, which uses the database."""

        async def load_all(keys: list[K]) -> list[V | None]:
            found = await self.db(load, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load_all)

    def once(self, name: Hashable, make: Callable[[], T]) -> T:
        """What `make` makes, the same for all callers with this `name` until `forget()`."""
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made


def _live_users(headers: list[str]) -> dict[str, User]:
    return users_for_bearers(headers, now=SYSTEM_CLOCK.now())


Info = strawberry.Info[Context, None]
