"""The door to the database for async code."""

import pytest
from django.conf import LazySettings
from django.db import connection

from backend.events.models import Event
from backend.events.threads import THREADS, in_database

pytestmark = pytest.mark.django_db(transaction=True)


async def test_with_debug_a_thread_keeps_the_statements_of_its_last_call_only(
    settings: LazySettings,
) -> None:
    settings.DEBUG = True

    def ask() -> int:
        Event.objects.count()
        return sum("events_event" in each["sql"] for each in connection.queries_log)

    assert {await in_database(ask) for _ in range(3 * THREADS)} == {1}
