import pytest
from django.conf import LazySettings

from backend.ids import new_id
from backend.payments import links


def test_a_link_names_its_grant_and_no_other_purpose() -> None:
    grant_id = new_id()
    opaque = links.finish_url(grant_id).rpartition("/")[2]

    assert links.grant_of_finish(opaque) == grant_id
    assert links.grant_of_start(opaque) is None


@pytest.mark.parametrize("opaque", ["", "x", "é", "A" * 54, "A" * 4000, "../../etc", "=" * 10])
def test_a_link_we_did_not_make_names_nothing(opaque: str) -> None:
    assert links.grant_of_finish(opaque) is None


def test_a_link_with_one_changed_letter_names_nothing() -> None:
    opaque = links.finish_url(new_id()).rpartition("/")[2]

    for index in range(len(opaque)):
        other = "A" if opaque[index] != "A" else "B"
        assert links.grant_of_finish(opaque[:index] + other + opaque[index + 1 :]) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example/jobs/1?tab=money",
        "example-app://paid",
        "http://127.0.0.1:8000/graphql",
    ],
)
def test_a_listed_origin_may_be_returned_to(settings: LazySettings, url: str) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    settings.RETURN_URLS = frozenset({"https://app.example", "example-app://"})

    assert links.is_allowed_return_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/relative",
        "//app.example/",
        "https://app.example.evil.example/",
        "https://app.example@evil.example/",
        "https://app.example:8443/",
        "http://app.example/",
        "https://app.example\\@evil.example/",
        "https://app.example/\n",
        "javascript:alert(1)",
        "data:text/html,x",
        "other-app://paid",
        "https://[::1",
        "https://app.example/" + "a" * 2048,
    ],
)
def test_no_other_place_may_be_returned_to(settings: LazySettings, url: str) -> None:
    settings.RETURN_URLS = frozenset({"https://app.example", "example-app://"})

    assert not links.is_allowed_return_url(url)


def test_the_return_url_keeps_its_own_query() -> None:
    url = links.return_url_with("https://app.example/a?tab=money#x", grantStatus="APPROVED")

    assert url == "https://app.example/a?tab=money&grantStatus=APPROVED#x"
