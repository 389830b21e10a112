"""`python -m tools.licenses`: docs/licenses.md, from what the installed packages declare.

With `--check` nothing is written: it fails when a package that Faena runs with has a licence that
nobody has looked at, or the page says something else. CycloneDX's tool reads the packages.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.processes import ROOT

PAGE = ROOT / "docs" / "licenses.md"
LOCK = ROOT / "requirements" / "base.lock"
PINNED = re.compile(r"^([a-z0-9._-]+)==\S+", re.MULTILINE)
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \|$", re.MULTILINE)
READER = (sys.executable, "-m", "cyclonedx_py")
# What a classifier means, where a package has no expression.
SPDX = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
PERMISSIVE = {
    "Apache-2.0",
    "BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "MIT",
    "MIT-0",
    "PSF-2.0",
    "Unlicense",
}
# Copyleft that ends at the package itself, with why it may be used.
LOOKED_AT = {
    "certifi": ("MPL-2.0", "a list of certificates, used unchanged"),
    "psycopg": ("LGPL-3.0-only", "imported as a library, unchanged and replaceable"),
    "psycopg-binary": ("LGPL-3.0-only", "as psycopg"),
    "psycopg-pool": ("LGPL-3.0-only", "as psycopg"),
}
HEAD = """\
# Licences of what Faena runs with

Faena is Apache-2.0. These are the packages of `requirements/base.lock`, with the licences that
they declare. This page is written by `python -m tools.licenses`; `make check` fails when it is not
true any more, or when a package comes in under a licence that is not here. `make sbom` writes the
same packages with their hashes as a CycloneDX document.

Four have a copyleft that ends at the package itself:

"""


def main() -> int:
    """Write the page, or with `--check` say what is wrong with it."""
    found = licences()
    problems = [*unknown(found)]
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page(found))
    elif PAGE.read_text() != page(found):
        problems.append("docs/licenses.md is not what python -m tools.licenses writes.")
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


def unknown(found: Mapping[str, str]) -> Iterator[str]:
    """The packages whose licence nobody has looked at."""
    for name, licence in found.items():
        looked_at, _ = LOOKED_AT.get(name, ("", ""))
        # Of several that may be chosen from, or that were declared twice, all are fine.
        parts = set(re.split(r" OR | AND |, ", licence))
        if licence != looked_at and not parts <= PERMISSIVE:
            yield f"{name} is {licence or 'under no licence that it declares'}."


def licences() -> dict[str, str]:
    """The licence of each package in the lock; of those for other platforms, as the page has it."""
    known = dict(ROW.findall(PAGE.read_text())) if PAGE.exists() else {}
    installed = _installed()
    return {
        name: installed[name] if name in installed else known.get(name, "").strip()
        for name in PINNED.findall(LOCK.read_text())
    }


def page(found: Mapping[str, str]) -> str:
    """The whole page."""
    reasons = [f"- `{name}` ({licence}): {why}." for name, (licence, why) in LOOKED_AT.items()]
    rows = [f"| `{name}` | {licence} |" for name, licence in found.items()]
    return HEAD + "\n".join([*reasons, "", "| Package | Licence |", "|---|---|", *rows, ""])


def _installed() -> dict[str, str]:
    with tempfile.TemporaryDirectory(prefix="faena-licenses-") as folder:
        written = Path(folder) / "environment.json"
        subprocess.run(  # noqa: S603 - the command is ours
            [*READER, "environment", "--no-validate", "-o", written],
            check=True,
            capture_output=True,
            timeout=120,
        )
        components = json.loads(written.read_text())["components"]
    return {
        re.sub(r"[-_.]+", "-", each["name"]).lower(): _in_words(each.get("licenses", []))
        for each in components
    }


def _in_words(licences: list[dict[str, object]]) -> str:
    found = []
    for each in licences:
        licence = each.get("license", {})
        assert isinstance(licence, dict)
        name = str(each.get("expression") or licence.get("id") or licence.get("name"))
        found.append(SPDX.get(name, name))
    exact = [name for name in found if name != "BSD"]
    return ", ".join(dict.fromkeys(exact or found))


if __name__ == "__main__":
    sys.exit(main())
