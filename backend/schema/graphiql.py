"""The GraphiQL page: built by `make graphiql` when it can be, from a CDN when it has not been.

The built page needs nothing but this server, so it works offline. Both pages carry their own
Content-Security-Policy, hold no inline script that is not named by its hash, and keep tabs in
the browser's session storage, because their headers contain bearer tokens.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

ASSETS_URL = "/graphiql/"
ASSETS_POLICY = "default-src 'self'; frame-ancestors 'none'"
# The page says the rest itself; this one part only counts in a header.
PAGE_POLICY = "frame-ancestors 'none'"

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One tab that GraphiQL opens with; it takes its title from the operation's name.

    `headers` go with queries and mutations as HTTP headers and with subscriptions as
    connection parameters. None leaves a pane empty.
    """

    query: str
    variables: Mapping[str, object] | None = None
    headers: Mapping[str, str] | None = None


def graphiql_page(
    *, graphql_url: str, subscription_url: str, assets_dir: Path, default_tabs: Sequence[Tab] = ()
) -> str:
    """Return the HTML of a GraphiQL that opens with `default_tabs`, ready to run.

    Both URLs may be absolute or paths on this host; an http(s) `subscription_url` is turned
    into ws(s) by the page. `assets_dir` is where `make graphiql` puts its bundle; without a
    bundle there, the page loads pinned and hashed files from a CDN.
    """
    tabs = [_tab_state(tab) for tab in default_tabs]
    config = {
        "graphqlUrl": graphql_url,
        "subscriptionUrl": subscription_url,
        "tabs": tabs,
        "seed": hashlib.sha256(json.dumps(tabs).encode()).hexdigest(),
    }
    connect = " ".join(["'self'", *_origins(graphql_url, subscription_url)])
    if (assets_dir / "graphiql.js").is_file():
        return _page(config, policy=f"{_OWN_POLICY}; connect-src {connect}", head=_OWN_HEAD)
    policy = f"{_CDN_POLICY}; connect-src {connect}"
    return _page(config, policy=policy, head=_CDN_HEAD, after=_CDN_SCRIPTS)


def asset(*, path: str, assets_dir: Path) -> tuple[str, bytes] | None:
    """Return the content type and the bytes of one file of the bundle.

    `path` is what follows ASSETS_URL. None means there is no such file, or none that may be
    served: anything outside `assets_dir`, links that lead out of it included.
    """
    if "\0" in path or (content_type := _CONTENT_TYPES.get(Path(path).suffix)) is None:
        return None
    root = assets_dir.resolve()
    file = (root / path).resolve()
    if not file.is_relative_to(root):
        return None
    try:
        return content_type, file.read_bytes()
    except OSError:  # not there, a folder, a name too long
        return None


def _tab_state(tab: Tab) -> dict[str, str | None]:
    return {
        "query": tab.query,
        "variables": _pane(tab.variables),
        "headers": _pane(tab.headers),
    }


def _pane(content: Mapping[str, object] | None) -> str | None:
    return None if content is None else json.dumps(dict(content), indent=2, ensure_ascii=False)


def _origins(*urls: str) -> list[str]:
    origins: set[str] = set()
    for url in map(urlsplit, urls):
        if url.netloc:
            # The page fetches http and opens ws on the same host, so both are named.
            secure = url.scheme in {"https", "wss"}
            schemes = ("https", "wss") if secure else ("http", "ws")
            origins.update(f"{scheme}://{url.netloc}" for scheme in schemes)
    return sorted(origins)


def _page(config: Mapping[str, object], *, policy: str, head: str, after: str = "") -> str:
    # Inside <script> only "<" can end the element; escaped, it is still the same JSON.
    data = json.dumps(config).replace("<", "\\u003c")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>GraphiQL · Faena</title>
