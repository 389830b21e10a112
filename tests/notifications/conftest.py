from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from tests.notifications.world import MailServer, serving
from tests.webhooks.world import Clock


@pytest.fixture
def mail_server(settings: LazySettings) -> Iterator[MailServer]:
    """A real one, to which mails go."""
    with serving() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()
