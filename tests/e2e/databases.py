"""A database of one's own for each marketplace: created, read by the verdict, removed."""

import sqlite3
import uuid
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg


class Database(ABC):
    """Where one marketplace keeps its rows; `url` is its DATABASE_URL."""

    url: str

    @abstractmethod
    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a read-only question gives."""

    @abstractmethod
    def change(self, *statements: str) -> None:
        """Carry these out, as a newer release's migration would."""

    @abstractmethod
    def remove(self) -> None:
        """Leave nothing behind."""


class SQLite(Database):
    """A file in a folder that somebody else removes."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "faena.sqlite3"
        self.url = f"sqlite:///{self._file}"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._file, timeout=20)) as connection:
            return connection.execute(sql).fetchall()

    def change(self, *statements: str) -> None:
        with closing(sqlite3.connect(self._file, timeout=20)) as connection, connection:
            for each in statements:
                connection.execute(each)

    def remove(self) -> None:
        self._file.unlink(missing_ok=True)


class PostgreSQL(Database):
    """A fresh database on the server that `server_url` points to."""

    def __init__(self, server_url: str) -> None:
        parts = urlsplit(server_url)
        self._name = f"faena_e2e_{uuid.uuid4().hex[:12]}"
        self._server = urlunsplit(parts._replace(scheme="postgresql", path="/postgres"))
        self.url = urlunsplit(parts._replace(path=f"/{self._name}"))
        self._own = urlunsplit(parts._replace(scheme="postgresql", path=f"/{self._name}"))
        self._on_server(f'CREATE DATABASE "{self._name}"')

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._own, autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()

    def change(self, *statements: str) -> None:
        with psycopg.connect(self._own) as connection:
            for each in statements:
                connection.execute(each.encode())

    def remove(self) -> None:
        self._on_server(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')

    def _on_server(self, sql: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(sql.encode())
