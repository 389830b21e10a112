import base64
import hashlib
import json
import re
from html import unescape
from pathlib import Path

import pytest

from backend.schema.graphiql import Tab, asset, graphiql_page

TAB = Tab(
    query="query Viewer { viewer { id } }",
    variables={"jobId": "1"},
    headers={"Authorization": "Bearer t0ken"},
)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder like the one `make graphiql` fills."""
    folder = tmp_path / "graphiql"
    (folder / "chunks").mkdir(parents=True)
    (folder / "graphiql.js").write_text("run()")
    (folder / "chunks" / "a.js").write_text("part()")
    (folder / "chunks" / "secret.key").write_text("no")
    (tmp_path / "outside.js").write_text("no")
    (folder / "link.js").symlink_to(tmp_path / "outside.js")
    return folder


def page(assets_dir: Path, *, url: str = "/graphql", tabs: tuple[Tab, ...] = (TAB,)) -> str:
    return graphiql_page(
        graphql_url=url, subscription_url=url, assets_dir=assets_dir, default_tabs=tabs
    )


def config_of(html: str) -> dict[str, object]:
    found = re.search(r'id="graphiql-config">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    config: dict[str, object] = json.loads(found[1])
    return config


def policy_of(html: str) -> dict[str, str]:
    found = re.search(r'Content-Security-Policy" content="(.*?)"', html)
    assert found is not None
    directives = (part.strip().partition(" ") for part in unescape(found[1]).split(";"))
    return {name: value for name, _, value in directives}


def test_a_built_page_loads_nothing_from_another_host(bundle: Path) -> None:
    html = page(bundle)

    assert "://" not in html
    assert '<script type="module" src="/graphiql/graphiql.js">' in html
    assert policy_of(html)["script-src"] == "'self'"
    assert policy_of(html)["connect-src"] == "'self'"


def test_tabs_carry_query_variables_and_headers_as_the_panes_show_them(bundle: Path) -> None:
    bare = Tab(query="{ __typename }")

    config = config_of(page(bundle, tabs=(TAB, bare)))

    assert config["tabs"] == [
        {
            "query": TAB.query,
            "variables": '{\n  "jobId": "1"\n}',
            "headers": '{\n  "Authorization": "Bearer t0ken"\n}',
        },
        {"query": "{ __typename }", "variables": None, "headers": None},
    ]


def test_a_tab_cannot_end_the_script_element_that_holds_it(bundle: Path) -> None:
    hostile = "# </script><script>alert(1)</script><!--"

    html = page(bundle, tabs=(Tab(query=hostile),))

    assert "alert(1)</script>" not in html
    assert "<!--" not in html
    assert config_of(html)["tabs"] == [{"query": hostile, "variables": None, "headers": None}]


def test_other_tabs_are_another_seed_so_that_old_ones_do_not_hide_them(bundle: Path) -> None:
    same = config_of(page(bundle))["seed"] == config_of(page(bundle))["seed"]
    other = config_of(page(bundle, tabs=()))["seed"] != config_of(page(bundle))["seed"]

    assert same
    assert other


def test_servers_on_another_host_may_be_reached_over_http_and_sockets(bundle: Path) -> None:
    html = graphiql_page(
        graphql_url="https://api.example/graphql",
        subscription_url="ws://127.0.0.1:8001/graphql",
        assets_dir=bundle,
    )

    assert policy_of(html)["connect-src"].split() == [
        "'self'",
        "http://127.0.0.1:8001",
        "https://api.example",
        "ws://127.0.0.1:8001",
        "wss://api.example",
    ]


def test_without_a_bundle_every_file_of_the_cdn_is_pinned_by_its_hash(tmp_path: Path) -> None:
    html = page(tmp_path)

    remote = re.findall(r"<(?:script|link)[^>]*https://[^>]*>", html)
    assert len(remote) == 4
    assert all(re.search(r'integrity="sha384-[\w+/]{64}"', element) for element in remote)
    assert all("crossorigin" in element and re.search(r"@\d", element) for element in remote)


def test_without_a_bundle_the_only_inline_script_is_the_one_the_policy_names(
    tmp_path: Path,
) -> None:
    html = page(tmp_path)

    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy_of(html)["script-src"]
    assert "unsafe-inline" not in policy_of(html)["script-src"]


def test_an_asset_comes_with_its_content_type(bundle: Path) -> None:
    assert asset(path="graphiql.js", assets_dir=bundle) == (
        "text/javascript; charset=utf-8",
        b"run()",
    )
    assert asset(path="chunks/a.js", assets_dir=bundle) is not None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "missing.js",
        "chunks",
        "chunks/secret.key",
        "../outside.js",
        "chunks/../../outside.js",
        "link.js",
        "graphiql.js\0.js",
        "x" * 5000 + ".js",
    ],
)
def test_nothing_but_the_files_of_the_bundle_is_an_asset(bundle: Path, path: str) -> None:
    assert asset(path=path, assets_dir=bundle) is None
    assert asset(path=str(bundle.parent / "outside.js"), assets_dir=bundle) is None


def test_without_a_bundle_there_are_no_assets(tmp_path: Path) -> None:
    assert asset(path="graphiql.js", assets_dir=tmp_path / "never-built") is None
