"""What others reach of us and we of others: our address, the mail server, files, webhooks."""

import shutil
import smtplib
from pathlib import Path

import httpx
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend as SMTP
from django.utils import translation
from django.utils.translation import gettext

from backend import outbound
from backend.doctor.findings import Code, Found
from backend.files.errors import StorageUnavailable
from backend.files.models import File
from backend.files.stores import store
from backend.ids import new_id
from backend.outbound.urls import origin_of, parse_url
from backend.webhooks.models import WebhookEndpoint
from backend.webhooks.status import DisabledBecause

ANSWER_SECONDS = 4.0
LEAST_FREE_BYTES = 1024**3


def check_public_url() -> str:
    """PUBLIC_URL leads to this server, from here at least."""
    answer = _fetch("/healthz")
    if answer != (200, '{"status": "ok"}'):
        raise Found(Code.PUBLIC_URL_NOT_OURS, f"/healthz there answers with status {answer[0]}.")
    return f"{settings.PUBLIC_URL} is this server, as far as can be told from inside."


def check_callback() -> str:
    """The address to which wallets send payers back leads to this server."""
    status, body = _fetch("/op/finish/op-doctor")
    with translation.override("en"):
        ours = gettext("This approval link is not valid.")
    if status != 404 or ours not in body:
        raise Found(Code.PUBLIC_URL_NOT_OURS, f"/op/finish there answers with status {status}.")
    return "Payers who come back from their wallet arrive here."


def check_mail() -> str:
    """The mail server takes our log-in."""
    if not settings.SENDS_MAIL:
        return "Nobody is mailed."
    mail = get_connection(timeout=ANSWER_SECONDS)
    if not isinstance(mail, SMTP):
        return "Mails are printed."
    try:
        mail.open()
        mail.close()
    except (OSError, smtplib.SMTPException) as error:
        raise Found(Code.MAIL_UNREACHABLE, f"{type(error).__name__}.") from error
    return "The server takes mails of ours."


def check_files() -> str:
    """The store of files takes an upload, which is given up again."""
    probe = File(id=new_id(), media_type="text/plain", size=1, part_size=1, storage_key="op-doctor")
    try:
        probe.upload_id = store().open(probe)
        store().close(probe)
    except StorageUnavailable as error:
        raise Found(Code.FILES_UNUSABLE, "The bucket does not take uploads.") from error
    return "The bucket takes uploads." if settings.FILES_BUCKET else _check_folder()


def check_webhooks() -> str:
    """Nobody's endpoint is failing, or was switched off for it."""
    failing = WebhookEndpoint.objects.filter(failing_since__isnull=False, disabled_at=None).count()
    off = WebhookEndpoint.objects.filter(disabled_because=DisabledBecause.FAILING).count()
    if failing or off:
        raise Found(
            Code.WEBHOOKS_FAILING, f"{failing} endpoints fail, {off} are off because of it."
        )
    return f"{WebhookEndpoint.objects.filter(disabled_at=None).count()} endpoints, none fails."


def _check_folder() -> str:
    folder = Path(settings.FILES_DIR)
    probe = folder / f".op-doctor-{new_id().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise Found(Code.FILES_UNUSABLE, f"{folder}: {error.strerror}.") from error
    said = f"{folder} has {free // 1024**2} MiB free."
    if free < LEAST_FREE_BYTES:
        raise Found(Code.FILES_NEARLY_FULL, said)
    return said


def _fetch(path: str) -> tuple[int, str]:
    if not settings.PUBLIC_URL:
        raise Found(Code.PUBLIC_URL_NOT_SET, "PUBLIC_URL is empty.")
    # An operator's own setting, and often a private address behind the proxy's back.
    origin = origin_of(parse_url(settings.PUBLIC_URL))
    policy = outbound.Policy(
        allowed_origins=frozenset({origin}),
        ca_file=settings.OP_CA_FILE or None,
        total_timeout_seconds=ANSWER_SECONDS,
    )
    with outbound.client(policy) as http:
        try:
            answer = http.get(f"{settings.PUBLIC_URL}{path}", headers={"Accept-Language": "en"})
        except httpx.HTTPError as error:
            raise Found(
                Code.PUBLIC_URL_UNREACHABLE, f"{origin}: {type(error).__name__}."
            ) from error
    return answer.status_code, answer.text
