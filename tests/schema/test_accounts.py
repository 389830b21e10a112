from typing import Any

import pytest

from backend.accounts.models import User
from tests.schema.client import code_of, data_of, execute

pytestmark = pytest.mark.django_db

SIGN_UP = """
mutation ($input: SignUpInput!) {
  signUp(input: $input) { token user { id displayName email } errors { code message path } }
}
"""
ADA = {"email": "ada@example.com", "password": "correct horse battery", "displayName": "Ada"}


def sign_up(**changes: str) -> dict[str, Any]:
    payload: dict[str, Any] = data_of(execute(SIGN_UP, variables={"input": {**ADA, **changes}}))[
        "signUp"
    ]
    return payload


def a_user(email: str = "bob@example.com") -> User:
    return User.objects.create_user(email, "correct horse battery", display_name="Bob")


def test_signing_up_gives_a_token_that_says_who_one_is() -> None:
    token = sign_up()["token"]

    result = execute("{ viewer { displayName email locale } }", bearer=f"Bearer {token}")

    expected = {"displayName": "Ada", "email": "ada@example.com", "locale": "en"}
    assert data_of(result) == {"viewer": expected}


def test_a_weak_password_is_refused_as_data_with_a_path() -> None:
    payload = sign_up(password="short")

    assert payload["token"] is None
    assert payload["errors"][0]["code"] == "VALIDATION"
    assert payload["errors"][0]["path"] == ["password"]


def test_wrong_credentials_are_refused_as_data() -> None:
    sign_up()

    result = execute(
        'mutation { logIn(input: {email: "ada@example.com", password: "wrong"})'
        " { token errors { code __typename } } }"
    )

    assert data_of(result)["logIn"] == {
        "token": None,
        "errors": [{"code": "BAD_CREDENTIALS", "__typename": "Refusal"}],
    }


def test_logging_out_ends_the_session() -> None:
    bearer = f"Bearer {sign_up()['token']}"

    execute("mutation { logOut { errors { code } } }", bearer=bearer)

    assert code_of(execute("{ viewer { id } }", bearer=bearer)) == "UNAUTHENTICATED"


def test_a_token_that_does_not_work_does_not_stop_logging_in() -> None:
    sign_up()

    result = execute(
        "mutation ($input: LogInInput!) { logIn(input: $input) { token errors { code } } }",
        variables={"input": {"email": ADA["email"], "password": ADA["password"]}},
        bearer="Bearer faena_stale",
    )

    assert data_of(result)["logIn"]["token"]


def test_a_visitor_is_nobody() -> None:
    assert data_of(execute("{ viewer { id } }")) == {"viewer": None}


def test_what_needs_a_user_says_so_to_a_visitor() -> None:
    result = execute(
        'mutation { addWallet(input: {address: "https://a.example/x"}) { errors { code } } }'
    )

    assert code_of(result) == "UNAUTHENTICATED"


def test_others_see_the_name_and_nothing_else_of_a_person() -> None:
    bob = a_user()
    token = sign_up()["token"]
    bobs_id = data_of(execute("{ viewer { id } }", user=bob))["viewer"]["id"]

    result = execute(
        "query ($id: ID!) { node(id: $id) { id ... on User"
        " { displayName email locale wallets { id } defaultWallet { id } } } }",
        variables={"id": bobs_id},
        bearer=f"Bearer {token}",
    )

    assert data_of(result)["node"] == {
        "id": bobs_id,
        "displayName": "Bob",
        "email": None,
        "locale": None,
        "wallets": [],
        "defaultWallet": None,
    }


@pytest.mark.parametrize(
    "id",
    [
        "",
        "x",
        "VXNlcjo=",
        "VXNlcjo6Og==",
        "☃",
        "Tm9wZTowMTkwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA",
    ],
)
def test_an_id_that_is_none_is_nobody(id: str) -> None:
    result = execute("query ($id: ID!) { node(id: $id) { id } }", variables={"id": id})

    assert data_of(result) == {"node": None}
