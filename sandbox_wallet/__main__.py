"""`python -m sandbox_wallet`: a whole Open Payments wallet in one command."""

import argparse
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from backend.open_payments.keys import Ed25519Signer
from sandbox_wallet.app import App
from sandbox_wallet.bank import CONTROL
from sandbox_wallet.options import Options
from sandbox_wallet.seed import PLATFORM, PLATFORM_KEY_ID
from sandbox_wallet.world import World


def main() -> None:
    """Serve until SIGTERM or SIGINT; say where once requests are welcome."""
    arguments = _arguments()
    listener = socket.create_server((arguments.host, arguments.port), backlog=512)
    port = listener.getsockname()[1]
    base_url = arguments.public_url or f"http://{arguments.host}:{port}"
    key_path = Path(f"{arguments.db}.platform.pem").absolute()
    options = Options().changed({"client_origins": tuple(arguments.client_origin)})
    world = World(
        db=arguments.db, base_url=base_url, options=options, platform_key=_client_key(key_path)
    )
    app = App(world)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    says = lines_for_people if arguments.for_people else ready_line
    server = _Server(config, app, says(world, key_path))
    server.run(sockets=[listener])
    world.close()


def ready_line(world: World, key_path: Path) -> str:
    """Return the line that tells a parent process where everything is."""
    wallets = {
        wallet.name: {
            "walletAddress": wallet.url,
            "assetCode": wallet.asset.code,
            "assetScale": wallet.asset.scale,
        }
        for wallet in world.bank.wallets()
        if wallet.name != PLATFORM
    }
    platform = world.platform
    client = {
        "walletAddress": platform.wallet_address,
        "keyId": platform.key_id,
        "privateKeyPath": str(key_path),
    }
    return json.dumps(
        {
            "base": world.base_url,
            "wallets": wallets,
            "clients": {PLATFORM: client},
            "control": f"{world.base_url}{CONTROL}",
        }
    )


def lines_for_people(world: World, key_path: Path) -> str:
    """Return the same as somebody reads it in a terminal."""
    platform = world.platform
    return "\n".join(
        [
            f"The sandbox wallet runs at {world.base_url}/",
            *(
                f"  {wallet.name:<9} {wallet.asset.code:<4} {wallet.url}"
                for wallet in world.bank.wallets()
                if wallet.name != PLATFORM
            ),
            f"  The client {platform.wallet_address} has the key {platform.key_id}:",
            f"  {key_path}",
            "Stop it with Ctrl-C.",
        ]
    )


class _Server(uvicorn.Server):
    """A server that speaks up when it is ready, and lets waiting clients go when it stops."""

    def __init__(self, config: uvicorn.Config, app: App, line: str) -> None:
        super().__init__(config)
        self._app, self._line = app, line

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.stopping.set()
        await super().shutdown(sockets=sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        sys.stdout.write(f"{self._line}\n")
        sys.stdout.flush()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own would raise the signal again after the shutdown: we end with status 0.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield


def _client_key(path: Path) -> Ed25519Signer:
    """Load the client key beside the database, or make one that only its owner may read."""
    if path.exists():
        return Ed25519Signer.from_pem(path.read_text(), PLATFORM_KEY_ID)
    signer = Ed25519Signer.generate(PLATFORM_KEY_ID)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(signer.to_pem())
    return signer


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sandbox_wallet", description=__doc__)
    parser.add_argument("--port", type=int, default=8100, help="0 takes any free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--db", required=True, help="the file that keeps the state")
    parser.add_argument("--public-url", help="the origin clients use, behind a proxy")
    parser.add_argument(
        "--client-origin",
        action="append",
        default=[],
        help="an origin whose client wallet addresses may be fetched; repeatable",
    )
    parser.add_argument(
        "--for-people", action="store_true", help="say in lines what is otherwise one of JSON"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
