"""docker-compose.rafiki.yml says what Rafiki reads, and takes nothing that is Faena's."""

import re
import socket
import ssl
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.open_payments import normalise_wallet_address
from backend.outbound.transport import tls_context
from tests.test_deployment import COMPOSE, LINUX
from tools.make_rafiki import make_rafiki

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.rafiki.yml").read_text()
RAFIKI: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = RAFIKI["services"]
THEIRS = {name: each for name, each in SERVICES.items() if name.startswith("rafiki-")}
NAMES: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "names.yml").read_text())
ENVIRONMENT = dict(
    re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / "ops/rafiki/faena.env").read_text(), flags=re.MULTILINE)
)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    make_rafiki(tmp_path / "rafiki", now=datetime.now(UTC))
    return tmp_path / "rafiki"


def names_of(service: dict[str, Any], made: Path) -> set[str]:
    file = made / Path(service["env_file"]).name
    return set(service["environment"]) | set(
        re.findall(r"^(\w+)=.", file.read_text(), re.MULTILINE)
    )


@pytest.mark.parametrize("program", NAMES)
def test_rafiki_knows_every_name_and_has_all_that_it_needs(program: str, made: Path) -> None:
    named = names_of(SERVICES[f"rafiki-{program}"], made) - {"NODE_EXTRA_CA_CERTS"}

    assert named <= set(NAMES[program]["names"])
    assert set(NAMES[program]["without_default"]) <= named


def test_rafiki_runs_only_where_its_profile_is_asked_for() -> None:
    assert {name for name, each in THEIRS.items() if each["profiles"] != ["rafiki"]} == set()
    assert set(SERVICES) - set(THEIRS) <= set(COMPOSE["services"])


def test_no_port_is_open_to_others_or_taken_twice() -> None:
    ports = [
        port
        for services in (COMPOSE["services"], SERVICES)
        for each in services.values()
        for port in each.get("ports", [])
    ]
    hosts = [re.sub(r"\$\{PORT:-(\d+)\}", r"\1", port).rsplit(":", 1)[0] for port in ports]

    assert {host.split(":")[0] for host in hosts} == {"127.0.0.1"}
    assert len(set(hosts)) == len(hosts)


def test_every_secret_is_a_file_that_is_made_and_none_is_in_the_repository(made: Path) -> None:
    files = {Path(each["file"]) for each in RAFIKI["secrets"].values()}
    files |= {Path(each["env_file"]) for each in THEIRS.values() if "env_file" in each}

    assert {file.name for file in files} == {file.name for file in made.iterdir()}
    assert {str(file.parent) for file in files} == {"secrets/rafiki"}
    written = {name for each in THEIRS.values() for name in each.get("environment", {})}
    assert not {name for name in written if re.search("SECRET|PASSWORD|COOKIE|DATABASE", name)}


def test_images_and_their_version_are_asked_for_and_no_registry_is_named() -> None:
    for name in ("rafiki-auth", "rafiki-backend"):
        assert re.fullmatch(
            r"\$\{RAFIKI_\w+_IMAGE:\?[^}]+\}:\$\{RAFIKI_VERSION:\?[^}]+\}", SERVICES[name]["image"]
        )
    for each in THEIRS.values():
        assert "/" not in re.sub(r"\$\{[^}]+\}", "", each["image"])


@pytest.mark.parametrize("name", THEIRS)
def test_no_service_of_rafiki_may_become_more_than_it_is(name: str) -> None:
    assert THEIRS[name]["cap_drop"] == ["ALL"]
    assert THEIRS[name]["security_opt"] == ["no-new-privileges:true"]


@LINUX
def test_both_files_together_are_what_the_compose_specification_allows() -> None:
    from compose_spec import PyCompose

    text = re.sub(r"\$\{\w+:\?[^}]+\}", "image", TEXT)
    alone = yaml.safe_load(text)
    for name in set(SERVICES) - set(THEIRS):
        alone["services"][name]["image"] = "faena"

    assert set(PyCompose.from_yaml(yaml.safe_dump(alone)).service_names()) == set(SERVICES)


def test_the_platforms_key_is_the_one_the_seed_publishes() -> None:
    accounts = yaml.safe_load((ROOT / "ops/rafiki/seed.yml").read_text())["accounts"]
    ids = {f"https://rafiki.localhost:8443/{each['path']}": each["id"] for each in accounts}

    assert (
        ENVIRONMENT["OP_CLIENT_KEY_ID"] == f"keyid-{ids[ENVIRONMENT['OP_CLIENT_WALLET_ADDRESS']]}"
    )
    origins = frozenset(ENVIRONMENT["OP_DEV_ORIGINS"].split(","))
    for url in ids:
        assert normalise_wallet_address(url, origins) == url


def test_the_environment_names_only_what_is_explained_or_asked_for() -> None:
    explained = set(
        re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    )

    assert set(ENVIRONMENT) <= explained | set(re.findall(r"\$\{(\w+):\?", TEXT))


@pytest.mark.parametrize("host", ["rafiki.localhost", "auth.rafiki.localhost"])
def test_faena_trusts_the_proxy_with_the_authority_and_not_without(made: Path, host: str) -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(made / "certificate", made / "certificate_key")

    assert handshake(served, tls_context(str(made / "ca")), host) == "trusted"
    assert handshake(served, tls_context(None), host) == "refused"


def handshake(served: ssl.SSLContext, called: ssl.SSLContext, host: str) -> str:
    here, there = socket.socketpair()
    here.settimeout(10)
    there.settimeout(10)

    def serve() -> None:
        try:
            served.wrap_socket(there, server_side=True).close()
        except (ssl.SSLError, OSError):
            there.close()

    server = threading.Thread(target=serve)
    server.start()
    try:
        called.wrap_socket(here, server_hostname=host).close()
        return "trusted"
    except ssl.SSLCertVerificationError:
        return "refused"
    finally:
        here.close()
        server.join(timeout=10)
