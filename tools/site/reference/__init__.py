"""The reference: pages that are made from the schema, the settings, the commands and the tables."""

from tools.processes import ROOT
from tools.site.reference import commands, environment, graphql, lifecycles


def pages() -> dict[str, str]:
    """Every page of the reference, by its path in the site."""
    return {
        **graphql.pages((ROOT / "schema.graphql").read_text()),
        "reference/environment.md": environment.page((ROOT / ".env.example").read_text()),
        "reference/commands.md": commands.page((ROOT / "Makefile").read_text()),
        "reference/lifecycles.md": lifecycles.page(),
    }


def parts(uri: str) -> list[str]:
    """The pages that a page of the reference is continued on."""
    return [f"reference/{name}.md" for name in graphql.PARTS] if uri == graphql.START else []
