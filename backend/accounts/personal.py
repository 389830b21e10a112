"""What each domain keeps of people: why nobody may be forgotten yet, how it forgets, what it tells.

Accounts know nothing of jobs or money. A domain that keeps something of people says so once, in
its AppConfig.ready():

    register(PersonalDataOfJobs())

`erasing` and `backend.profiles.downloads` ask all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from backend.accounts.models import User, WalletAddress
from backend.errors import Text

# What becomes of a relation to a person who is erased. The other answer begins with KEPT.
ERASED = "erased"
KEPT = "kept: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """Why somebody cannot be erased now.

    `code` is for programs. `to_do` is a sentence for the operator; braces in it take `count`.
    """

    code: str
    to_do: Text
    count: int

    def __str__(self) -> str:
        return f"{self.code}: {str(self.to_do).format(count=self.count)}"


def hindrance(code: str, to_do: Text, rows: QuerySet[Model]) -> list[Hindrance]:
    """One, if there are any `rows`."""
    count = rows.count()
    return [Hindrance(code=code, to_do=to_do, count=count)] if count else []


class PersonalData:
    """What one domain keeps of people; this one keeps nothing."""

    # For each of its columns that name a person, as app.Model.field: what erasing does about it.
    relations: ClassVar[Mapping[str, str]] = {}

    def hindrances(self, person: User) -> Iterable[Hindrance]:
        """What has to end before `person` can be erased."""
        return ()

    def wallets_money_went_through(self) -> Q:
        """The wallets that books and receipts cannot do without: a condition on wallets."""
        return Q(pk__in=())

    def erase(self, person: User, *, now: datetime) -> None:
        """Forget `person`, inside the transaction of all domains. Safe to repeat."""

    def export(self, person: User) -> Mapping[str, object]:
        """What `person` can take with them, as values that JSON has.

        An iterator among them is written as a list: what has no bound is read `by_page`.
        """
        return {}


M = TypeVar("M", bound=Model)
PAGE = 100


def by_page(rows: QuerySet[M]) -> Iterator[M]:
    """All `rows` in the order of their keys, a page in memory at a time.

    No cursor is held between pages: each can be read on another thread.
    """
    rows = rows.order_by("pk")
    page = list(rows[:PAGE])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=page[-1].pk)[:PAGE]) if len(page) == PAGE else []


_registered: list[PersonalData] = []


def register(data: PersonalData) -> None:
    """Ask `data` too. Safe to repeat."""
    if type(data) not in map(type, _registered):
        _registered.append(data)


def registered() -> Sequence[PersonalData]:
    """All of them, from the lowest layer up."""
    return tuple(_registered)


def kept_wallets_of(person: User) -> QuerySet[WalletAddress]:
    """The wallets of `person` that money went through, or was promised to."""
    condition = Q(pk__in=())
    for data in _registered:
        condition |= data.wallets_money_went_through()
    return WalletAddress.objects.filter(condition, owner=person)


def not_referred_to(model: type[Model]) -> Q:
    """The rows of `model` that no other row refers to."""
    condition = Q()
    for relation in model._meta.get_fields(include_hidden=True):
        if relation.auto_created and (relation.one_to_many or relation.one_to_one):
            column = relation.field.attname  # type: ignore[union-attr]
            rows = relation.related_model._base_manager  # type: ignore[union-attr]
            condition &= ~Q(Exists(rows.filter(**{column: OuterRef("pk")})))
    return condition
