"""The npm locks must install the same bytes from any registry."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
FOLDERS = (
    "tests/conformance",
    "tools/graphiql",
    "tools/site",
    "clients/typescript",
    "examples/web",
)
LOCKS = [ROOT / folder / "package-lock.json" for folder in FOLDERS]


def packages_of(lock: Path) -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = json.loads(lock.read_text())["packages"]
    return {name: package for name, package in packages.items() if name}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_a_lock_names_no_host(lock: Path) -> None:
    assert "://" not in lock.read_text()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.name)
def test_a_lock_pins_every_package_by_its_hash(lock: Path) -> None:
    unpinned = [name for name, package in packages_of(lock).items() if "integrity" not in package]

    assert unpinned == []
