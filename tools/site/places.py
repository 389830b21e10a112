"""Which page of the site shows which file of the repository.

Pages are named by their path below the site's root; files by theirs below the repository's.
"""

import posixpath
from pathlib import Path, PurePosixPath

from tools.processes import ROOT
from tools.site import markdown

# Files that a page is made of, which says more than the file itself.
REFERENCE = {
    "schema.graphql": "reference/graphql.md",
    ".env.example": "reference/environment.md",
    "manage.py": "reference/commands.md",
    "backend/jobs/lifecycle": "reference/lifecycles.md",
}
LANGUAGES = {".graphql": "graphql", ".py": "python", ".toml": "toml", ".yml": "yaml"}
LONGEST_FENCE = "````````"


def page_of(path: str) -> str:
    """The page that shows a file or a folder of the repository."""
    if path in REFERENCE:
        return REFERENCE[path]
    if path == "docs" or path.startswith("docs/"):
        inner = path.removeprefix("docs").removeprefix("/")
        return inner if (ROOT / path).is_file() else "index.md"
    if path.endswith(".md"):
        # In lower case, because MkDocs takes a README.md for the index of its folder.
        return f"source/{path.lower()}"
    return f"source/{path}.md"


def moved(text: str, *, path: str) -> str:
    """The page of the file `path`, its links leading to the site's pages.

    A link to what is not there stays as it is, for MkDocs to complain about.
    """
    start = posixpath.dirname(page_of(path)) or "."

    def changed(target: str) -> str:
        linked = _linked(target, path=path)
        if linked is None:
            return target
        anchor = target.partition("#")[2]
        place = page_of(linked)
        if not place.endswith(".md") or place in REFERENCE.values():
            anchor = ""
        return posixpath.relpath(place, start) + (f"#{anchor}" if anchor else "")

    return markdown.with_targets(text, changed)


def beside(pages: list[Path]) -> dict[str, str]:
    """What `pages` link outside of docs/, and what that links: its path, and its Markdown."""
    found: dict[str, str] = {}
    waiting = [str(page.relative_to(ROOT)) for page in pages]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        if not path.startswith("docs/"):
            found[path] = shown(path)
        text = found.get(path) or (ROOT / path).read_text()
        linked = {_linked(target, path=path) for target in markdown.targets(text)}
        wanted = {each for each in linked if each and _needs_a_page(each)} - seen
        seen |= wanted
        waiting += sorted(wanted)
    return found


def shown(path: str) -> str:
    """A file of the repository as Markdown: as it is, as a block of code, or a folder's list."""
    file = ROOT / path
    if path.endswith(".md"):
        return file.read_text()
    if file.is_dir():
        name = PurePosixPath(path).name
        listed = [each.name for each in sorted(file.iterdir()) if each.suffix in LANGUAGES]
        lines = [f"- [{each}]({each})" for each in listed]
        return "\n".join([f"# {name}/", "", f"In `{path}/`:", "", *_inside(lines, path)])
    language = LANGUAGES.get(file.suffix, "text")
    fence = LONGEST_FENCE
    body = f"{fence}{language}\n{file.read_text()}{fence}\n"
    return f"---\nsearch:\n  exclude: true\n---\n# {file.name}\n\n`{path}`\n\n{body}"


def _inside(lines: list[str], path: str) -> list[str]:
    """The links of a folder's page, which stands beside the folder."""
    name = PurePosixPath(path).name
    return [line.replace("](", f"]({name}/") for line in lines]


def _needs_a_page(path: str) -> bool:
    return path not in REFERENCE and path != "docs" and not path.startswith("docs/")


def _linked(target: str, *, path: str) -> str | None:
    """The repository's file or folder that a link on the page `path` leads to."""
    name = target.partition("#")[0]
    if not name or "://" in name or name.startswith(("mailto:", "/")):
        return None
    base = posixpath.dirname(path)
    linked = posixpath.normpath(posixpath.join(base, name))
    if linked.startswith("..") or not (ROOT / linked).exists():
        return None
    inside = posixpath.join(linked, "README.md")
    return inside if (ROOT / inside).is_file() else linked
