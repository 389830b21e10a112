"""GraphQL and only GraphQL: arguments in, one call into a domain, object out.

How to add a domain, with accounts.py as the worked example:

1. Write `backend/schema/<domain>.py`. An object type with rows of its own is a subclass of
   `nodes.Node` with a `from_model(row)`, plain attributes for what the row says, async methods
   for what has to be loaded, and a rule on top that says who sees which rows:

       @rule(jobs_visible_to)                   # (viewer: User | None) -> QuerySet
       @strawberry.type(description="…")
       class Job(Node):
           title: str = strawberry.field(description="…")

   A type without rows is `@rule(WITH_PARENT)`. A type that no field returns but an interface
   allows is listed in `root.py`. A test fails on a type without a rule, and on anything public
   whose `description=` is missing or says no more than its name: say units, who sees it, why it
   may be null, and of a mutation what a repetition does. Values of enums are described with
   `enums.describe_values`, a new error code in `error_codes.CODES`.
2. Loading: `await info.context.db(function, …)` runs a function that uses the database;
   `nodes.load_node(info, cls, key)` and `info.context.batched(load_many, key)` batch over the
   whole operation; `connections.page` for a root list, `connections.nested_page` for a list
   below many parents. Resolvers are async and never touch the ORM themselves.
3. Who asks: `await info.context.viewer()` (None: a visitor), `await info.context.require_user()`.
4. Mutations: `@errors.mutation(description=…)`, one `input`, a payload that subclasses
   `errors.Payload`. Raise FaenaErrors in the domain; they come back in `errors`. A FaenaError with
   more to say gets a type and a `@errors.converts(TheError)` function. `moves_money=True` marks
   those of which a request may hold one. Ids come in through `nodes.decode_id`.
5. Subscriptions: see payments.py. `look` reads what an item shows with the event, in one go; call
   `info.context.forget()` before every item.
6. Add the domain's Query, Mutation and Subscription classes to `root.py`, then `make schema`.

7. Say in `tests/schema/permissions/table.py` who may: a test fails on a root field, and on a field
   of an object with an id, that is not there.

Tests: `tests/schema/client.py` executes an operation inside a test's own transaction.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.schema.root import schema

__all__ = ["schema"]


def __getattr__(name: str) -> Any:
    # Django imports this package before models may be loaded, and the schema needs them.
    if name == "schema":
        from backend.schema.root import schema

        return schema
    raise AttributeError(name)
