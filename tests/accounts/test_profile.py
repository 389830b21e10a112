"""Changing a profile: all of it or nothing."""

import pytest

from backend.accounts import services
from backend.accounts.models import User
from backend.errors import ValidationFailed
from tests.accounts.people import Form

pytestmark = pytest.mark.django_db


def test_what_is_left_out_stays_as_it_is() -> None:
    user = Form().send().user

    services.update_profile(user=user, display_name=None, locale="en")
    services.update_profile(user=user, display_name=" Ana María ", locale=None)
    services.update_profile(user=user, display_name=None, locale=None)

    saved = User.objects.get()
    assert (saved.display_name, saved.locale) == ("Ana María", "en")


@pytest.mark.parametrize(("display_name", "locale"), [("Ana María", "fr"), ("", "en")])
def test_one_wrong_field_changes_nothing(display_name: str, locale: str) -> None:
    user = Form().send().user

    with pytest.raises(ValidationFailed):
        services.update_profile(user=user, display_name=display_name, locale=locale)

    saved = User.objects.get()
    assert (saved.display_name, saved.locale) == ("Ana", "es") == (user.display_name, user.locale)
