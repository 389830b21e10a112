"""Taking away what is kept of oneself as a file: money's history, and the rest."""

from datetime import datetime
from enum import Enum

import strawberry
from django.utils.translation import gettext_lazy as _

from backend.errors import ValidationFailed
from backend.ledger import downloads
from backend.profiles import downloads as profiles
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.errors import Payload, mutation
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scalars import URL


@strawberry.enum(description="What an export has.")
class ExportScope(Enum):
    MINE = "MINE"
    BOOKS = "BOOKS"
    PERSON = "PERSON"


describe_values(
    ExportScope,
    MINE="One's own entries of the books, as CSV: what myMoney adds up.",
    BOOKS="Everybody's entries and the platform's, as CSV. For operators and auditors.",
    PERSON=(
        "What else is kept of oneself, as one JSON object: account, profile, wallets, jobs, "
        "applications, work with the names of its files, consents and more."
    ),
)


@strawberry.input(description="What is to be taken away, and of which time.")
class RequestExportInput:
    scope: ExportScope = strawberry.field(
        default=ExportScope.MINE, description="What; by default one's own entries of the books."
    )
    from_: datetime | None = strawberry.field(
        name="from", default=None, description="Entries from then on. Left out: from the beginning."
    )
    until: datetime | None = strawberry.field(
        default=None, description="Entries before then. Left out: until the file is read."
    )


@rule(WITH_PARENT)
@strawberry.type(description="Where an export is to be had.")
class ExportPayload(Payload):
    url: URL | None = strawberry.field(
        default=None,
        description=(
            "GET it, without a token, for the file: CSV of any length, or JSON; whoever has the "
            "link can. Null when there are errors."
        ),
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="Until when it works: ten minutes. Null when there are errors.",
    )


@strawberry.type
class ExportMutation:
    @mutation(
        description=(
            "A link to entries of the books as CSV: date, reason, kind of account, amount, asset, "
            "payment, subject, owner and transfer, in the order they were posted; see "
            "docs/books.md. Or to what else is kept of oneself, as JSON; see docs/privacy.md. "
            "Changes nothing; a repetition gives another link."
        )
    )
    async def request_export(self, info: Info, input: RequestExportInput) -> ExportPayload:
        user = await info.context.require_user()
        now = info.context.now()
        if input.scope is ExportScope.PERSON:
            if input.from_ is not None or input.until is not None:
                raise ValidationFailed(
                    _("This export has no period: leave it out."), path=("scope",)
                )
            link = await info.context.db(profiles.request_export, user=user, now=now)
            return ExportPayload(url=URL(link.url), expires_at=link.expires_at)
        link = await info.context.db(
            downloads.request_export,
            user=user,
            whole_books=input.scope is ExportScope.BOOKS,
            since=input.from_,
            until=input.until,
            now=now,
        )
        return ExportPayload(url=URL(link.url), expires_at=link.expires_at)
