"""`python -m tools.schema_file`: schema.graphql from the schema that runs."""

import os

import django

from tools.processes import ROOT

SCHEMA = ROOT / "schema.graphql"


def main() -> None:
    """Write it anew; the same code writes the same file."""
    os.environ.update(DJANGO_SETTINGS_MODULE="backend.settings", DEBUG="1")
    django.setup()
    from backend.schema import schema

    SCHEMA.write_text(schema.as_str(), encoding="utf-8")


if __name__ == "__main__":
    main()
