"""`make messages`: what Faena says to people, and how it says it in the other languages.

Extracts every translatable text of the backend, merges it into backend/locale/<language>/ and
compiles what is translated there. Texts that are left to translate are printed. With `--check`
nothing is written: it fails unless all is as this tool would leave it, and translated.

Babel does it, so that no gettext tools are needed; the compiled catalogues are committed, so that
a deployment needs neither. Merging two branches: take either side of both files, then run this.
"""

import argparse
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from tools.processes import ROOT
from tools.untranslatable import untranslatable

SOURCE = ROOT / "backend"
LANGUAGES = ("es",)
# Names under which gettext is called; the numbers say which arguments are texts.
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    # The protocol library's, which cannot mark its sentences: it knows no Django.
    "InvalidWalletAddress": None,
}
FOR_TRANSLATORS = ("Translators:",)

# A plural has several forms.
_Text = str | tuple[str, ...] | list[str] | None


def main() -> int:
    """Update the catalogues, or with `--check` say what is wrong with them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on any problem")
    checking: bool = parser.parse_args().check
    messages = extracted(SOURCE)
    problems = [*untranslatable(SOURCE)] if checking else []
    for language in LANGUAGES:
        folder = SOURCE / "locale" / language / "LC_MESSAGES"
        if checking:
            problems += problems_of(folder, messages)
        else:
            update(folder, language, messages)
            problems += untranslated(folder)
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems and checking else 0


def extracted(source: Path) -> Catalog:
    """Every translatable text of the Python modules and templates below `source`."""
    catalog = Catalog()
    for path in sorted([*source.rglob("*.py"), *source.rglob("*.html"), *source.rglob("*.txt")]):
        code = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            code = templatize(code)
        found = extract(
            "python", BytesIO(code.encode()), keywords=KEYWORDS, comment_tags=FOR_TRANSLATORS
        )
        for _line, text, comments, context in found:
            catalog.add(text, auto_comments=comments, context=context)
    return catalog


def update(folder: Path, language: str, messages: Catalog) -> None:
    """Write the catalogue in `folder` anew: translations are kept, what is gone is dropped."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "django.po").exists():
        _write(folder, Catalog(language, project="Faena", version="1", fuzzy=False))
    catalog = _read(folder)
    # What changes without a change of texts would only make merges harder.
    messages.creation_date = catalog.creation_date
    catalog.update(messages, no_fuzzy_matching=True)
    _write(folder, catalog)
    (folder / "django.mo").write_bytes(compiled(folder))


def compiled(folder: Path) -> bytes:
    """What the compiled catalogue of django.po has to be; the same bytes every time."""
    mo = BytesIO()
    write_mo(mo, _read(folder))
    return mo.getvalue()


def untranslated(folder: Path) -> list[str]:
    """The texts that django.po has no translation for, each as a line to read."""
    return [
        f"{_place(folder)}: not translated: {message.id!r}"
        for message in _messages(_read(folder))
        if not all(_forms(message.string)) or message.fuzzy
    ]


def problems_of(folder: Path, messages: Catalog) -> list[str]:
    """All that keeps the catalogue in `folder` from being complete, sound and compiled."""
    catalog = _read(folder)
    wanted = {(message.context, message.id): message for message in _messages(messages)}
    kept = {(message.context, message.id): message for message in _messages(catalog)}
    problems = [
        *(f"not in the catalogue, run `make messages`: {key[1]!r}" for key in wanted.keys() - kept),
        *(f"no longer said, run `make messages`: {key[1]!r}" for key in kept.keys() - wanted),
        *(
            f"other names in braces than {sorted(names_in(message.id))}: {message.string!r}"
            for message in kept.values()
            if all(_forms(message.string)) and names_in(message.id) != names_in(message.string)
        ),
    ]
    if (folder / "django.mo").read_bytes() != compiled(folder):
        problems.append("django.mo is not django.po compiled, run `make messages`")
    return [*(f"{_place(folder)}: {problem}" for problem in problems), *untranslated(folder)]


def names_in(text: _Text) -> set[str]:
    """The names in braces of all forms of a text; what is wrong with braces is a name too."""
    names: set[str] = set()
    for form in _forms(text):
        try:
            names |= {name for _, name, _, _ in Formatter().parse(form) if name is not None}
        except ValueError as error:
            names.add(f"({error})")
    return names


def _forms(text: _Text) -> tuple[str, ...]:
    return (text or "",) if isinstance(text, str | None) else tuple(text)


def _messages(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def _read(folder: Path) -> Catalog:
    with (folder / "django.po").open("rb") as po:
        catalog = read_po(po, locale=folder.parent.name, ignore_obsolete=True)
    # Babel writes placeholders there.
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
    return catalog


def _write(folder: Path, catalog: Catalog) -> None:
    with (folder / "django.po").open("wb") as po:
        write_po(po, catalog, width=100, no_location=True, sort_output=True, ignore_obsolete=True)


def _place(folder: Path) -> str:
    return f"{folder.parent.name}/django.po"


if __name__ == "__main__":
    sys.exit(main())
