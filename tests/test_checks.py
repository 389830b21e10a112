"""A server with unsafe settings refuses to start and says what to do."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.conf import settings as live_settings
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from backend import checks
from backend.payments.links import is_allowed_return_url

ROOT = Path(__file__).resolve().parent.parent


def pem(key: Any, encryption: Any = None) -> str:
    written: bytes = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()
    )
    return written.decode()


ED25519 = Ed25519PrivateKey.generate()
SAFE: dict[str, Any] = {
    "DEBUG": False,
    "SECRET_KEY": "".join(chr(33 + i % 80) for i in range(64)),
    "ENCRYPTION_KEYS": [
        "k2:" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=",
        "k1:" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    ],
    "PUBLIC_URL": "https://pay.example",
    "ALLOWED_HOSTS": ["pay.example"],
    "CORS_ORIGINS": frozenset({"https://app.example", "https://app.example:8443"}),
    "RETURN_URLS": frozenset({"https://app.example"}),
    "OP_DEV_ORIGINS": frozenset(),
    "OP_CLIENT_WALLET_ADDRESS": "https://wallet.example/platform",
    "OP_CLIENT_KEY_ID": "platform-1",
    "OP_CLIENT_PRIVATE_KEY": pem(ED25519),
    "OPERATORS_NEED_SECOND_FACTOR": True,
    "LEASE_S": 60.0,
    "WALLET_BUDGET_S": 10.0,
    "TICK_S": 0.25,
}
FILES_KEY = {"FILES_ACCESS_KEY_ID": "key", "FILES_SECRET_ACCESS_KEY": "secret"}
FEE_WALLET = {"PLATFORM_FEE_WALLET_ADDRESS_URLS": ["https://wallet.example/fees"]}
DEVELOPMENT_KEY = "development:ZGV2ZWxvcG1lbnQtb25seS0wMDAwMDAwMDAwMDAwMDA="


def found(settings: Settings, **changes: Any) -> list[str]:
    for name, value in {**SAFE, **changes}.items():
        setattr(settings, name, value)
    return sorted(str(each.id) for each in checks.check_settings(None))


def test_an_id_is_of_one_check_so_that_silencing_it_silences_no_other() -> None:
    files_of: dict[str, set[Path]] = {}
    for path in ROOT.joinpath("backend").rglob("*.py"):
        for id_ in re.findall(r'id="(faena\.[EW]\d+)"', path.read_text()):
            files_of.setdefault(id_, set()).add(path)

    assert files_of
    assert {id_: files for id_, files in files_of.items() if len(files) > 1} == {}


def test_safe_settings_pass(settings: Settings) -> None:
    assert found(settings) == []
    assert found(settings, SECRET_KEY_FALLBACKS=[SAFE["SECRET_KEY"][::-1]]) == []


@pytest.mark.parametrize("scheme", ["example-app://", "faena://", "com.example.app2://"])
def test_people_may_be_sent_back_to_an_apps_own_scheme(settings: Settings, scheme: str) -> None:
    assert found(settings, RETURN_URLS=frozenset({"https://app.example", scheme})) == []
    assert is_allowed_return_url(f"{scheme}funded")


@pytest.mark.parametrize(
    ("id_", "changes"),
    [
        ("faena.E001", {"SECRET_KEY": ""}),
        ("faena.E001", {"SECRET_KEY": "short"}),
        ("faena.E001", {"SECRET_KEY": "abcd" * 20}),
        ("faena.E001", {"SECRET_KEY_FALLBACKS": [live_settings.DEVELOPMENT_SECRET]}),
        ("faena.E001", {"SECRET_KEY_FALLBACKS": [SAFE["SECRET_KEY"][::-1], "part of a key"]}),
        ("faena.E001", {"SECRET_KEY": live_settings.DEVELOPMENT_SECRET}),
        ("faena.E001", {"SECRET_KEY": "django-insecure-" + SAFE["SECRET_KEY"]}),
        ("faena.E012", {"OPERATORS_NEED_SECOND_FACTOR": False}),
        ("faena.E002", {"ENCRYPTION_KEYS": []}),
        ("faena.E002", {"ENCRYPTION_KEYS": ["k1:not base64"]}),
        ("faena.E002", {"ENCRYPTION_KEYS": ["k1:c2hvcnQ="]}),
        ("faena.E002", {"ENCRYPTION_KEYS": [DEVELOPMENT_KEY]}),
        ("faena.E002", {"ENCRYPTION_KEYS": [*SAFE["ENCRYPTION_KEYS"], DEVELOPMENT_KEY]}),
        ("faena.E002", {"ENCRYPTION_KEYS": ["renamed:" + DEVELOPMENT_KEY.partition(":")[2]]}),
        ("faena.E002", {"ENCRYPTION_KEYS": ["zeros:" + "A" * 43 + "="]}),
        (
            "faena.E002",
            {"ENCRYPTION_KEYS": [each.replace("k2", "k1") for each in SAFE["ENCRYPTION_KEYS"]]},
        ),
        ("faena.E003", {"PUBLIC_URL": ""}),
        ("faena.E003", {"PUBLIC_URL": "http://pay.example"}),
        ("faena.E003", {"PUBLIC_URL": "https://"}),
        ("faena.E003", {"PUBLIC_URL": "https://[pay.example"}),
        ("faena.E004", {"ALLOWED_HOSTS": []}),
        ("faena.E004", {"ALLOWED_HOSTS": [""]}),
        ("faena.E004", {"ALLOWED_HOSTS": ["pay.example", "*"]}),
        ("faena.E005", {"OP_DEV_ORIGINS": frozenset({"http://127.0.0.1:9000"})}),
        ("faena.E006", {"OP_CLIENT_WALLET_ADDRESS": ""}),
        ("faena.E006", {"OP_CLIENT_KEY_ID": ""}),
        ("faena.E006", {"OP_CLIENT_PRIVATE_KEY": ""}),
        ("faena.E007", {"OP_CLIENT_PRIVATE_KEY": "not a key"}),
        ("faena.E007", {"OP_CLIENT_PRIVATE_KEY": "not ASCII: ñ"}),
        ("faena.E007", {"OP_CLIENT_PRIVATE_KEY": pem(generate_private_key(SECP256R1()))}),
        (
            "faena.E007",
            {"OP_CLIENT_PRIVATE_KEY": pem(ED25519, BestAvailableEncryption(b"password"))},
        ),
        ("faena.E009", {"LEASE_S": 20.0}),
        ("faena.E009", {"WALLET_BUDGET_S": 0.0}),
        ("faena.E010", {"CORS_ORIGINS": frozenset({"*"})}),
        ("faena.E010", {"CORS_ORIGINS": frozenset({"https://*.example"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"https://app.example/path"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"http://app.example"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"https://app.example:port"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"http://"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"https://"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"javascript://"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"data://"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"file://"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"blob://"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"intent://"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"Example-App://"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"example-app"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"example-app:"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"example-app://paid"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"example-app://*"})}),
        ("faena.E010", {"RETURN_URLS": frozenset({"://"})}),
        ("faena.E010", {"CORS_ORIGINS": frozenset({"example-app://"})}),
        ("faena.E011", {"TICK_S": 0.0}),
        ("faena.E020", {"FILES_BUCKET": "", "FILES_ENDPOINT_URL": "https://s3.example"}),
        ("faena.E020", {"FILES_BUCKET": "", **FILES_KEY}),
        ("faena.E021", {"FILES_BUCKET": "files", "FILES_ACCESS_KEY_ID": "key"}),
        ("faena.E021", {"FILES_BUCKET": "files", "FILES_SECRET_ACCESS_KEY": "secret"}),
        ("faena.E022", {"FILES_LARGEST_BYTES": 0}),
        ("faena.E022", {"FILES_LARGEST_BYTES": 2**31, "FILES_BYTES_PER_USER": 2**40}),
        ("faena.E022", {"FILES_LARGEST_BYTES": 1000, "FILES_BYTES_PER_USER": 999}),
        ("faena.E023", {"FILES_UNFINISHED_PER_USER": 0}),
        ("faena.E033", {"PLATFORM_FEE_BPS": -1.0, **FEE_WALLET}),
        ("faena.E033", {"PLATFORM_FEE_BPS": 2.5, **FEE_WALLET}),
        ("faena.E033", {"PLATFORM_FEE_BPS": float("nan"), **FEE_WALLET}),
        ("faena.E033", {"PLATFORM_FEE_BPS": 10_001.0, **FEE_WALLET}),
        ("faena.E034", {"PLATFORM_FEE_BPS": 250.0}),
        ("faena.E035", {"PLATFORM_FEE_WALLET_ADDRESS_URLS": ["https://a.example/x"] * 2}),
        (
            "faena.E024",
            {"FILES_BUCKET": "files", "FILES_PUBLIC_ENDPOINT_URL": "http://minio:9000"},
        ),
    ],
)
def test_each_mistake_has_its_id(settings: Settings, id_: str, changes: dict[str, Any]) -> None:
    assert found(settings, **changes) == [id_]


@pytest.mark.parametrize(
    "bucket",
    [
        {"FILES_BUCKET": "files"},  # with the machine's own role
        {"FILES_BUCKET": "files", **FILES_KEY},
        {
            "FILES_BUCKET": "files",
            "FILES_ENDPOINT_URL": "http://minio:9000",
            "FILES_PUBLIC_ENDPOINT_URL": "https://files.example",
            **FILES_KEY,
        },
    ],
)
def test_a_bucket_is_safe_when_browsers_reach_it_by_https(
    settings: Settings, bucket: dict[str, str]
) -> None:
    assert found(settings, **bucket) == []


@pytest.mark.parametrize("name", ["", ":memory:", "file:x?mode=memory&cache=shared"])
def test_a_database_in_memory_is_a_mistake(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    database = settings.DATABASES["default"]
    monkeypatch.setitem(database, "ENGINE", "django.db.backends.sqlite3")
    monkeypatch.setitem(database, "NAME", name)

    assert found(settings) == ["faena.E008"]


def test_development_may_be_careless_but_not_with_leases(settings: Settings) -> None:
    careless = {
        "DEBUG": True,
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "ENCRYPTION_KEYS": [DEVELOPMENT_KEY],
        "OP_CLIENT_KEY_ID": "",
    }

    assert found(settings, **careless) == []
    assert found(settings, **careless, LEASE_S=5.0) == ["faena.E009"]


def test_the_key_that_everybody_knows_is_the_one_of_the_settings() -> None:
    if os.environ.get("ENCRYPTION_KEYS"):
        assert DEVELOPMENT_KEY not in live_settings.ENCRYPTION_KEYS
    else:
        assert live_settings.ENCRYPTION_KEYS == [DEVELOPMENT_KEY]


def test_no_message_repeats_a_secret(settings: Settings) -> None:
    found(
        settings,
        SECRET_KEY="hunter2",
        SECRET_KEY_FALLBACKS=["hunter2"],
        OP_CLIENT_PRIVATE_KEY="hunter2",
        ENCRYPTION_KEYS=["k1:hunter2"],
    )

    for each in checks.check_settings(None):
        assert "hunter2" not in f"{each.msg}{each.hint}"


def start_up(**environment: str) -> "subprocess.CompletedProcess[str]":
    """What a server does first, in a process of its own."""
    code = (
        "import django; django.setup(); from backend import checks; "
        "checks.refuse_unsafe_settings(); print('started')"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "backend.settings",
            "VAR_DIR": os.environ["VAR_DIR"],
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_production_process_without_settings_does_not_start_and_names_every_mistake() -> None:
    process = start_up(SECRET_KEY="short")

    assert process.returncode != 0
    assert "started" not in process.stdout
    assert ImproperlyConfigured.__name__ in process.stderr
    for id_ in ("E001", "E002", "E003", "E004", "E006"):
        assert f"faena.{id_}" in process.stderr


def test_a_development_process_starts_with_the_example_environment() -> None:
    process = start_up(**example())

    assert (process.returncode, process.stdout.strip()) == (0, "started"), process.stderr


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))


def test_the_example_explains_every_name_the_settings_read_and_no_other() -> None:
    sources = (ROOT / "backend" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'env\.(?:text|flag|number|items)\(\s*"([A-Z_]+)"', sources))

    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    explained = re.findall(r"^#?([A-Z_]+)=", text, flags=re.MULTILINE)

    assert set(explained) == read
    assert len(explained) == len(set(explained))
