"""`python -m tools.screenshots [page …]`: take the pictures in docs/images anew.

Needs Node 20, `make node` and Chromium.
"""

import argparse
import sys

from tools.screenshots import back_office, web
from tools.screenshots.driving import IMAGES, NotWorthShowing

PAGES = {"back-office": back_office.take, "web": web.take}
LARGEST_BYTES = 150_000


def main() -> int:
    """Take them; 1 when a page had errors, did not fit, or a picture is too large."""
    parser = argparse.ArgumentParser(prog="screenshots", description=__doc__)
    parser.add_argument("pages", nargs="*", default=list(PAGES), metavar="page", help=str([*PAGES]))
    IMAGES.mkdir(parents=True, exist_ok=True)
    status = 0
    for page in parser.parse_args().pages:
        try:
            taken = PAGES[page]()
        except NotWorthShowing as error:
            print(f"{page}: {error}", file=sys.stderr)
            status = 1
            continue
        for path in taken:
            size = path.stat().st_size
            print(f"{size:>7} {path.name}")
            if size > LARGEST_BYTES:
                print(f"{path.name} is larger than {LARGEST_BYTES} bytes.", file=sys.stderr)
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
