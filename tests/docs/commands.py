"""What is wrong with a command that a page tells people to type, without running it.

`make` knows the target, manage.py takes the options, a module and its options are there, a file
exists, an address is one of ours. What the command does is for the tests of what it runs.
"""

import argparse
import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from django.apps import apps
from django.core.management import CommandError, get_commands, load_command_class
from django.urls import Resolver404, resolve

from tests.docs import pages

# Programs of others that pages may use; what they do there is plain to see.
OTHERS = frozenset(
    {
        "base64",
        "cat",
        "cd",
        "cp",
        "createdb",
        "curl",
        "docker",
        "echo",
        "git",
        "head",
        "honcho",
        "openssl",
        "pg_dump",
        "pg_restore",
    }
    | {"sha256sum", "stat", "tail", "tr"}
)
SERVERS = {"uvicorn": "backend.asgi:application", "celery": "celery_app"}
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
ASSIGNMENT = re.compile(r"^([A-Z][A-Z0-9_]*)=(.*)$", re.DOTALL)
TABLES = re.compile(r"\b(?:ON|TABLE) (?!(?:ALL|TABLES|SEQUENCES)\b)(\w+(?:, \w+)*)")
OPTION = re.compile(r"^--?[a-z][\w-]*")
# Behind three blanks, or two and a sign, pages say what the line does.
ASIDE = re.compile(r"\s{3,}\S.*$|\s+#\s.*$")


def lines_of(block: str) -> Iterator[str]:
    """The commands of a block: continued lines joined, remarks and what is printed left out."""
    for line in block.replace("\\\n", " ").splitlines():
        command = ASIDE.sub("", line).strip()
        if command and not command.startswith(("#", "{", "→", "… ")):
            yield command


def flaws(line: str, *, in_a_sentence: bool = False) -> list[str]:
    """Everything that is wrong with a line; a pipe is judged part by part.

    In a sentence, and where `…` leaves something out, arguments are words for themselves and only
    names are judged: of the program, the command and its options.
    """
    loose = in_a_sentence or "…" in line
    parts: list[list[str]] = [[]]
    for word in shlex.split(line, comments=True):
        if word in {"|", "&&", ";"}:
            parts.append([])
        else:
            parts[-1].append(word)
    return [flaw for words in parts for flaw in _flaws(words, loose=loose)]


def flaws_of_sql(text: str) -> list[str]:
    """The tables it names that are not there."""
    there = {model._meta.db_table for model in apps.get_models()}
    named = [name for part in TABLES.findall(text) for name in part.replace(" ", "").split(",")]
    return [f"there is no table {name}" for name in named if name not in there]


def _flaws(words: list[str], *, loose: bool) -> Iterator[str]:
    while words and (found := ASSIGNMENT.match(words[0])):
        if found[1] not in _names_that_are_read():
            yield f"nothing reads {found[1]}"
        words = words[1:]
    if not words:
        return
    program, *arguments = words
    if program == "make":
        yield from _flaws_of_make(arguments)
    elif program in {"python", "python3"} or program.endswith("/python"):
        yield from _flaws_of_python(arguments, loose=loose)
    elif program in SERVERS:
        if SERVERS[program] not in arguments:
            yield f"{program} without {SERVERS[program]}"
    elif program == "curl":
        yield from _flaws_of_addresses(arguments)
    elif program not in OTHERS and not (pages.ROOT / program).is_file():
        yield f"unknown program {program}"


def _flaws_of_make(arguments: list[str]) -> Iterator[str]:
    targets = TARGET.findall((pages.ROOT / "Makefile").read_text())
    for word in arguments:
        if not ASSIGNMENT.match(word) and word not in targets:
            yield f"make has no target {word}"


def _flaws_of_python(arguments: list[str], *, loose: bool) -> Iterator[str]:
    first, *rest = arguments
    if first == "manage.py":
        yield from _flaws_of_manage(*rest, loose=loose)
    elif first == "-c":
        compile(rest[0], "a page", "exec")
    elif first == "-m" and rest[0] == "pytest":
        for word in rest[1:]:
            if "/" in word and not (pages.ROOT / word.partition("::")[0]).exists():
                yield f"there is no {word}"
    elif first == "-m":
        yield from _flaws_of_module(*rest)
    else:
        yield f"python {first}"


def _flaws_of_manage(name: str, *arguments: str, loose: bool) -> Iterator[str]:
    if name not in get_commands():
        yield f"manage.py has no {name}"
        return
    application = get_commands()[name]
    parser = load_command_class(application, name).create_parser("manage.py", name)
    if loose:
        options = [word for word in arguments if OPTION.match(word)]
        yield from (f"{name} has no {each}" for each in options if each not in parser.format_help())
        return
    try:
        parser.parse_args(arguments)
    except (CommandError, SystemExit, argparse.ArgumentError) as error:
        yield f"manage.py {name}: {error}"


def _flaws_of_module(name: str, *arguments: str) -> Iterator[str]:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        yield f"there is no module {name}"
        return
    if not Path(found.origin).is_relative_to(pages.ROOT):
        return
    folder = Path(found.origin)
    files = folder.parent.glob("*.py") if folder.name == "__init__.py" else [folder]
    source = "".join(file.read_text() for file in files)
    for word in arguments:
        option = OPTION.match(word)
        if option and f'"{option[0]}"' not in source:
            yield f"{name} has no {option[0]}"


def _flaws_of_addresses(arguments: list[str]) -> Iterator[str]:
    for word in arguments:
        if word.startswith(("http://", "https://")):
            path = urlsplit(word).path
            try:
                resolve(path)
            except Resolver404:
                if path != "/graphql":
                    yield f"nothing answers at {path}"


@cache
def _names_that_are_read() -> frozenset[str]:
    example = (pages.ROOT / ".env.example").read_text()
    tests = "".join(file.read_text() for file in (pages.ROOT / "tests").rglob("*.py"))
    read = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))
    return frozenset(read | set(re.findall(r"\"([A-Z][A-Z0-9_]{3,})\"", tests)))
