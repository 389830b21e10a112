"""Changing a profile: all of it or nothing."""

from typing import Any

import pytest

from backend.accounts.models import User
from backend.errors import FaenaError, NotFound, ValidationFailed
from backend.files.queries import files_visible_to
from backend.files.status import FileStatus
from backend.files.uploads import UNATTACHED_LIVES
from backend.profiles.services import update_profile
from tests.conftest import NOON
from tests.files.people import a_file, a_person

pytestmark = pytest.mark.django_db

BEFORE = {"display_name": "Ana", "locale": "es", "languages": ["nah-MX"], "bio": "I teach."}


@pytest.fixture
def ana() -> User:
    user = a_person()
    User.objects.filter(id=user.id).update(**BEFORE)
    return User.objects.get(id=user.id)


def changed(user: User, **changes: Any) -> User:
    update_profile(user=user, changes=changes, now=NOON)  # type: ignore[arg-type]
    return User.objects.get(id=user.id)


def a_picture(owner: User, **fields: Any) -> Any:
    return a_file(owner, name="me.png", media_type="image/png", **fields)


def profile_of(user: User) -> dict[str, Any]:
    return {name: getattr(user, name) for name in BEFORE}


def test_what_is_left_out_stays_as_it_is(ana: User) -> None:
    assert profile_of(changed(ana)) == BEFORE
    assert profile_of(changed(ana, locale="en")) == {**BEFORE, "locale": "en"}
    assert profile_of(changed(ana, display_name=" Ana María ")) == {
        **BEFORE,
        "locale": "en",
        "display_name": "Ana María",
    }


def test_null_clears_what_can_be_empty(ana: User) -> None:
    changed(ana, avatar_file_id=a_picture(ana).id)

    cleared = changed(ana, locale=None, languages=None, bio=None, avatar_file_id=None)

    expected = {"display_name": "Ana", "locale": "", "languages": [], "bio": ""}
    assert profile_of(cleared) == expected
    assert cleared.avatar is None


def test_a_picture_that_was_replaced_goes_in_its_time() -> None:
    ana = a_person()
    first = a_picture(ana)
    changed(ana, avatar_file_id=first.id)
    first.refresh_from_db()
    assert first.expires_at is None

    changed(ana, avatar_file_id=a_picture(ana).id)

    first.refresh_from_db()
    assert first.expires_at == NOON + UNATTACHED_LIVES


def test_languages_are_tags_in_their_recommended_casing_each_once(ana: User) -> None:
    assert changed(ana, languages=["ES-mx", "oto", "es-MX", " "]).languages == ["es-MX", "oto"]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"display_name": ""}, "displayName"),
        ({"display_name": None}, "displayName"),
        ({"display_name": "a" * 81}, "displayName"),
        ({"locale": "fr"}, "locale"),
        ({"languages": ["Otomí"]}, "languages"),
        ({"languages": [f"a{chr(97 + n)}" for n in range(21)]}, "languages"),
        ({"bio": "a" * 1001}, "bio"),
        ({"bio": "\x00"}, "bio"),
    ],
)
def test_one_wrong_field_changes_nothing(ana: User, wrong: dict[str, Any], path: str) -> None:
    right = {"display_name": "Somebody else", "bio": "Something else.", "languages": ["en"]}

    with pytest.raises(ValidationFailed) as refusal:
        changed(ana, **{**right, **wrong})

    assert refusal.value.path == (path,)
    assert profile_of(ana) == profile_of(User.objects.get(id=ana.id)) == BEFORE


def test_a_picture_is_seen_by_everybody_while_it_is_shown(ana: User) -> None:
    picture = a_picture(ana)
    assert not files_visible_to(None).exists()

    assert changed(ana, avatar_file_id=picture.id).avatar == picture
    assert list(files_visible_to(None)) == [picture]

    changed(ana, avatar_file_id=a_picture(ana).id)
    assert picture not in files_visible_to(None)
    assert picture in files_visible_to(ana)


def test_the_picture_of_a_closed_account_is_not_shown(ana: User) -> None:
    changed(ana, avatar_file_id=a_picture(ana).id)

    User.objects.filter(id=ana.id).update(is_active=False)

    assert not files_visible_to(a_person()).exists()


def test_a_picture_is_ones_own_whole_and_a_picture(ana: User) -> None:
    wrong: list[tuple[Any, type[FaenaError]]] = [
        (a_picture(a_person()), NotFound),
        (a_picture(ana, status=FileStatus.UPLOADING), ValidationFailed),
        (a_file(ana), ValidationFailed),
        (a_file(ana, media_type="image/svg+xml"), ValidationFailed),
    ]
    for file, error in wrong:
        with pytest.raises(error) as refusal:
            changed(ana, bio="Something else.", avatar_file_id=file.id)
        assert refusal.value.path == ("avatarFileId",)
        file.refresh_from_db()
        assert file.attached_at is None

    assert profile_of(User.objects.get(id=ana.id)) == BEFORE
