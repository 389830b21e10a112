"""`make check`: everything about the code that can be said without running its tests."""

import base64
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.open_payments import Ed25519Signer
from tools import schema_changes
from tools.processes import ROOT
from tools.world import bare_environment

BIN = Path(sys.executable).parent
MANAGE = (sys.executable, "manage.py")
NODE_FOLDERS = ("clients", "examples", "tests", "tools")
# Lock files work with whatever index their reader has configured, so they name none.
LOCK_FILES = ("requirements/*.lock", *(f"{folder}/*/package-lock.json" for folder in NODE_FOLDERS))
NAMES_A_HOST = re.compile(r'"resolved"\s*:\s*"|--(extra-)?index-url|--find-links|\s@\s+\w+://')


def main() -> int:
    """Run every check, show what failed, and return 1 if anything did."""
    with tempfile.TemporaryDirectory(prefix="faena-check-") as folder:
        development = {**os.environ, "DEBUG": "1", "VAR_DIR": folder}
        checks: list[tuple[str, Sequence[str | Path], Mapping[str, str]]] = [
            ("style", [BIN / "ruff", "check", "--quiet", "."], development),
            ("format", [BIN / "ruff", "format", "--check", "--quiet", "."], development),
            ("types", [BIN / "mypy"], development),
            ("layers", [BIN / "lint-imports", "--no-cache"], development),
            ("messages", [sys.executable, "-m", "tools.messages", "--check"], development),
            ("errors page", [sys.executable, "-m", "tools.errors_page", "--check"], development),
            ("licences", [sys.executable, "-m", "tools.licenses", "--check"], development),
            (
                "documentation",
                [sys.executable, "-m", "tools.site", "--site-dir", f"{folder}/site"],
                development,
            ),
            ("migrations", [*MANAGE, "makemigrations", "--check", "--dry-run"], development),
            (
                "production settings",
                [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"],
                _production(folder),
            ),
        ]
        passed = [_passes(*check) for check in checks]
    return 0 if all([*passed, _locks_name_no_host(), _schema_breaks_no_client()]) else 1


def _passes(name: str, command: Sequence[str | Path], environment: Mapping[str, str]) -> bool:
    started = time.monotonic()
    done = subprocess.run(  # noqa: S603 - the commands are ours
        command,
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    passed = done.returncode == 0
    _say(name, passed, f"{time.monotonic() - started:.1f} s")
    if not passed:
        print(done.stdout)
    return passed


def _production(folder: str) -> dict[str, str]:
    """Settings as of a deployment, with secrets that live as long as this check."""
    return {
        **bare_environment(),
        "VAR_DIR": folder,
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ENCRYPTION_KEYS": f"check:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "PUBLIC_URL": "https://faena.example",
        "DATABASE_URL": "postgres://faena@database.example/faena",
        "REDIS_URL": "redis://redis.example/0",
        "OP_CLIENT_WALLET_ADDRESS": "https://wallet.example/faena",
        "OP_CLIENT_KEY_ID": "check",
        "OP_CLIENT_PRIVATE_KEY": Ed25519Signer.generate("check").to_pem(),
        "EMAIL_URL": "smtps://mail.example",
        "DEFAULT_FROM_EMAIL": "Faena <pay@faena.example>",
        "RECEIPT_PRIVATE_KEY": Ed25519Signer.generate("receipts").to_pem(),
    }


def _locks_name_no_host() -> bool:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for pattern in LOCK_FILES
        for path in ROOT.glob(pattern)
        if "node_modules" not in path.parts
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if NAMES_A_HOST.search(line)
    ]
    _say("lock files name no host", not found, "")
    print(*found, sep="\n", end="\n" if found else "")
    return not found


def _schema_breaks_no_client() -> bool:
    passed = schema_changes.main() == 0
    _say("schema breaks no client of the last release", passed, "")
    return passed


def _say(name: str, passed: bool, took: str) -> None:
    print(f"{'ok    ' if passed else 'FAILED'}  {name}  {took}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
