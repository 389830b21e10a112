"""docs/errors.md and the schema say of every code what the code does."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLEnumType

from backend.errors import ErrorCode, FaenaError
from backend.payments import errors as payments
from backend.schema import schema
from backend.schema.error_codes import CODES, Place, Repeat
from backend.schema.errors import TOP_LEVEL
from tests.docs import pages
from tests.jobs.people import a_job, a_person
from tests.schema.client import execute
from tests.schema.world import global_id

PAGE = pages.DOCS / "errors.md"
APPLY = """
mutation ($input: ApplyInput!) {
  applyToJob(input: $input) { application { id } errors { code message path retryable } }
}"""
LOG_IN = "mutation ($input: LogInInput!) { logIn(input: $input) { errors { code } } }"


def kinds_of_refusal(base: type[FaenaError] = FaenaError) -> Iterator[type[FaenaError]]:
    """What GraphQL can refuse with; the guide's contract has answers of its own, over REST."""
    for kind in base.__subclasses__():
        module = kind.__module__
        if module.startswith("backend.") and not module.startswith("backend.guide."):
            yield kind
        yield from kinds_of_refusal(kind)


FAILURES = [each for each in vars(payments).values() if isinstance(each, payments.Failure)]


def example(number: int) -> dict[str, Any]:
    """An answer that the page shows."""
    blocks = [text for language, text in pages.FENCED.findall(PAGE.read_text()) if language]
    answer: dict[str, Any] = json.loads(blocks[number])
    return answer


def test_every_code_is_explained_in_the_schema() -> None:
    type = schema._schema.type_map["ErrorCode"]
    assert isinstance(type, GraphQLEnumType)

    assert {name: value.description for name, value in type.values.items()} == {
        code.name: entry.description for code, entry in CODES.items()
    }
    assert set(CODES) == set(ErrorCode)


@pytest.mark.parametrize("code", CODES, ids=str)
def test_a_code_promises_what_its_errors_keep(code: ErrorCode) -> None:
    found = [kind.retryable for kind in kinds_of_refusal() if kind.code is code]
    found += [each.retryable for each in FAILURES if each.code is code]

    promised = {Repeat.NO: {False}, Repeat.YES: {True}, Repeat.SAID: {True, False}}
    # The guard and the pipeline make these three; nothing in them says that it can be repeated.
    made_elsewhere = {ErrorCode.BAD_REQUEST, ErrorCode.QUERY_TOO_COMPLEX, ErrorCode.INTERNAL}
    expected = {False} if code in made_elsewhere and not found else set(found)
    assert expected == promised[CODES[code].repeat]


@pytest.mark.parametrize("code", CODES, ids=str)
def test_a_code_stands_where_the_page_says(code: ErrorCode) -> None:
    places = CODES[code].places

    raised = any(kind.code is code for kind in kinds_of_refusal())
    assert (Place.REFUSAL in places) == (raised and code not in TOP_LEVEL)
    assert (Place.FAILURE in places) == any(each.code is code for each in FAILURES)
    if code in TOP_LEVEL:
        assert Place.TOP_LEVEL in places


@pytest.mark.django_db
def test_the_refusal_on_the_page_is_the_one_that_is_sent() -> None:
    job = a_job()

    answer = execute(
        APPLY,
        variables={"input": {"jobId": global_id("Job", job.id)}},
        user=a_person("newcomer", wallet=False),
    )

    assert {"data": answer.data} == example(0)


@pytest.mark.django_db
def test_the_top_level_error_on_the_page_is_the_one_that_is_sent() -> None:
    credentials = {"email": "ana@example.com", "password": "not this one"}

    for _ in range(6):
        answer = execute(LOG_IN, variables={"input": credentials})

    assert answer.errors is not None
    sent = [
        {"message": error.message, "path": error.path, "extensions": error.extensions}
        for error in answer.errors
    ]
    assert without_seconds({"data": answer.data, "errors": sent}) == without_seconds(example(1))


def without_seconds(answer: dict[str, Any]) -> str:
    return re.sub(r"\b(29\d|300)\b", "<seconds>", json.dumps(answer))
