"""The pictures of the back office, taken of a world of its own.

Each function below that `PICTURES` names says how one page is reached and how wide it is shown. To
add a page of the back office, add a function.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools import demo_story
from tools.api import Api
from tools.browser import Browser
from tools.demo_story import RETURN_URL, Story
from tools.screenshots.driving import IMAGES, NotWorthShowing, drive
from tools.world import OPERATOR, PASSWORD, World, bare_environment

WIDE, PHONE = 1100, 360

Visit = dict[str, Any]


def start_page() -> Visit:
    """What needs somebody, and the money of the last days."""
    return {"path": "/admin/", "width": WIDE, "height": 800}


def start_page_on_a_phone() -> Visit:
    """The same in somebody's hand."""
    return {"path": "/admin/", "width": PHONE, "height": 760}


def timeline() -> Visit:
    """A payment whose order nobody answered for."""
    end = ".bo-timeline li"
    return {"path": "/admin/", "follow": ".bo-list a", "see": end, "width": 1100, "height": 760}


PICTURES: dict[str, Callable[[], Visit]] = {
    "back-office.png": start_page,
    "back-office-phone.png": start_page_on_a_phone,
    "back-office-timeline.png": timeline,
}


def take() -> list[Path]:
    """Take them all anew.

    Raises:
        NotWorthShowing: a page had errors, or was wider than its window.
    """
    with _world() as world:
        report = _take(world)
    too_wide = [f"too wide: {each['url']}" for each in report["seen"] if each["overflow"] > 0]
    if report["errors"] or too_wide:
        raise NotWorthShowing([*report["errors"], *too_wide])
    return [IMAGES / name for name in PICTURES]


@contextmanager
def _world() -> Iterator[World]:
    """A world in which people were paid, and one payment hangs."""
    with tempfile.TemporaryDirectory(prefix="faena-screenshots-") as folder:
        environment = {**bare_environment(), "OPERATORS_NEED_SECOND_FACTOR": "1"}
        world = World(var_dir=Path(folder), environment=environment, port=0, wallet_port=0)
        try:
            world.start()
            visitor = Api(world.base_url).silently()
            demo_story.play(world, Story(), visitor=visitor, say=lambda *_: None, approve=_approve)
            world.trigger("payment.unknown")
            yield world
        finally:
            world.stop()


def _approve(address: str) -> None:
    browser = Browser()
    try:
        browser.press(browser.open(address), "approve", stop_before=RETURN_URL)
    finally:
        browser.close()


def _take(world: World) -> dict[str, Any]:
    visits = [{**visit(), "png": str(IMAGES / name)} for name, visit in PICTURES.items()]
    return drive(
        "back_office.mjs",
        base=world.base_url,
        email=OPERATOR.email,
        password=PASSWORD,
        visits=visits,
    )
