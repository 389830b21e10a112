"""Tests against the official npm packages, collected where `make node` has installed them.

Elsewhere they are not collected at all, and the summary says so.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
GRAPHIQL, SITE = ROOT / "tools" / "graphiql", ROOT / "tools" / "site"
CLIENT = ROOT / "clients" / "typescript"
WEB = ROOT / "examples" / "web"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

NODE = shutil.which("node")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
HAVE_PACKAGES = NODE is not None and all(
    (folder / "node_modules").is_dir() for folder in (HERE, CLIENT)
)
HAVE_BROWSER = HAVE_PACKAGES and BROWSER is not None
HAVE_GRAPHIQL = HAVE_BROWSER and (GRAPHIQL / "node_modules").is_dir()
HAVE_SITE = HAVE_BROWSER and (SITE / "node_modules").is_dir()
HAVE_WEB = HAVE_BROWSER and (WEB / "node_modules").is_dir()

collect_ignore: list[str] = []
if NODE is None:
    collect_ignore += ["test_uploads_page.py"]
if not HAVE_PACKAGES:
    collect_ignore += ["test_official_client.py", "test_signatures.py", "test_streams.py"]
    collect_ignore += ["test_typescript_client.py"]
if not HAVE_BROWSER:
    collect_ignore += ["test_back_office_page.py"]
if not HAVE_WEB:
    collect_ignore += ["test_web_app.py"]
if not HAVE_GRAPHIQL:
    collect_ignore += ["test_graphiql_page.py", "test_newcomer.py"]
if not HAVE_SITE:
    collect_ignore += ["test_site.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore:
        left_out = ", ".join(collect_ignore)
        terminalreporter.write_line(
            f"Not run: {left_out}. They need Node 20 and `make node`, those of pages also "
            "Chromium, and those of GraphiQL `make graphiql`.",
            yellow=True,
        )


@pytest.fixture(scope="session")
def node() -> str:
    """The Node executable."""
    assert NODE is not None
    return NODE


@pytest.fixture(scope="session")
def browser() -> str:
    """The Chromium executable."""
    assert BROWSER is not None
    return BROWSER


@pytest.fixture(scope="session")
def typescript_client(node: str) -> Iterator[Path]:
    """A folder with clients/typescript, compiled: strictly, or not at all."""
    # Beside its packages, where Node finds them.
    with tempfile.TemporaryDirectory(dir=CLIENT, prefix="dist-") as folder:
        run_package(node, "typescript/bin/tsc", "--outDir", folder)
        yield Path(folder)


def run_package(node: str, program: str, *arguments: str, folder: Path = CLIENT) -> None:
    """Run a program of an npm package in `folder`; it has to succeed."""
    done = subprocess.run(
        [node, f"node_modules/{program}", *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
