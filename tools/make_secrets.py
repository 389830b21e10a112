"""`make secrets`: the files that docker-compose.yml hands to its processes.

What is there already stays: some of it cannot be replaced without losing what it protects.
"""

import base64
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from backend.open_payments import Ed25519Signer
from tools.processes import ROOT

FOLDER = ROOT / "secrets"


def main() -> None:
    """Make what is missing, and say what was made."""
    made = make_secrets(FOLDER)
    print(f"Made in {FOLDER}: {', '.join(made)}." if made else f"{FOLDER} has everything already.")


def make_secrets(folder: Path) -> list[str]:
    """Make every file that `folder` does not have; the names of those. Safe to repeat."""
    folder.mkdir(mode=0o700, exist_ok=True)
    password = folder / "postgres_password"

    def database_url() -> str:
        return f"postgres://faena:{password.read_text()}@postgres:5432/faena"

    def private_key() -> str:
        return Ed25519Signer.generate("unused").to_pem()

    contents: dict[str, Callable[[], str]] = {
        "postgres_password": lambda: secrets.token_urlsafe(32),
        "database_url": database_url,
        "secret_key": lambda: secrets.token_urlsafe(64),
        "encryption_keys": _encryption_key,
        "op_client_private_key": private_key,
        "receipt_private_key": private_key,
    }
    missing = [name for name in contents if not (folder / name).exists()]
    for name in missing:
        write(folder / name, contents[name]())
    return missing


def _encryption_key() -> str:
    return f"{time.strftime('k%Y%m%d')}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def write(path: Path, text: str) -> None:
    """Make the file `path`, which must not exist, for everybody to read."""
    # The folder keeps others out. Compose mounts the files as they are, and the user in the
    # container, who is another one, has to read them.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    # Whatever the umask has taken away.
    os.fchmod(descriptor, 0o444)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


if __name__ == "__main__":
    main()
