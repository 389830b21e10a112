"""Every column that names a person was decided about: erased with them, or kept for a reason."""

import pytest
from django.apps import apps

from backend.accounts import personal
from backend.accounts.models import User, WalletAddress
from backend.accounts.personal import ERASED, KEPT
from tests.jobs.people import a_job, a_person, an_application

pytestmark = pytest.mark.django_db


def columns_that_name_a_person() -> set[str]:
    """All foreign keys to a person, those of many-to-many tables too."""
    return {
        str(field)
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
        for field in model._meta.local_fields
        if field.related_model is User
    }


def decisions() -> dict[str, str]:
    return {
        column: decision
        for data in personal.registered()
        for column, decision in data.relations.items()
    }


def test_every_column_that_names_a_person_was_decided_about() -> None:
    missing = columns_that_name_a_person() - decisions().keys()

    assert not missing, (
        f"{sorted(missing)}: say in the personal_data.py of the domain whether it is erased with "
        "a person, or kept and why; erase and export it there, and tell docs/privacy.md"
    )


def test_decisions_are_about_columns_that_there_are_and_say_why_something_is_kept() -> None:
    for column, decision in decisions().items():
        label, _, name = column.rpartition(".")
        assert apps.get_model(label)._meta.get_field(name)
        assert decision.startswith((ERASED, KEPT)), column
        assert len(decision) > len(KEPT) or decision == ERASED


def test_a_wallet_that_something_names_is_not_taken_for_one_that_nothing_does() -> None:
    applicant, somebody = a_person(), a_person()
    an_application(a_job(), applicant)
    nothing_names = WalletAddress.objects.filter(personal.not_referred_to(WalletAddress))

    assert list(nothing_names.filter(owner=applicant)) == []
    assert nothing_names.filter(owner=somebody).count() == 1