<link rel="icon" href="data:,">
{head}
</head>
<body>
<div id="graphiql"><div class="graphiql-loading">Loading GraphiQL…</div></div>
<script type="application/json" id="graphiql-config">{data}</script>
{after}</body>
</html>
"""


_COMMON_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self' data:"

# Monaco and CodeMirror both write their measurements and themes into style elements.
_OWN_POLICY = (
    f"{_COMMON_POLICY}; script-src 'self'; worker-src 'self'; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'"
)
_OWN_HEAD = f"""<link rel="stylesheet" href="{ASSETS_URL}graphiql.css">
<script type="module" src="{ASSETS_URL}graphiql.js"></script>"""

_CDN = "https://unpkg.com"
_CDN_FILES = {
    "react@18.2.0/umd/react.production.min.js": (
        "sha384-tMH8h3BGESGckSAVGZ82T9n90ztNXxvdwvdM6UoR56cYcf+0iGXBliJ29D+wZ/x8"
    ),
    "react-dom@18.2.0/umd/react-dom.production.min.js": (
        "sha384-bm7MnzvK++ykSwVJ2tynSE5TRdN+xL418osEVF2DE/L/gfWHj91J2Sphe582B1Bh"
    ),
    "graphiql@3.8.3/graphiql.min.js": (
        "sha384-HbRVEFG0JGJZeAHCJ9Xm2+tpknBQ7QZmNlO/DgZtkZ0aJSypT96YYGRNod99l9Ie"
    ),
}
# The last release of GraphiQL that runs from two plain files. It does what
# tools/graphiql/src/main.jsx does for the built one.
_CDN_BOOT = """
const config = JSON.parse(document.getElementById("graphiql-config").textContent);
const root = document.getElementById("graphiql");
if (!window.GraphiQL || !window.ReactDOM) {
  root.textContent =
    "GraphiQL is not built and its CDN cannot be reached. Run `make graphiql` and reload.";
} else {
  if (sessionStorage.getItem("faena:seed") !== config.seed) {
    sessionStorage.clear();
    sessionStorage.setItem("faena:seed", config.seed);
  }
  const socket = new URL(config.subscriptionUrl, window.location.href);
  socket.protocol = socket.protocol.replace(/^http/, "ws");
  const fetcher = GraphiQL.createFetcher({
    url: config.graphqlUrl,
    subscriptionUrl: socket.href,
    enableIncrementalDelivery: false,
  });
  ReactDOM.createRoot(root).render(
    React.createElement(GraphiQL, {
      fetcher,
      defaultTabs: config.tabs.length ? config.tabs : undefined,
      defaultEditorToolsVisibility: "headers",
      shouldPersistHeaders: true,
      showPersistHeadersSettings: false,
      storage: sessionStorage,
      inputValueDeprecation: true,
      schemaDescription: true,
    }),
  );
}
"""
_CDN_BOOT_HASH = base64.b64encode(hashlib.sha256(_CDN_BOOT.encode()).digest()).decode()
_CDN_POLICY = (
    f"{_COMMON_POLICY}; script-src {_CDN}/ 'sha256-{_CDN_BOOT_HASH}'; font-src data:; "
    f"style-src {_CDN}/ 'unsafe-inline'"
)
_CDN_STYLE_INTEGRITY = "sha384-Mq3vbRBY71jfjQAt/DcjxUIYY33ksal4cgdRt9U/hNPvHBCaT2JfJ/PTRiPKf0aM"
_CDN_HEAD = f"""<link rel="stylesheet" href="{_CDN}/graphiql@3.8.3/graphiql.min.css"
 integrity="{_CDN_STYLE_INTEGRITY}" crossorigin>
<style>html, body, #graphiql {{ height: 100%; margin: 0; }}</style>"""
_CDN_SCRIPTS = "".join(
    f'<script src="{_CDN}/{name}" integrity="{integrity}" crossorigin></script>\n'
    for name, integrity in _CDN_FILES.items()
) + (f"<script>{_CDN_BOOT}</script>\n")
