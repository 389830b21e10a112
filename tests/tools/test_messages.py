"""What the catalogues are checked for; `make check` runs the same check on the real ones."""

from pathlib import Path

import pytest

from tools import messages
from tools.untranslatable import untranslatable

SAYING = """
from django.utils.translation import gettext_lazy as _
from backend.errors import NotFound

def find(name):
    raise NotFound(_("There is no {name}."), name=name)
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A backend that says one thing, and says it in Spanish too."""
    source = tmp_path / "backend"
    source.mkdir()
    (source / "errors.py").write_text("class FaenaError(Exception): ...\n")
    (source / "finding.py").write_text(SAYING)
    messages.update(source / "es" / "LC_MESSAGES", "es", messages.extracted(source))
    translate(source, "No existe {name}.")
    return source


def translate(house: Path, text: str) -> None:
    po = house / "es" / "LC_MESSAGES" / "django.po"
    head, _, _ = po.read_text(encoding="utf-8").rpartition('msgstr "')
    po.write_text(f'{head}msgstr "{text}"\n\n', encoding="utf-8")
    (po.parent / "django.mo").write_bytes(messages.compiled(po.parent))


def problems(house: Path) -> list[str]:
    return messages.problems_of(house / "es" / "LC_MESSAGES", messages.extracted(house))


def test_a_translated_and_compiled_catalogue_is_fine(house: Path) -> None:
    assert problems(house) == []


def test_updating_changes_nothing_that_is_up_to_date(house: Path) -> None:
    folder = house / "es" / "LC_MESSAGES"
    before = [path.read_bytes() for path in sorted(folder.iterdir())]

    messages.update(folder, "es", messages.extracted(house))

    assert [path.read_bytes() for path in sorted(folder.iterdir())] == before


def test_a_text_without_a_translation_is_named(house: Path) -> None:
    translate(house, "")

    assert problems(house) == ["es/django.po: not translated: 'There is no {name}.'"]


@pytest.mark.parametrize("text", ["No existe {nombre}.", "No existe.", "No existe {name."])
def test_other_names_in_braces_are_refused(house: Path, text: str) -> None:
    (problem,) = problems_after(house, text)

    assert "braces" in problem


def problems_after(house: Path, text: str) -> list[str]:
    translate(house, text)
    return problems(house)


def test_a_text_that_is_new_and_one_that_is_gone_are_named(house: Path) -> None:
    (house / "finding.py").write_text(SAYING.replace("There is no", "There was no"))

    new, gone = problems(house)

    assert "not in the catalogue" in new
    assert "no longer said" in gone


def test_a_catalogue_that_is_not_compiled_is_refused(house: Path) -> None:
    (house / "es" / "LC_MESSAGES" / "django.mo").write_bytes(b"old")

    assert problems(house) == [
        "es/django.po: django.mo is not django.po compiled, run `make messages`"
    ]


def test_templates_are_read_too(house: Path) -> None:
    (house / "page.html").write_text('{% load i18n %}<p>{% translate "Come back." %}</p>')

    assert "Come back." in messages.extracted(house)


WRITTEN = """
from backend import errors
from backend.errors import FaenaError, NotFound
from django.utils.translation import gettext_lazy as _

class NotFound(FaenaError): ...
class Missing(NotFound):
    def __init__(self, name):
        super().__init__({text}, name=name)

raise {raised}
"""


@pytest.mark.parametrize(
    "raised",
    [
        'NotFound(f"There is no {name}.")',
        'NotFound("There is nothing.")',
        'NotFound(_(f"There is no {name}."))',
        'NotFound("There is no " + name)',
        'NotFound("There is no {}".format(name))',
        'NotFound(_("Nothing.") if name else "Something.")',
        'Missing("There is nothing.")',
        'errors.FaenaError(f"{name}!")',
    ],
)
def test_a_sentence_that_cannot_be_translated_is_found(house: Path, raised: str) -> None:
    text = '_("There is no {name}.")'
    written = WRITTEN.replace("{text}", text).replace("{raised}", raised)
    (house / "finding.py").write_text(written)

    (found,) = untranslatable(house)

    assert found.startswith("backend/finding.py:11")


@pytest.mark.parametrize(
    "raised",
    [
        'NotFound(_("There is no {name}."), name=name)',
        "NotFound(sentence)",
        "Missing(name)",
        'LookupError(f"There is no {name}.")',
        'other.NotFound("There is nothing.")',
    ],
)
def test_other_sentences_are_left_alone(house: Path, raised: str) -> None:
    written = WRITTEN.replace("{text}", '_("There is no {name}.")').replace("{raised}", raised)
    (house / "finding.py").write_text(written)

    assert untranslatable(house) == []


def test_a_bare_text_in_an_initialiser_is_found(house: Path) -> None:
    written = WRITTEN.replace("{text}", 'f"There is no {name}."').replace("{raised}", "Missing(1)")
    (house / "finding.py").write_text(written)

    assert len(untranslatable(house)) == 1
