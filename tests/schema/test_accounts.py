from typing import Any

import pytest

from backend.accounts.models import User
from backend.ids import new_id
from tests.files.people import a_file
from tests.schema.client import bearer_of, code_of, data_of, execute
from tests.schema.world import global_id

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
        " { displayName email locale wallets { id } defaultWallet { id } roles"
        " sessions { id } } } }",
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
        "roles": [],
        "sessions": [],
    }


PROFILE = """
mutation ($input: ProfileInput!) {
  updateProfile(input: $input) {
    user { displayName bio languages locale avatar { id downloadUrl } roles }
    errors { code path message }
  }
}
"""


def test_one_chooses_what_one_is_mailed_about() -> None:
    bob = a_user()

    def after(changes: str) -> object:
        mutation = "mutation { updateProfile(input: {%s}) { user { notify } errors { code } } }"
        return data_of(execute(mutation % changes, user=bob))["updateProfile"]["user"]["notify"]

    assert after('bio: "Hello."') == ["WORK", "MONEY", "REMINDERS"]
    assert after("notify: [REMINDERS, MONEY]") == ["MONEY", "REMINDERS"]
    assert after("bio: null") == ["MONEY", "REMINDERS"]
    assert after("notify: []") == after("notify: null") == []


def test_a_profile_changes_in_what_is_given_and_is_seen_by_others() -> None:
    bob = a_user()
    picture = a_file(bob, name="me.png", media_type="image/png")
    id_ = global_id("File", picture.id)
    given = {"bio": "I teach Otomi.", "languages": ["OTO", "es-mx"], "avatarFileId": id_}

    first = data_of(execute(PROFILE, variables={"input": given}, user=bob))["updateProfile"]
    second = data_of(execute(PROFILE, variables={"input": {"bio": None}}, user=bob))
    seen = data_of(
        execute(
            "query ($id: ID!) { node(id: $id) { ... on User { languages bio avatar { name } } } }",
            variables={"id": global_id("User", bob.id)},
        )
    )["node"]

    assert first["errors"] == []
    assert first["user"]["avatar"]["id"] == id_
    assert first["user"]["avatar"]["downloadUrl"]
    assert (first["user"]["displayName"], first["user"]["bio"]) == ("Bob", "I teach Otomi.")
    assert second["updateProfile"]["user"]["bio"] is None
    assert seen == {"languages": ["oto", "es-MX"], "bio": None, "avatar": {"name": "me.png"}}


def test_a_wrong_profile_says_where_and_in_ones_language() -> None:
    bob = a_user()
    User.objects.filter(id=bob.id).update(locale="es")

    result = execute(PROFILE, variables={"input": {"languages": ["Otomí"]}}, user=bob)

    (error,) = data_of(result)["updateProfile"]["errors"]
    assert (error["code"], error["path"]) == ("VALIDATION", ["languages"])
    assert error["message"].startswith("Escribe el idioma")


def test_operators_and_auditors_read_what_they_are() -> None:
    bob = a_user()
    User.objects.filter(id=bob.id).update(is_auditor=True)

    assert data_of(execute("{ viewer { roles } }", user=bob)) == {"viewer": {"roles": ["AUDITOR"]}}


def test_a_session_is_listed_and_ended_from_another_device() -> None:
    bob = a_user()
    laptop, phone = bearer_of(bob), bearer_of(bob)
    listed = "{ viewer { sessions { id deviceName isCurrent } } }"
    sessions = data_of(execute(listed, bearer=laptop))["viewer"]["sessions"]
    other = next(each["id"] for each in sessions if not each["isCurrent"])
    end = "mutation ($id: ID!) { endSession(input: {sessionId: $id}) { errors { code path } } }"

    ended = data_of(execute(end, variables={"id": other}, bearer=laptop))["endSession"]
    stray = data_of(execute(end, variables={"id": global_id("Session", new_id())}, bearer=laptop))

    assert ended == {"errors": []}
    assert stray["endSession"] == {"errors": [{"code": "NOT_FOUND", "path": ["sessionId"]}]}
    assert code_of(execute(listed, bearer=phone)) == "UNAUTHENTICATED"
    assert [each["isCurrent"] for each in sessions].count(True) == 1
    assert len(data_of(execute(listed, bearer=laptop))["viewer"]["sessions"]) == 1


CHANGE_PASSWORD = """
mutation ($input: ChangePasswordInput!) {
  changePassword(input: $input) { user { displayName } errors { code path } }
}
"""


def test_a_changed_password_leaves_this_session_and_ends_the_others() -> None:
    bob = a_user()
    laptop, phone = bearer_of(bob), bearer_of(bob)

    def change(current: str, new: str) -> Any:
        given = {"currentPassword": current, "newPassword": new}
        answer = execute(CHANGE_PASSWORD, variables={"input": given}, bearer=laptop)
        return data_of(answer)["changePassword"]

    guessed = change("wrong", "a staple horse corrects")
    poor = change("correct horse battery", "short")
    changed = change("correct horse battery", "a staple horse corrects")

    assert guessed["errors"] == [{"code": "BAD_CREDENTIALS", "path": ["currentPassword"]}]
    assert poor["errors"] == [{"code": "VALIDATION", "path": ["newPassword"]}]
    assert changed == {"user": {"displayName": "Bob"}, "errors": []}
    assert code_of(execute("{ viewer { id } }", bearer=phone)) == "UNAUTHENTICATED"
    assert data_of(execute("{ viewer { displayName } }", bearer=laptop))["viewer"]


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
