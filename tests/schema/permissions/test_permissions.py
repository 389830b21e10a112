"""The tables of who may what, played against the schema."""

import asyncio
import json
from contextlib import aclosing
from typing import Any, cast

import pytest
from django.apps import apps
from django.db import connection, transaction
from graphql import GraphQLObjectType, get_named_type, is_leaf_type
from strawberry.types import ExecutionResult

from backend.payments.models import Grant, HeldGrant
from backend.payments.status import GrantScope
from backend.schema import schema
from backend.schema.permissions import RULES, _WithParent
from tests.jobs.people import NOON
from tests.schema.client import a_context, data_of, execute, run
from tests.schema.permissions.table import (
    EVERYBODY,
    FIELDS,
    MUTATIONS,
    OBJECTS,
    OPEN_FIELDS,
    PUBLIC_MUTATIONS,
    QUERIES,
    SUBSCRIPTIONS,
)
from tests.schema.permissions.world import LOGGED_IN, NOBODY, PRINCIPALS, World, build, random_id

pytestmark = pytest.mark.django_db

CORE = schema._schema
NO_TOKEN = "UNAUTHENTICATED"


@pytest.fixture
def world() -> World:
    return build()


def root_fields(name: str) -> set[str]:
    root = CORE.type_map[name]
    assert isinstance(root, GraphQLObjectType)
    return set(root.fields)


def test_every_root_field_has_its_row() -> None:
    assert root_fields("Mutation") == set(MUTATIONS)
    assert root_fields("Query") == set(QUERIES)
    assert root_fields("Subscription") == set(SUBSCRIPTIONS)


def test_every_field_of_every_object_with_an_id_has_its_row() -> None:
    for name, rule in RULES.items():
        if isinstance(rule, _WithParent):
            continue
        restricted = {
            field
            for (type_name, _), fields in FIELDS.items()
            if type_name == name
            for field in fields
        }
        assert root_fields(name) == restricted | set(OPEN_FIELDS[name].split()), name


def ask(name: str, given: dict[str, Any], header: str | None) -> ExecutionResult:
    if name == "logOut":
        return execute("mutation { logOut { errors { code message path } } }", bearer=header)
    field = CORE.mutation_type.fields[name]  # type: ignore[union-attr]
    query = (
        f"mutation ($input: {field.args['input'].type}) "
        f"{{ {name}(input: $input) {{ errors {{ code message path }} }} }}"
    )
    return execute(query, variables={"input": given}, bearer=header)


def code_of(name: str, result: ExecutionResult) -> str:
    if result.errors:
        return str((result.errors[0].extensions or {})["code"])
    assert result.data is not None
    errors = result.data[name]["errors"]
    return errors[0]["code"] if errors else "OK"


def body_of(result: ExecutionResult) -> str:
    return json.dumps([result.data, [error.formatted for error in result.errors or ()]])


