"""Every picture that is kept is shown on a page."""

from tests.docs import pages

BESIDE = [pages.ROOT / folder / "README.md" for folder in ("examples/web", "sandbox_wallet")]


def test_every_picture_is_shown_somewhere() -> None:
    shown = "".join(page.read_text() for page in (*pages.all_pages(), *BESIDE))

    kept = [path.name for path in (pages.DOCS / "images").iterdir()]
    assert [name for name in kept if f"images/{name}" not in shown] == []
