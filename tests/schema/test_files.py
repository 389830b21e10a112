"""Files over GraphQL."""

import pytest

from tests.files.people import a_file, a_person
from tests.schema.client import data_of, execute
from tests.schema.world import global_id

pytestmark = pytest.mark.django_db

FILE = """
query ($id: ID!) {
  node(id: $id) { ... on File { id name mediaType size sha256 status createdAt } }
}
"""


def test_its_owner_sees_a_file() -> None:
    file = a_file(owner := a_person())
    id_ = global_id("File", file.id)

    seen = data_of(execute(FILE, variables={"id": id_}, user=owner))["node"]

    assert seen == {
        "id": id_,
        "name": "notes.txt",
        "mediaType": "text/plain",
        "size": 5,
        "sha256": file.sha256,
        "status": "READY",
        "createdAt": "2026-06-01T12:00:00+00:00",
    }


def test_a_foreign_file_is_nothing() -> None:
    id_ = global_id("File", a_file(a_person()).id)

    assert data_of(execute(FILE, variables={"id": id_}, user=a_person()))["node"] is None
    assert data_of(execute(FILE, variables={"id": id_}))["node"] is None
