"""What programs can do in GraphQL with a key, and what only people can."""

from typing import Any

import pytest
from limits import RateLimitItemPerMinute
from pytest_django import Settings

from backend import rate_limits
from backend.accounts.api_keys import create_api_key
from backend.accounts.models import ApiKey, Scope, User
from backend.funding.status import FundingMode, FundingStatus
from backend.ids import new_id
from backend.jobs.status import JobStatus
from backend.schema import schema
from backend.schema.scopes import SCOPES
from tests.jobs.people import a_draft, a_job, a_person, a_wallet
from tests.schema.client import a_context, code_of, data_of, execute, run
from tests.schema.world import NOON, a_funding, global_id

pytestmark = pytest.mark.django_db

CREATE = """
mutation ($input: ApiKeyInput!) {
  createApiKey(input: $input) {
    secret
    apiKey { id name prefix scopes testMode createdAt approvedAt lastUsedAt }
    errors { code message path }
  }
}
"""
LIST = "{ viewer { displayName apiKeys { id name lastUsedAt } } }"
PUBLISH = "mutation ($id: ID!) { publishJob(input: {jobId: $id}) { errors { code message } } }"


@pytest.fixture(autouse=True)
def _fresh_limits(settings: Settings) -> None:
    settings.REDIS_PREFIX = f"{settings.REDIS_PREFIX}-{new_id().hex}"
    rate_limits.limiter().reset()


@pytest.fixture
def ana() -> User:
    return a_person("ana")


def a_key(owner: User, *scopes: Scope) -> str:
    made = create_api_key(owner=owner, name="Shop", scopes=scopes, test_mode=True, now=NOON)
    return f"Bearer {made.secret}"


def create(bearer: str | None = None, user: User | None = None, **wish: Any) -> dict[str, Any]:
    wish = {"name": "Shop", "scopes": ["MONEY", "READ"], **wish}
    payload: dict[str, Any] = data_of(
        execute(CREATE, variables={"input": wish}, user=user, bearer=bearer)
    )["createApiKey"]
    return payload


def test_a_key_is_shown_once_and_listed_without_its_secret(ana: User) -> None:
    made = create(user=ana)

    assert made["errors"] == []
    assert made["secret"].startswith(made["apiKey"]["prefix"])
    assert made["apiKey"]["scopes"] == ["READ", "MONEY"]
    assert made["apiKey"]["testMode"] is True
    bearer = f"Bearer {made['secret']}"
    seen = data_of(execute(LIST, bearer=bearer))["viewer"]
    assert seen["displayName"] == "ana"
    (listed,) = seen["apiKeys"]
    assert listed == {"id": made["apiKey"]["id"], "name": "Shop", "lastUsedAt": NOON.isoformat()}


def test_a_key_never_makes_keys_nor_touches_what_keeps_the_account_safe(ana: User) -> None:
    bearer = a_key(ana, *Scope)

    refused = create(bearer=bearer)

    assert (refused["secret"], refused["errors"][0]["code"]) == (None, "FORBIDDEN")
    assert refused["errors"][0]["message"] == "This is for people: an API key cannot do it."
    assert ApiKey.objects.count() == 1
    for_people = {"logOut", "changePassword", "addWallet", "removeWallet", "endSession"}
    assert not {"createApiKey", "revokeApiKey", "approveApiKey", "confirmGrant", *for_people} & set(
        SCOPES
    )
    left = execute("mutation { logOut(everywhere: true) { errors { code } } }", bearer=bearer)
    assert data_of(left)["logOut"]["errors"] == [{"code": "FORBIDDEN"}]


def test_every_mutation_with_a_scope_is_there() -> None:
    assert set(SCOPES) <= set(schema._schema.mutation_type.fields)  # type: ignore[union-attr]


def test_a_key_changes_what_its_scope_says_and_nothing_else(ana: User) -> None:
    draft = global_id("Job", a_draft(ana).id)

    for scope in Scope:
        if scope is not Scope.JOBS:
            answer = execute(PUBLISH, variables={"id": draft}, bearer=a_key(ana, scope))
            (error,) = data_of(answer)["publishJob"]["errors"]
            assert error["code"] == "FORBIDDEN"
            assert error["message"] == "This API key lacks the scope JOBS."
    answer = execute(PUBLISH, variables={"id": draft}, bearer=a_key(ana, Scope.JOBS))
    assert data_of(answer)["publishJob"]["errors"] == []


CANCEL = """mutation ($id: ID!) {
  cancelJob(input: {jobId: $id, reason: "No time."}) { job { status } errors { code message } }
}"""


def test_a_key_without_money_ends_no_job_that_money_stands_behind(ana: User) -> None:
    job = a_job(ana)
    wallet = a_wallet(ana, is_default=False)
    funding = a_funding(job, FundingStatus.SECURED, FundingMode.PREAPPROVED, payer_wallet=wallet)

    narrow, wide = a_key(ana, Scope.JOBS), a_key(ana, Scope.JOBS, Scope.MONEY)
    refused = data_of(execute(CANCEL, variables={"id": global_id("Job", job.id)}, bearer=narrow))
    funding.refresh_from_db()
    unchanged = funding.status
    ended = data_of(execute(CANCEL, variables={"id": global_id("Job", job.id)}, bearer=wide))

    (error,) = refused["cancelJob"]["errors"]
    assert error == {"code": "FORBIDDEN", "message": "This API key lacks the scope MONEY."}
    assert unchanged == FundingStatus.SECURED
    assert ended["cancelJob"] == {"job": {"status": "CANCELED"}, "errors": []}


