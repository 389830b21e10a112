"""What MkDocs asks while it builds: the order of pages, those that are made, and their links."""

import os

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

import django
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.processes import ROOT
from tools.site import contents, places, reference

HERE = ROOT / "tools" / "site"
# What pages run, by the name that mkdocs.yml gives it; from npm, so that nobody else is asked.
SCRIPTS = {
    "assets/mermaid.js": HERE / "node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js",
    "assets/iframe-worker.js": HERE / "node_modules/iframe-worker/shim/index.js",
}
DOCS = ROOT / "docs"

made: dict[str, str] = {}
path_of: dict[str, str] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Take the navigation from docs/index.md."""
    django.setup()
    made.clear()
    made.update(reference.pages())
    config.nav = [{"Start": ["index.md"]}, *map(_section, _sections())]
    if not all(script.exists() for script in SCRIPTS.values()):
        do_without_scripts(config)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference, the files that pages link to, and the scripts."""
    written = sorted(DOCS.rglob("*.md"))
    path_of.clear()
    path_of.update({str(page.relative_to(DOCS)): str(page.relative_to(ROOT)) for page in written})
    for uri, text in made.items():
        files.append(File.generated(config, uri, content=text))
    for path, text in places.beside(written).items():
        path_of[places.page_of(path)] = path
        files.append(File.generated(config, places.page_of(path), content=text))
    for uri, script in {**SCRIPTS, "assets/site.css": HERE / "site.css"}.items():
        if script.exists():
            files.append(File.generated(config, uri, abs_src_path=str(script)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to the repository's files to the pages that show them."""
    path = path_of.get(page.file.src_uri)
    return places.moved(markdown, path=path) if path else markdown


def _sections() -> list[contents.Section]:
    return contents.sections((DOCS / "index.md").read_text())


def _section(section: contents.Section) -> dict[str, list[object]]:
    entries: list[object] = []
    for title, link in section.entries:
        uri = places.page_of(os.path.normpath(f"docs/{link}"))
        parts = reference.parts(uri)
        entries.append({title: [uri, *parts]} if parts else {title: uri})
    return {section.title: entries}


def do_without_scripts(config: MkDocsConfig) -> None:
    """Show diagrams as their source: Material would fetch what draws them from elsewhere.

    Search works then from a server, and not in pages that are opened as files.
    """
    config.extra_javascript = []
    config.extra["polyfills"] = []
    config.mdx_configs["pymdownx.superfences"] = {}
