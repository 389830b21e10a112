"""Who sees which files."""

from typing import Any

import pytest
from django.db.models import Q

from backend.accounts.models import User
from backend.files import queries
from backend.files.queries import files_visible_to, register_visibility
from tests.files.people import a_file, a_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "_registered", [])


def test_people_see_their_own_and_nobody_else_does() -> None:
    mine = a_file(owner := a_person())
    a_file(a_person())

    assert set(files_visible_to(owner)) == {mine}
    assert set(files_visible_to(a_person(is_staff=True))) == set()
    assert set(files_visible_to(a_person())) == set()
    assert set(files_visible_to(None)) == set()


def test_a_domain_shows_the_files_of_what_a_viewer_may_see() -> None:
    public, private = a_file(a_person(), name="public"), a_file(a_person(), name="for members")
    member = a_person()

    def files_of_pages(viewer: User | None) -> Q:
        return Q(name__in=["public"] if viewer is None else ["public", "for members"])

    register_visibility(files_of_pages)
    register_visibility(files_of_pages)

    assert set(files_visible_to(None)) == {public}
    assert set(files_visible_to(member)) == {public, private}
    assert len(queries._registered) == 1


def test_seeing_files_is_one_query_however_many_domains_have_some(
    django_assert_num_queries: Any,
) -> None:
    file = a_file(owner := a_person())
    for name in ("a", "b", "c"):

        def files_of(viewer: User | None, name: str = name) -> Q:
            return Q(name=name)

        register_visibility(files_of)

    with django_assert_num_queries(1):
        assert list(files_visible_to(owner)) == [file]
