"""The example app in examples/web, once it is built, beside the world of `make up`."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.world import World, bare_environment

HOST = "127.0.0.1"
PORT = 5173
PAGE = "/index.html"
# Where the app asks for the API's address when it starts: see examples/web/src/main.tsx.
CONFIG = "/config.json"


class WebApp:
    """Serves the files in `folder` at `origin`, on `port` or, where that is taken, any other."""

    def __init__(self, folder: Path, *, port: int = PORT) -> None:
        self._graphql_url = ""
        handler = _handler(folder, graphql_url=lambda: self._graphql_url)
        try:
            self._server = ThreadingHTTPServer((HOST, port), handler)
        except OSError:
            self._server = ThreadingHTTPServer((HOST, 0), handler)
        self.origin = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def serve(self, *, graphql_url: str) -> None:
        """Serve it, as an app on the API at this address."""
        self._graphql_url = graphql_url
        self._thread.start()

    def stop(self) -> None:
        """Stop serving. Safe to repeat."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


@contextmanager
def world_with_app(var_dir: Path) -> Iterator[tuple[World, WebApp]]:
    """A world of nobody yet, and the app that is built in `var_dir`, until the block ends."""
    app = WebApp(var_dir / "web", port=0)
    world = World(
        var_dir=var_dir,
        environment=bare_environment(),
        port=0,
        wallet_port=0,
        app_origin=app.origin,
    )
    try:
        world.start()
        app.serve(graphql_url=f"{world.base_url}/graphql")
        yield world, app
    finally:
        world.stop()
        app.stop()


def _handler(
    folder: Path, *, graphql_url: Callable[[], str]
) -> Callable[..., SimpleHTTPRequestHandler]:
    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == CONFIG:
                self._send_config()
                return
            # The app's own addresses, such as /jobs/…, are all its one page.
            self.path = path if (folder / path.lstrip("/")).is_file() else PAGE
            super().do_GET()

        def _send_config(self) -> None:
            body = json.dumps({"graphql": graphql_url()}).encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def end_headers(self) -> None:
            api = urlsplit(graphql_url()).netloc
            policy = f"default-src 'self'; connect-src 'self' http://{api} ws://{api}"
            self.send_header("Content-Security-Policy", f"{policy}; frame-ancestors 'none'")
            self.send_header("Cache-Control", "no-cache")
            super().end_headers()

        def log_message(self, *_: Any) -> None:
            """Nobody reads who has asked for what."""

    return Handler
