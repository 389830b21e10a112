"""The documentation's site, opened as files in a real browser: nobody is asked for anything."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import HERE
from tools.processes import ROOT


@pytest.fixture(scope="module")
def visit(node: str, browser: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What site.mjs saw of a site that was built for it."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "tools.site", "--site-dir", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, timeout=120)
    arguments = {"index": (folder / "index.html").as_uri(), "executable": browser}
    done = subprocess.run(
        [node, "site.mjs", json.dumps(arguments)],
        cwd=HERE,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return {**json.loads(done.stdout), "folder": folder}


def test_a_page_asks_nobody_for_anything(visit: Any) -> None:
    assert visit["errors"] == []
    assert visit["asked"]
    assert [
        each for each in visit["asked"] if not each.startswith(("file:", "data:", "blob:"))
    ] == []


def test_its_diagrams_are_drawn(visit: Any) -> None:
    assert visit["diagrams"] == 4


def test_search_works_without_a_server(visit: Any) -> None:
    found = [each.rpartition("/")[2].partition("?")[0] for each in visit["found"]]

    assert "mutations.html" in found


def test_links_to_the_repositorys_files_lead_to_pages_that_show_them(visit: Any) -> None:
    payments = Path(visit["folder"], "payments.html").read_text()
    reference = Path(visit["folder"], "index.html").read_text()

    assert 'href="source/backend/payments/workflow.py.html"' in payments
    assert Path(visit["folder"], "source/backend/payments/workflow.py.html").is_file()
    for page in ("graphql", "environment", "commands", "lifecycles"):
        assert f'href="reference/{page}.html"' in reference
