"""Operators look at webhooks; secrets are on none of the pages, and nothing is changed there."""

import pytest
from django.test import Client
from django.urls import reverse

from backend.accounts.models import User
from backend.events.relay import relay
from backend.webhooks.models import InboundEvent
from tests.webhooks.world import NOON, a_user, an_endpoint, announce, deliveries

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator@example.com", "a long password"))
    return client


def test_the_admin_shows_endpoints_without_their_secrets_and_what_they_were_told(
    operator: Client,
) -> None:
    person = a_user()
    made = an_endpoint(person)
    announce(f"user:{person.id}")
    relay(now=NOON)
    (delivery,) = deliveries(made.endpoint)
    hint = InboundEvent.objects.create(
        source="payments", event_id="x", payments=0, received_at=NOON
    )

    pages = [
        operator.get(reverse(f"admin:webhooks_{row._meta.model_name}_change", args=[row.id]))
        for row in (made.endpoint, delivery, hint)
    ]

    assert [page.status_code for page in pages] == [200, 200, 200]
    shown = pages[0].content.decode()
    assert made.endpoint.url in shown
    for secret in (made.secret, made.endpoint.secret):
        assert secret not in shown
    assert str(delivery.event_id) in pages[1].content.decode()


def test_the_admin_changes_nothing(operator: Client) -> None:
    endpoint = an_endpoint(a_user()).endpoint
    name = "admin:webhooks_webhookendpoint"

    answers = [
        operator.post(reverse(f"{name}_change", args=[endpoint.id]), {"url": "https://x.example"}),
        operator.post(reverse(f"{name}_delete", args=[endpoint.id]), {"post": "yes"}),
        operator.get(reverse(f"{name}_add")),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