def rows() -> dict[str, list[Any]]:
    """Every row of every table of ours."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if model.__module__.startswith("backend.") or table.startswith(("jobs_", "files_")):
                cursor.execute(f"SELECT * FROM {table}")
                found[table] = sorted(map(repr, cursor.fetchall()))
    return found


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_done_by_those_who_may_and_changes_nothing_for_others(
    world: World, name: str
) -> None:
    mutation = MUTATIONS[name]
    before = rows()
    for who in PRINCIPALS:
        if who in NOBODY:
            expected = mutation.expected("stranger") if name in PUBLIC_MUTATIONS else NO_TOKEN
        else:
            expected = mutation.expected(who)
        with transaction.atomic():
            result = ask(name, mutation.input(world), world.headers[who])
            assert code_of(name, result) == expected, (who, result)
            if expected != "OK":
                assert rows() == before, who
            transaction.set_rollback(True)


@pytest.mark.parametrize("name", [name for name, each in MUTATIONS.items() if each.id])
def test_what_is_foreign_looks_like_what_does_not_exist(world: World, name: str) -> None:
    mutation = MUTATIONS[name]
    assert mutation.id is not None
    given = mutation.input(world)
    missing = {**given, mutation.id: random_id(mutation.of)}
    for who in LOGGED_IN:
        header = world.headers[who]
        nothing = ask(name, missing, header)
        assert code_of(name, nothing) == "NOT_FOUND", (who, nothing)
        if mutation.expected(who) == "NOT_FOUND":
            assert body_of(ask(name, given, header)) == body_of(nothing), who


NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_is_there_for_those_who_may_see_it(world: World, name: str) -> None:
    type_name, _key = world.rows[name]
    for who in PRINCIPALS:
        result = execute(NODE, variables={"id": world.id(name)}, bearer=world.headers[who])
        if who in NOBODY - {"visitor"}:
            assert code_of("node", result) == NO_TOKEN
        elif who in OBJECTS[name].split():
            assert data_of(result)["node"] == {"__typename": type_name, "id": world.id(name)}, who
        else:
            stray = execute(NODE, variables={"id": random_id(type_name)}, bearer=world.headers[who])
            assert body_of(result) == body_of(stray) == body_of(execute(NODE, variables={"id": ""}))


@pytest.mark.parametrize(
    ("root", "name"), [("job", "job draft"), ("payment", "payment"), ("funding", "funding")]
)
def test_what_is_asked_for_by_its_type_is_there_for_the_same(
    world: World, root: str, name: str
) -> None:
    query = f"query ($id: ID!) {{ {root}(id: $id) {{ id }} }}"
    for who in ("visitor", *LOGGED_IN):
        found = execute(query, variables={"id": world.id(name)}, bearer=world.headers[who])
        sees = who in OBJECTS[name].split()
        assert data_of(found) == {root: {"id": world.id(name)} if sees else None}, who


@pytest.mark.parametrize(("type_name", "name"), FIELDS)
def test_a_field_holds_something_for_those_who_may_see_it(
    world: World, type_name: str, name: str
) -> None:
    for field, seen_by in FIELDS[type_name, name].items():
        query = (
            f"query ($id: ID!) {{ node(id: $id) {{ ... on {type_name} "
            f"{{ value: {_selection(type_name, field)} }} }} }}"
        )
        for who in OBJECTS[name].split():
            data = data_of(
                execute(query, variables={"id": world.id(name)}, bearer=world.headers[who])
            )
            value = data["node"]["value"]
            if isinstance(value, dict) and "totalCount" in value:
                value = value["totalCount"]
            holds = value is not None and value not in ([], 0)
            assert holds == (who in seen_by.split()), (field, who, value)


def _selection(type_name: str, field: str) -> str:
    of: Any = CORE.type_map[type_name]
    definition = of.fields[field]
    if is_leaf_type(get_named_type(definition.type)):
        return field
    if "first" in definition.args:
        return f"{field}(first: 1) {{ totalCount }}"
    return f"{field} {{ __typename }}"


def test_lists_have_what_one_may_see(world: World) -> None:
    query = "{ jobs(first: 50) { totalCount edges { node { id } } } }"
    jobs = [name for name in OBJECTS if name.startswith("job ")]
    for who in ("visitor", *LOGGED_IN):
        listed = data_of(execute(query, bearer=world.headers[who]))["jobs"]["edges"]
        ids = {edge["node"]["id"] for edge in listed}
        for name in jobs:
            assert (world.id(name) in ids) == (who in OBJECTS[name].split()), (who, name)


@pytest.mark.parametrize(
    ("root", "argument", "name", "status"),
    [
        ("paymentStatus", "paymentId", "payment", "CREATED"),
        ("fundingStatus", "fundingId", "secured funding", "SECURED"),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_what_is_followed_is_followed_by_those_who_may_see_it(
    root: str, argument: str, name: str, status: str
) -> None:
    # A feed reads on threads of its own, which see what is committed.
    world = build()

    async def first(who: str) -> ExecutionResult:
        stream: Any = await schema.subscribe(
            f"subscription ($id: ID!) {{ {root}({argument}: $id) {{ status }} }}",
            variable_values={"id": world.id(name)},
            context_value=a_context(bearer=world.headers[who]),
        )
        async with aclosing(stream) as items:
            async for item in items:
                return cast("ExecutionResult", item)
        raise AssertionError("the stream ended")

    for who in PRINCIPALS:
        result = run(asyncio.wait_for(first(who), timeout=10))
        if who in SUBSCRIPTIONS[root].split():
            assert data_of(result)[root]["status"] == status
        else:
            expected = NO_TOKEN if who in NOBODY - {"visitor"} else "NOT_FOUND"
            assert code_of(root, result) == expected, who


@pytest.mark.django_db(transaction=True)
def test_a_job_is_followed_by_those_who_see_it_and_oneself_by_everybody_with_a_token() -> None:
    world = build()
    streams = {
        "jobEvents": f'subscription {{ jobEvents(jobId: "{world.id("job draft")}") {{ cursor }} }}',
        "viewerEvents": "subscription { viewerEvents { cursor } }",
    }
    for root, query in streams.items():
        for who in PRINCIPALS:
            result = run(asyncio.wait_for(_first(query, world.headers[who]), timeout=10))
            if who in NOBODY:
                assert code_of(root, result) == "UNAUTHENTICATED", who
            elif root == "viewerEvents" or who in SUBSCRIPTIONS[root].split():
                assert data_of(result)[root]["cursor"], who
            else:
                assert code_of(root, result) == "NOT_FOUND", who


async def _first(query: str, bearer: str | None) -> ExecutionResult:
    stream: Any = await schema.subscribe(query, context_value=a_context(bearer=bearer))
    async with aclosing(stream) as items:
        async for item in items:
            return cast("ExecutionResult", item)
    raise AssertionError("the stream ended")


def test_only_operators_see_the_consents_to_the_treasury(world: World) -> None:
    asked = MUTATIONS["authorizeTreasury"].input(world)
    assert code_of("authorizeTreasury", ask("authorizeTreasury", asked, world.headers["operator"]))
    held = HeldGrant.objects.get(scope=GrantScope.TREASURY)
    Grant.objects.create(
        held_grant=held, kind="outgoing-payment", status="APPROVED", created_at=NOON
    )
    for who in ("visitor", *LOGGED_IN):
        answer = execute("{ treasuryGrants { id } }", bearer=world.headers[who])
        assert len(data_of(answer)["treasuryGrants"]) == (who == "operator"), who


def test_only_operators_and_auditors_list_discrepancies(world: World) -> None:
    for is_open in (True, False):
        query = f"{{ discrepancies(first: 5, open: {str(is_open).lower()})"
        query += " { totalCount edges { node { kind payment { id } } } } }"
        for who in ("visitor", *LOGGED_IN):
            listed = data_of(execute(query, bearer=world.headers[who]))["discrepancies"]
            wanted = is_open and who in OBJECTS["discrepancy"].split()
            assert (listed["totalCount"], len(listed["edges"])) == (wanted, wanted), who


def test_who_is_nobody_looks_no_wallet_up(world: World) -> None:
    query = '{ lookupWallet(address: "not a wallet") { address } }'
    for who in PRINCIPALS:
        expected = NO_TOKEN if who in NOBODY else "VALIDATION"
        assert code_of("lookupWallet", execute(query, bearer=world.headers[who])) == expected


def test_everybody_is_told_who_they_are(world: World) -> None:
    for who in ("visitor", *LOGGED_IN):
        viewer = data_of(execute("{ viewer { displayName } }", bearer=world.headers[who]))["viewer"]
        assert viewer == (None if who == "visitor" else {"displayName": who})
    assert set(EVERYBODY.split()) == set(PRINCIPALS) - {"revoked", "closed"}
