"""The example app in Chromium: two people, from signing up to being paid, and their own wallets."""

import json
import subprocess
from typing import Any

import httpx
import pytest

from tests.conformance.conftest import HERE, WEB, run_package
from tools.web import world_with_app

WAIT_SECONDS = 150


@pytest.fixture(scope="module")
def seen(node: str, browser: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What web_app.mjs saw, and how the marketplace judged the receipt that it was given."""
    var_dir = tmp_path_factory.mktemp("web")
    build = ("build", "--logLevel", "error", "--outDir", str(var_dir / "web"))
    run_package(node, "vite/bin/vite.js", *build, folder=WEB)
    with world_with_app(var_dir) as (world, app):
        wallets = world.sandbox["wallets"]
        arguments = {
            "url": app.origin,
            "executable": browser,
            "wallets": {
                "ana": wallets["alice"]["walletAddress"],
                "beto": wallets["pobre"]["walletAddress"],
            },
        }
        done = subprocess.run(
            [node, "web_app.mjs", json.dumps(arguments)],
            cwd=HERE,
            check=False,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        seen = json.loads(done.stdout)
        jws = seen["receipt"].partition(",")[2]
        verify = f"{world.base_url}/receipts/verify"
        return {**seen, "verdict": httpx.post(verify, content=jws, trust_env=False).json()}


def test_its_types_fit_those_of_the_client(node: str) -> None:
    run_package(node, "typescript/bin/tsc", folder=WEB)


def test_nothing_fails_on_the_way(seen: Any) -> None:
    assert seen["errors"] == []
    assert seen["badAmount"] == "Write a sum such as 12.50."


def test_the_cost_is_shown_before_the_wallet_is_asked_and_the_wallet_leads_back(seen: Any) -> None:
    assert "Beto\t12.50\u00a0USD\t12.50\u00a0USD" in seen["cost"]
    assert seen["returned"]


def test_what_the_other_one_does_is_seen_without_loading_a_page(seen: Any) -> None:
    assert seen["untouched"] == [True, True]
    happened = [each.splitlines()[-1] for each in seen["feed"]]
    assert happened[0] == "Pago: Pagado"
    assert {"Postulación: Elegida", "Trabajo: En marcha", "Entrega: Aceptado"} <= set(happened)


def test_the_worker_gets_a_receipt_that_is_genuine(seen: Any) -> None:
    assert seen["verdict"]["valid"] is True


def test_axe_finds_nothing_on_any_view_and_none_is_wider_than_a_phone(seen: Any) -> None:
    assert seen["views"] >= 15
    assert seen["unfit"] == []
    assert seen["wide"] == []


def test_the_keyboard_meets_the_way_to_the_content_first_and_sees_where_it_is(seen: Any) -> None:
    assert seen["stops"][0]["name"] == "Saltar al contenido"
    assert all(stop["visible"] for stop in seen["stops"])
