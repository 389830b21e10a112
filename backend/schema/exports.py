"""Taking money's history away as a file."""

from datetime import datetime
from enum import Enum

import strawberry

from backend.ledger import downloads
from backend.schema.context import Info
from backend.schema.enums import describe_values
from backend.schema.errors import Payload, mutation
from backend.schema.permissions import WITH_PARENT, rule
from backend.schema.scalars import URL


@strawberry.enum(description="Whose entries of the books an export has.")
class ExportScope(Enum):
    MINE = "MINE"
    BOOKS = "BOOKS"


describe_values(
    ExportScope,
    MINE="One's own: what myMoney adds up.",
    BOOKS="Everybody's and the platform's. For operators and auditors.",
)


@strawberry.input(description="Which entries of the books to export.")
class RequestExportInput:
    scope: ExportScope = strawberry.field(
        default=ExportScope.MINE, description="Whose entries, all of them by default one's own."
    )
    from_: datetime | None = strawberry.field(
        name="from", default=None, description="From then on. Left out: from the beginning."
    )
    until: datetime | None = strawberry.field(
        default=None, description="Before then. Left out: until the file is read."
    )


@rule(WITH_PARENT)
@strawberry.type(description="Where an export is to be had.")
class ExportPayload(Payload):
    url: URL | None = strawberry.field(
        default=None,
        description=(
            "GET it, without a token, for a CSV file of any length; whoever has the link can. Null "
            "when there are errors."
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
            "docs/books.md. Changes nothing; a repetition gives another link."
        )
    )
    async def request_export(self, info: Info, input: RequestExportInput) -> ExportPayload:
        user = await info.context.require_user()
        link = await info.context.db(
            downloads.request_export,
            user=user,
            whole_books=input.scope is ExportScope.BOOKS,
            since=input.from_,
            until=input.until,
            now=info.context.now(),
        )
        return ExportPayload(url=URL(link.url), expires_at=link.expires_at)
