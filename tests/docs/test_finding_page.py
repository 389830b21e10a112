"""docs/finding-work.md says what the code does: filters, orders, numbers and a search."""

import json

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType

from backend.jobs.search import MOST_RANKED
from backend.jobs.words import MOST_WORDS, SHORTEST_BEGINNING
from backend.open_payments.types import Amount
from backend.schema import schema
from backend.schema.connections import LARGEST_PAGE, MOST_COUNTED
from tests.docs import pages
from tests.jobs.people import a_job
from tests.schema.client import data_of, execute

PAGE = pages.DOCS / "finding-work.md"


def test_every_filter_is_explained_once() -> None:
    explained = [row[0].strip("`") for row in pages.table_with_heading(PAGE, "Filter")]

    filter_ = schema._schema.type_map["JobFilter"]
    assert isinstance(filter_, GraphQLInputObjectType)
    assert sorted(explained) == sorted(filter_.fields)


def test_every_order_is_explained_once() -> None:
    explained = [row[0].strip("`") for row in pages.table_with_heading(PAGE, "`orderBy`")]

    order = schema._schema.type_map["JobOrder"]
    assert isinstance(order, GraphQLEnumType)
    assert explained == list(order.values)


def test_the_numbers_are_those_of_the_code() -> None:
    text = " ".join(PAGE.read_text().split())

    assert f"at most {MOST_WORDS} words" in text
    assert f"the {MOST_RANKED} newest jobs" in text
    assert f"`first` rows, 1 to {LARGEST_PAGE}" in text
    assert f"counts to {MOST_COUNTED} and stops" in text
    assert SHORTEST_BEGINNING == 3 and "one or two Latin letters have to be whole" in text


@pytest.mark.django_db
def test_the_example_finds_what_it_says() -> None:
    blocks = dict(pages.FENCED.findall(PAGE.read_text()))
    (variables,) = [
        json.loads(text)
        for kind, text in pages.FENCED.findall(PAGE.read_text())
        if kind == "json" and "languageTag" in text
    ]
    job = a_job(
        title="Grabación de voz",
        language_tag="es-MX",
        reward=Amount(value=10_000, asset_code="MXN", asset_scale=2),
    )

    unpaid = data_of(execute(blocks["graphql"], variables=variables))["jobs"]
    del variables["filter"]["assurance"]
    found = data_of(execute(blocks["graphql"], variables=variables))["jobs"]

    assert unpaid["edges"] == []
    assert [edge["node"]["title"] for edge in found["edges"]] == [job.title]
