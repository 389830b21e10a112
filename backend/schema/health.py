"""The state of the service, for clients that only speak GraphQL."""

from datetime import datetime

import strawberry

from backend import health
from backend.schema.context import Info
from backend.schema.permissions import WITH_PARENT, rule


@rule(WITH_PARENT)
@strawberry.type(description="One thing this service depends on.")
class HealthCheck:
    name: str = strawberry.field(description="Which one: database, migrations or redis.")
    ok: bool = strawberry.field(description="Whether it answered as it should.")
    latency_ms: int | None = strawberry.field(
        description="How many milliseconds that took; never null so far."
    )


@rule(WITH_PARENT)
@strawberry.type(description="Whether the service can do its work now.")
class Health:
    status: str = strawberry.field(
        description=(
            "ok: everything works. degraded: something that it can do without does not. "
            "unavailable: something that it needs does not."
        )
    )
    service: str = strawberry.field(description="What the server calls itself.")
    time: datetime = strawberry.field(description="The server's clock, which deadlines go by.")
    checks: list[HealthCheck] = strawberry.field(
        description="Everything that was asked, one entry each."
    )


@strawberry.type
class HealthQuery:
    @strawberry.field(description="Whether the service works, and what it depends on.")
    async def health(self, info: Info) -> Health:
        found = await info.context.db(health.checks)
        usable = all(check.ok for check in found if check.required)
        all_well = all(check.ok for check in found)
        return Health(
            status="ok" if all_well else "degraded" if usable else "unavailable",
            service=health.SERVICE,
            time=info.context.now(),
            checks=[
                HealthCheck(name=check.name, ok=check.ok, latency_ms=check.latency_ms)
                for check in found
            ],
        )
