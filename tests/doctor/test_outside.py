"""What op_doctor says of our address, mails, files, keys and webhooks."""

import base64
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pytest_django import Settings

from backend.doctor import outside, secrets
from backend.doctor.examining import find
from backend.doctor.findings import Code
from backend.ids import new_id
from backend.receipts.models import Receipt
from backend.webhooks.models import WebhookEndpoint
from sandbox_wallet import World
from tests.conftest import NOON
from tests.doctor.world import closed_port
from tests.jobs.people import a_person
from tests.ledger.books import a_payment

pytestmark = pytest.mark.django_db


def test_our_address_has_to_be_set(settings: Settings) -> None:
    settings.PUBLIC_URL = ""

    assert find("public_url", outside.check_public_url).code is Code.PUBLIC_URL_NOT_SET


def test_our_address_may_not_be_reachable_from_here(settings: Settings) -> None:
    settings.PUBLIC_URL = f"http://127.0.0.1:{closed_port()}"

    assert find("public_url", outside.check_public_url).code is Code.PUBLIC_URL_UNREACHABLE


def test_somebody_else_at_our_address_is_found(wallet: World, settings: Settings) -> None:
    settings.PUBLIC_URL = wallet.base_url

    for check in (outside.check_public_url, outside.check_callback):
        assert find("public_url", check).code is Code.PUBLIC_URL_NOT_OURS


def test_a_mail_server_that_is_gone_is_a_warning(settings: Settings) -> None:
    settings.SENDS_MAIL = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", closed_port()

    assert find("mail", outside.check_mail).code is Code.MAIL_UNREACHABLE


def test_a_folder_that_cannot_be_written_to_is_a_problem(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    settings.FILES_DIR = tmp_path / "file" / "below"

    assert find("files", outside.check_files).code is Code.FILES_UNUSABLE


def test_a_folder_leaves_no_trace_of_the_look(settings: Settings, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path / "files"

    assert find("files", outside.check_files).code is Code.OK
    assert list((tmp_path / "files").iterdir()) == []


def test_a_disk_with_little_room_is_a_warning(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FILES_DIR = tmp_path
    monkeypatch.setattr(outside, "LEAST_FREE_BYTES", 2**62)

    assert find("files", outside.check_files).code is Code.FILES_NEARLY_FULL


def test_a_bucket_that_is_gone_is_a_problem(settings: Settings) -> None:
    settings.FILES_BUCKET = "nowhere"
    settings.FILES_ENDPOINT_URL = f"http://127.0.0.1:{closed_port()}"
    settings.FILES_PUBLIC_ENDPOINT_URL = settings.FILES_ENDPOINT_URL
    settings.FILES_ACCESS_KEY_ID = settings.FILES_SECRET_ACCESS_KEY = "x"

    assert find("files", outside.check_files).code is Code.FILES_UNUSABLE


def test_endpoints_that_fail_are_counted() -> None:
    an_endpoint(failing_since=NOON)

    found = find("webhooks", outside.check_webhooks)

    assert (found.code, "1 endpoints fail" in found.message) == (Code.WEBHOOKS_FAILING, True)


# --- keys -----------------------------------------------------------------------------------------


def a_key(name: str) -> str:
    return f"{name}:{base64.b64encode(name.encode().ljust(32, b'.')).decode()}"


def an_endpoint(**fields: object) -> WebhookEndpoint:
    endpoint = WebhookEndpoint(
        owner=a_person(f"p{new_id().hex}"),
        url="https://hooks.example/",
        events=["*"],
        created_at=NOON,
        updated_at=NOON,
        **fields,
    )
    endpoint.secret = endpoint.seal("whsec_secret")
    endpoint.save()
    return endpoint


@pytest.mark.parametrize(
    ("ring", "code"),
    [
        (["old"], Code.OK),
        (["old", "new"], Code.OK),
        (["new", "old"], Code.ENCRYPTION_KEY_OLD),
        (["new"], Code.ENCRYPTION_KEY_LOST),
        ([], Code.ENCRYPTION_KEYS_UNUSABLE),
    ],
)
def test_the_ring_has_to_open_what_was_sealed(
    settings: Settings, ring: list[str], code: Code
) -> None:
    settings.ENCRYPTION_KEYS = [a_key("old")]
    an_endpoint()

    settings.ENCRYPTION_KEYS = [a_key(name) for name in ring]

    assert find("encryption", secrets.check_encryption).code is code


def test_a_key_that_was_exchanged_under_its_name_is_lost(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [a_key("old")]
    an_endpoint()

    settings.ENCRYPTION_KEYS = [a_key("other").replace("other:", "old:")]

    assert find("encryption", secrets.check_encryption).code is Code.ENCRYPTION_KEY_LOST


def test_a_receipt_key_that_is_none_is_a_problem(settings: Settings) -> None:
    settings.RECEIPT_PRIVATE_KEY = "nothing"

    assert find("receipt_key", secrets.check_receipts).code is Code.RECEIPT_KEY_UNUSABLE


def test_receipts_whose_key_is_published_no_more_are_found() -> None:
    assert find("receipt_key", secrets.check_receipts).code is Code.OK
    jws = jwt.encode({}, Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": "of-2019"})
    Receipt.objects.create(payment=a_payment(), number="R-1", issued_at=NOON, jws=jws)

    found = find("receipt_key", secrets.check_receipts)

    assert (found.code, "of-2019" in found.message) == (Code.RECEIPT_KEY_LOST, True)
