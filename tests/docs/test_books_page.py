"""docs/books.md names what is in the database."""

import re

from django.apps import apps

from tests.docs import pages

PAGE = pages.DOCS / "books.md"


def test_the_rights_are_to_all_tables_of_the_books_and_to_no_other() -> None:
    granted = re.findall(r"\b(?:ON|,) (\w+)|, (\w+)", pages.block(PAGE, "sql"))

    named = {name for pair in granted for name in pair if "_" in name}
    assert named == {model._meta.db_table for model in apps.get_app_config("ledger").get_models()}
