"""`make docs`: build the documentation into var/site, or `serve` it while it is written."""

import os
import subprocess
import sys

from tools.processes import ROOT

CONFIG = ROOT / "tools" / "site" / "mkdocs.yml"
ADDRESS = "127.0.0.1:8300"


def main() -> int:
    """Run MkDocs; whatever it warns of fails the build."""
    serve = sys.argv[1:2] == ["serve"]
    command = ["serve", "--dev-addr", ADDRESS] if serve else ["build", "--strict"]
    done = subprocess.run(  # noqa: S603 - the command is ours, its arguments are the caller's own
        [sys.executable, "-m", "mkdocs", *command, "--config-file", CONFIG, *sys.argv[1 + serve :]],
        cwd=ROOT,
        env={**os.environ, "DEBUG": "1"},
    )
    if done.returncode == 0 and not sys.argv[1:]:
        print(f"The documentation is in {ROOT / 'var' / 'site'}: open index.html")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
