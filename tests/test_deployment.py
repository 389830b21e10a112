"""Dockerfile, compose file and Procfile say the same, and only what Faena knows."""

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from honcho.environ import parse_procfile
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tests.test_checks import example
from tools.make_rafiki import make_rafiki
from tools.make_secrets import make_secrets

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROCFILE = parse_procfile((ROOT / "Procfile").read_text()).processes
OURS = ("web", "worker", "beat", "migrate")
# Those that other images read, and the one that says where everybody listens.
FOREIGN = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE"}
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="its package is installed on Linux only")


def with_defaults(text: str) -> str:
    """A text of the compose file with its variables as they are where nobody sets them."""
    return re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", text)


@pytest.mark.parametrize(
    ("service", "line"),
    [("web", "web"), ("worker", "worker"), ("beat", "beat"), ("migrate", "release")],
)
def test_a_service_runs_the_line_of_the_procfile(service: str, line: str) -> None:
    assert SERVICES[service]["command"] == PROCFILE[line]


def test_the_image_runs_the_server_unless_it_is_told_otherwise() -> None:
    (command,) = re.findall(r"^CMD \[(.+)\]$", DOCKERFILE, flags=re.MULTILINE)

    assert command.replace('"', "").replace(",", "") == PROCFILE["web"].replace(
        "${PORT:-8000}", "8000"
    )


def test_compose_sets_only_names_that_the_example_explains() -> None:
    # Those behind blanks are read by programs of others.
    explained = set(
        re.findall(r"^(?:#|#   )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )
    named = {name for each in SERVICES.values() for name in each.get("environment", {})}
    of_image = set(re.findall(r"([A-Z_]+)=\S+", DOCKERFILE)) & {"VAR_DIR", "STATIC_ROOT"}

    assert {name.removesuffix("_FILE") for name in named - FOREIGN} | of_image <= explained


def test_the_sandbox_environment_names_only_what_the_example_explains() -> None:
    text = (ROOT / ".env.example").read_text()
    names = re.findall(r"^([A-Z_]+)=", (ROOT / "sandbox.env").read_text(), flags=re.MULTILINE)

    assert {"DEBUG", "OP_DEV_ORIGINS"} <= set(names)
    for name in names:
        assert re.search(rf"^#?{name.removesuffix('_FILE')}=", text, flags=re.MULTILINE), name


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client", "scheme"),
    [
        pytest.param("10.217.63.1", "203.0.113.9", "203.0.113.9", "https", id="the proxy"),
        pytest.param(
            "10.217.63.1", "198.51.100.6, 203.0.113.9", "203.0.113.9", "https", id="a lie before it"
        ),
        pytest.param("203.0.113.9", "198.51.100.6", "203.0.113.9", "http", id="no proxy"),
    ],
)
async def test_visitors_have_the_address_that_the_proxy_of_compose_says(
    peer: str, forwarded_for: str, client: str, scheme: str
) -> None:
    seen: list[tuple[str, str]] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["client"][0], scope["scheme"]))

    trusted = SERVICES["web"]["environment"]["FORWARDED_ALLOW_IPS"]
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]
    headers = [(b"x-forwarded-for", forwarded_for.encode()), (b"x-forwarded-proto", b"https")]
    scope: Any = {"type": "http", "client": (peer, 1), "scheme": "http", "headers": headers}
    app: Any = ProxyHeadersMiddleware(note, with_defaults(trusted))
    await app(scope, None, None)

    assert seen == [(client, scheme)]
    assert trusted == f"${{FORWARDED_ALLOW_IPS:-{network['subnet']}}}"
    assert SERVICES["web"]["environment"]["BEHIND_PROXY"] == "1"


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_write_or_become_root(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", OURS)
def test_our_services_have_half_a_minute_to_stop_and_wait_for_what_they_need(name: str) -> None:
    service = SERVICES[name]

    assert service["stop_grace_period"] == "30s"
    needs = {name: each["condition"] for name, each in service["depends_on"].items()}
    assert needs == (
        {"postgres": "service_healthy"}
        if name == "migrate"
        else {"migrate": "service_completed_successfully", "redis": "service_healthy"}
    )


def test_every_secret_is_a_file_that_make_secrets_makes(tmp_path: Path) -> None:
    made = make_secrets(tmp_path / "secrets")

    files = {each["file"] for each in COMPOSE["secrets"].values()}
    assert files == {f"./secrets/{name}" for name in made}
    assert "faena" in (tmp_path / "secrets" / "database_url").read_text()
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert make_secrets(tmp_path / "secrets") == []


@pytest.fixture
def _private_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_private_umask")
def test_the_user_in_the_container_reads_every_secret_whatever_the_umask(tmp_path: Path) -> None:
    make_secrets(tmp_path / "secrets")
    make_rafiki(tmp_path / "rafiki", now=datetime.now(UTC))

    files = [each for name in ("secrets", "rafiki") for each in (tmp_path / name).iterdir()]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o444}


@LINUX
def test_compose_is_what_the_compose_specification_allows() -> None:
    from compose_spec import PyCompose

    # It knows neither variables nor merged keys, which compose resolves first.
    interpolated = yaml.safe_dump(yaml.safe_load(with_defaults(COMPOSE_TEXT)))

    assert sorted(PyCompose.from_yaml(interpolated).service_names()) == sorted(SERVICES)
    with pytest.raises(ValueError, match="read_onyl"):
        PyCompose.from_yaml(interpolated.replace("read_only", "read_onyl"))


@LINUX
def test_hadolint_has_nothing_to_say_about_the_dockerfile() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"

    done = subprocess.run(
        [hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the Dockerfile copies, after the commands it runs there."""
    folder = tmp_path_factory.mktemp("image") / "app"
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, flags=re.MULTILINE):
        *sources, target = line.split()
        if target.startswith("requirements"):
            continue
        for source in sources:
            place = folder / target if (ROOT / source).is_dir() else folder / source
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                folder.mkdir(exist_ok=True)
                shutil.copy(ROOT / source, place)
    _in_image(folder, "manage.py", "collectstatic", "--noinput", DEBUG="1")
    return folder


def _in_image(folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "VAR_DIR": str(folder.parent / "var"),
            "STATIC_ROOT": str(folder / "static"),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_the_image_has_is_enough_to_start(image: Path) -> None:
    assert (image / "static" / "admin").is_dir()
    before = sorted(image.rglob("*"))

    said = _in_image(
        image, "-c", "import backend.asgi, sandbox_wallet.app; print('started')", **example()
    )

    assert said == "started\n"
    assert sorted(image.rglob("*")) == before, "it wrote outside of VAR_DIR"


def test_docker_is_shown_what_the_image_copies_and_no_secret() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split("\n")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE)

    shown = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert shown == {source for line in copied for source in line.split()}
