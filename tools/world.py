"""A whole world on this machine: a sandbox wallet with money in it, Faena, and people."""

import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.api import Api, Refused
from tools.processes import ROOT, Child

HOST = "127.0.0.1"
# Where the development servers of most web frameworks run: they may call the API, and people
# may be sent back to them after consent.
FRONTENDS = "http://localhost:3000 http://localhost:5173"
# The same for everybody and every world, which lives on the loopback interface only.
PASSWORD = "only on this machine"  # noqa: S105
SELLER = "shop"

VIEWER = "{ viewer { wallets { address isDefault } } }"
SIGN_UP = """
mutation ($input: SignUpInput!) {
  signUp(input: $input) { token user { displayName } errors { code message } }
}"""
LOG_IN = """
mutation ($input: LogInInput!) {
  logIn(input: $input) { token user { displayName } errors { code message } }
}"""
ADD_WALLET = """
mutation ($input: AddWalletInput!) {
  addWallet(input: $input) { wallet { address assetCode assetScale } errors { code message } }
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Somebody every world has: `wallet` is the name of a sandbox wallet."""

    name: str
    wallet: str
    staff: bool = False

    @property
    def email(self) -> str:
        return f"{self.name}@faena.example"


FUNDER = Role(name="funder", wallet="alice")
WORKER = Role(name="worker", wallet="pobre")
SECOND_WORKER = Role(name="worker-mx", wallet="carmen")
OPERATOR = Role(name="operator", wallet="treasury", staff=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is signed up, with a token and a default wallet."""

    email: str
    token: str
    wallet_address: str


class World:
    """The sandbox wallet and Faena as two processes, with all their files in `var_dir`.

    A port is taken as wished, or another one when somebody else has it; 0 wishes for any. What is
    in `environment` already, such as DATABASE_URL, is left as it is. `app_origin` is where an app
    of its own is served; others are let in beside it.
    """

    def __init__(
        self,
        *,
        var_dir: Path,
        environment: Mapping[str, str],
        port: int,
        wallet_port: int,
        app_origin: str = "",
    ) -> None:
        self.sandbox: dict[str, Any] = {}
        self.base_url = ""
        self.children: dict[str, Child] = {}
        self._var_dir = var_dir
        self._environment = dict(environment)
        self._port, self._wallet_port = port, wallet_port
        self._frontends = " ".join(dict.fromkeys([*FRONTENDS.split(), *app_origin.split()]))

    @classmethod
    def already_running(
        cls, *, base_url: str, wallet_url: str, environment: Mapping[str, str]
    ) -> "World":
        """The world of processes that somebody else has started and will stop.

        `wallet_url` is a sandbox wallet's; `environment` is that of Faena's processes.
        """
        world = cls(var_dir=ROOT / "var", environment=environment, port=0, wallet_port=0)
        names = [role.wallet for role in (FUNDER, WORKER, SECOND_WORKER, OPERATOR)]
        world.base_url = base_url
        world.sandbox = {
            "wallets": {name: {"walletAddress": f"{wallet_url}/{name}"} for name in names},
            "control": f"{wallet_url}/__ctl",
        }
        return world

    @property
    def environment(self) -> dict[str, str]:
        """That of commands which belong to this world."""
        # The server took its own address for granted; here it has to be said.
        here = {"PUBLIC_URL": self.base_url, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
        return {**here, **self._environment}

    def start(self) -> None:
        """Start both and wait until they are ready.

        Raises:
            NotStarted: one of them was not; `stop` ends the other.
        """
        self._var_dir.mkdir(parents=True, exist_ok=True)
        wallet = self._child(
            "wallet", "sandbox_wallet", self._wallet_port, "--db", str(self._var_dir / "wallet.db")
        )
        self.sandbox = wallet.ready()
        self._environment = self._server_environment()
        server = self._child("server", "backend.embedded", self._port)
        self.base_url = server.ready()["base"]

    def stop(self) -> None:
        """End what runs, Faena first. Safe to repeat."""
        for name in ("server", "wallet"):
            if child := self.children.get(name):
                child.stop()

    def person(
        self, role: Role, *, api: Api, known_token: str | None = None, quiet: bool = False
    ) -> Person:
        """Find or make this person, with their wallet as the default one. Safe to repeat.

        `known_token` may be a token from an earlier run, or None. `quiet`: nobody watches.
        """
        api = api.silently() if quiet else api
        token = known_token if known_token and self._is_theirs(api, known_token) else None
        token = token or self._log_in(role, api) or self._sign_up(role, api)
        mine = api.as_user(token)
        address = self.sandbox["wallets"][role.wallet]["walletAddress"]
        wallets = mine.run(VIEWER)["wallets"]
        if not any(wallet["address"] == address and wallet["isDefault"] for wallet in wallets):
            mine.run(ADD_WALLET, input={"address": address, "makeDefault": True})
        return Person(email=role.email, token=token, wallet_address=address)

    def make_superuser(self, role: Role) -> None:
        """Make an operator, in the way that production does."""
        self._manage("createsuperuser", "--noinput", "--email", role.email)

    def fill(self) -> None:
        """Fill it with people and jobs in every status. Safe to repeat."""
        wallets = self.sandbox["wallets"]
        self._manage(
            "sandbox_seed",
            *("--owner-wallet", wallets[FUNDER.wallet]["walletAddress"]),
            *("--worker-wallet", wallets[WORKER.wallet]["walletAddress"]),
            *("--password", PASSWORD),
        )

    def examine(self) -> list[dict[str, str]]:
        """What `manage.py op_doctor` finds; see docs/op-doctor.md."""
        try:
            found: list[dict[str, str]] = json.loads(self._run("op_doctor", "--json"))["findings"]
        except (ValueError, subprocess.TimeoutExpired):
            cure = "Run manage.py op_doctor to see why."
            broke = {"check": "op_doctor", "level": "problem", "message": "It broke.", "cure": cure}
            return [broke]
        return found

    def trigger(self, event: str) -> None:
        """Make one of the events of `manage.py trigger` happen."""
        self._manage("trigger", event, "--control", self.sandbox["control"])

    def _manage(self, *arguments: str) -> None:
        self._run(*arguments, check=True)

    def _run(self, *arguments: str, check: bool = False) -> str:
        return subprocess.run(  # noqa: S603 - the command is ours
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            timeout=60,
            check=check,
            text=True,
        ).stdout

    def _child(self, name: str, module: str, port: int, *arguments: str) -> Child:
        child = Child(
            module,
            "--port",
            str(port if _is_free(port) else 0),
            *arguments,
            environment=self._environment,
            log_path=self._var_dir / "log" / f"{name}.log",
        )
        self.children[name] = child
        return child

    def _server_environment(self) -> dict[str, str]:
        client = self.sandbox["clients"]["platform"]
        defaults = {
            "DEBUG": "1",
            "VAR_DIR": str(self._var_dir),
            "OP_CLIENT_WALLET_ADDRESS": client["walletAddress"],
            "OP_CLIENT_KEY_ID": client["keyId"],
            "OP_CLIENT_PRIVATE_KEY_FILE": client["privateKeyPath"],
            "OP_DEV_ORIGINS": self.sandbox["base"],
            "SELLER_WALLET_ADDRESS_URL": self.sandbox["wallets"][SELLER]["walletAddress"],
            "TREASURY_WALLET_ADDRESS_URL": self.sandbox["wallets"][OPERATOR.wallet][
                "walletAddress"
            ],
            "RETURN_URLS": self._frontends,
            "CORS_ORIGINS": self._frontends,
        }
        return {**defaults, **self._environment, "REDIS_PREFIX": self._redis_prefix()}

    def _redis_prefix(self) -> str:
        # Worlds of several folders on one Redis neither wake nor count each other's people.
        folder = hashlib.sha256(str(self._var_dir.resolve()).encode()).hexdigest()[:10]
        return f"{self._environment.get('REDIS_PREFIX', 'faena')}:{folder}"

    def _is_theirs(self, api: Api, token: str) -> bool:
        try:
            return api.as_user(token).run(VIEWER) is not None
        except Refused:
            return False

    def _log_in(self, role: Role, api: Api) -> str | None:
        credentials = {"email": role.email, "password": PASSWORD}
        try:
            token: str = api.run(LOG_IN, input=credentials)["token"]
        except Refused as error:
            if error.code != "BAD_CREDENTIALS":
                raise
            return None
        return token

    def _sign_up(self, role: Role, api: Api) -> str:
        if role.staff:
            self.make_superuser(role)
            token = self._log_in(role, api)
            assert token, f"{role.email} exists with another password"
            return token
        newcomer = {
            "email": role.email,
            "password": PASSWORD,
            "displayName": role.name.capitalize(),
        }
        signed_up: str = api.run(SIGN_UP, input=newcomer)["token"]
        return signed_up


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True


def bare_environment() -> dict[str, str]:
    """What a process needs of ours to run at all, and nothing that Faena would read."""
    names = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "LOG_LEVEL")
    return {name: os.environ[name] for name in names if name in os.environ}