def test_a_key_without_money_ends_jobs_that_nobody_has_funded(ana: User) -> None:
    strangers = global_id("Job", a_draft(a_person("bea")).id)
    bearer = a_key(ana, Scope.JOBS)

    ended = execute(CANCEL, variables={"id": global_id("Job", a_job(ana).id)}, bearer=bearer)
    refused = execute(CANCEL, variables={"id": strangers}, bearer=bearer)

    assert data_of(ended)["cancelJob"] == {"job": {"status": "CANCELED"}, "errors": []}
    assert data_of(refused)["cancelJob"]["errors"][0]["code"] == "NOT_FOUND"


def test_a_key_reads_only_with_the_scope_to_read(ana: User) -> None:
    query = "{ viewer { displayName } }"

    assert code_of(execute(query, bearer=a_key(ana, Scope.JOBS, Scope.MONEY))) == "FORBIDDEN"
    answer = execute(query, bearer=a_key(ana, Scope.READ))
    assert data_of(answer) == {"viewer": {"displayName": "ana"}}


@pytest.mark.parametrize(
    "beyond",
    [
        "owner { email sessions { id } }",
        "references { id }",
        "...Own",
        "... on Node { ... on Job { owner { id } } }",
        "fundings(first: 1) { edges { node { id } } }",
        "owner @include(if: false) { id }",
    ],
)
def test_a_key_that_may_not_read_gets_no_more_than_what_it_changed(ana: User, beyond: str) -> None:
    draft = a_draft(ana)
    own = "fragment Own on Job { owner { id } }" if "...Own" in beyond else ""
    wide = f"""mutation ($id: ID!) {{ publishJob(input: {{jobId: $id}}) {{
      job {{ id title {beyond} }} errors {{ code message }} }} }} {own}"""
    given = {"id": global_id("Job", draft.id)}

    refused = data_of(execute(wide, variables=given, bearer=a_key(ana, Scope.JOBS)))["publishJob"]
    draft.refresh_from_db()
    unchanged = draft.status
    both = a_key(ana, Scope.JOBS, Scope.READ)
    allowed = data_of(execute(wide, variables=given, bearer=both))["publishJob"]

    assert refused["job"] is None
    (error,) = refused["errors"]
    assert error == {"code": "FORBIDDEN", "message": "This API key lacks the scope READ."}
    assert unchanged == JobStatus.DRAFT
    assert allowed["errors"] == []


def test_a_key_that_may_not_read_sees_what_it_changed(ana: User) -> None:
    query = """mutation ($id: ID!) { publishJob(input: {jobId: $id}) {
      ... on JobPayload { job { ...Whole } } errors { code __typename } } }
      fragment Whole on Job { __typename status reward { value } allowedActions }"""
    given = {"id": global_id("Job", a_draft(ana).id)}

    answer = data_of(execute(query, variables=given, bearer=a_key(ana, Scope.JOBS)))["publishJob"]

    assert answer["errors"] == []
    assert (answer["job"]["status"], answer["job"]["reward"]["value"]) == ("RECRUITING", "2500")


@pytest.mark.django_db(transaction=True)
def test_following_needs_the_scope_to_read_too(ana: User) -> None:
    # A feed reads on threads of its own, which see what is committed.
    document = "subscription ($id: ID!) { paymentStatus(paymentId: $id) { status } }"

    async def first(scope: Scope) -> Any:
        stream: Any = await schema.subscribe(
            document,
            variable_values={"id": global_id("Payment", new_id())},
            context_value=a_context(bearer=bearers[scope]),
        )
        return await anext(stream) if hasattr(stream, "__anext__") else stream

    bearers = {scope: a_key(ana, scope) for scope in (Scope.MONEY, Scope.READ)}
    assert code_of(run(first(Scope.MONEY))) == "FORBIDDEN"
    assert code_of(run(first(Scope.READ))) == "NOT_FOUND"


def test_a_key_that_does_not_work_is_nobody(ana: User) -> None:
    result = execute("{ viewer { displayName } }", bearer="Bearer faena_test_" + "A" * 43)

    assert code_of(result) == "UNAUTHENTICATED"


def test_a_key_is_used_so_often_a_minute(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {**rate_limits.LIMITS, "apiKey": RateLimitItemPerMinute(2, namespace="few")}
    monkeypatch.setattr(rate_limits, "LIMITS", few)
    bearer, other = a_key(ana, Scope.READ), a_key(ana, Scope.READ)

    for _ in range(2):
        assert data_of(execute("{ viewer { displayName email } }", bearer=bearer))
    assert code_of(execute("{ viewer { displayName } }", bearer=bearer)) == "RATE_LIMITED"
    assert data_of(execute("{ viewer { displayName } }", bearer=other))


def test_a_refusal_is_in_the_language_that_was_asked_for(ana: User) -> None:
    wish = {"name": "Shop", "scopes": ["READ"]}
    answer = execute(
        CREATE,
        variables={"input": wish},
        bearer=a_key(ana, Scope.READ),
        accept_language="es",
    )

    (error,) = data_of(answer)["createApiKey"]["errors"]
    assert error["message"] == "Esto es para personas: una clave de API no puede hacerlo."
