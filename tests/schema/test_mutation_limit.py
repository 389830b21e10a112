"""However many mutations a person sends, so many a minute are carried out."""

from collections.abc import Iterator

import pytest
from limits import RateLimitItemPerMinute

from backend import rate_limits
from backend.accounts.api_keys import create_api_key
from backend.accounts.models import Scope, User
from backend.jobs.models import Job
from tests.jobs.people import a_draft, a_person
from tests.schema.client import code_of, data_of, execute
from tests.schema.world import NOON, global_id

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 5
COPIES = "".join(
    f"m{number}: duplicateJob(input: {{jobId: $id}}) {{ errors {{ code }} }} "
    for number in range(MOST + 3)
)
COPY_OFTEN = f"mutation ($id: ID!) {{ {COPIES} }}"
COPY = "mutation ($id: ID!) { duplicateJob(input: {jobId: $id}) { job { id } errors { code } } }"
LOG_IN = """
mutation { logIn(input: {email: "nobody@example.com", password: "x"}) { errors { code } } }"""


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    few = RateLimitItemPerMinute(MOST, namespace="mutations")
    monkeypatch.setattr(rate_limits, "LIMITS", {**rate_limits.LIMITS, "mutations": few})
    rate_limits.limiter().reset()
    yield
    rate_limits.limiter().reset()


@pytest.fixture
def ana() -> User:
    return a_person("ana")


def copies_of(owner: User) -> int:
    return Job.objects.filter(owner=owner).count() - 1


def test_aliases_of_one_request_count_one_by_one(ana: User) -> None:
    answer = execute(COPY_OFTEN, variables={"id": global_id("Job", a_draft(ana).id)}, user=ana)

    assert code_of(answer) == "RATE_LIMITED"
    assert copies_of(ana) == MOST


def test_others_are_counted_apart_and_reading_is_not_counted(ana: User) -> None:
    execute(COPY_OFTEN, variables={"id": global_id("Job", a_draft(ana).id)}, user=ana)
    bea = a_person("bea")
    copy = execute(COPY, variables={"id": global_id("Job", a_draft(bea).id)}, user=bea)

    assert data_of(copy)["duplicateJob"]["errors"] == []
    assert data_of(execute("{ viewer { displayName } }", user=ana))["viewer"]


def test_programs_are_counted_by_their_key(ana: User) -> None:
    made = create_api_key(owner=ana, name="Shop", scopes=[Scope.JOBS], test_mode=True, now=NOON)
    draft = global_id("Job", a_draft(ana).id)

    for _ in range(MOST + 1):
        answer = execute(COPY, variables={"id": draft}, bearer=f"Bearer {made.secret}")
        assert data_of(answer)["duplicateJob"]["errors"] == []

    assert copies_of(ana) == MOST + 1


def test_whoever_logs_in_with_a_dead_token_in_hand_is_not_told_of_the_token() -> None:
    answer = execute(LOG_IN, bearer="Bearer faena_dead")

    assert data_of(answer)["logIn"]["errors"] == [{"code": "BAD_CREDENTIALS"}]
