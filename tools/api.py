"""A small GraphQL client: one operation with one root field at a time, over HTTP or a socket."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.sync.client import connect
from websockets.typing import Subprotocol

TIMEOUT_SECONDS = 20.0
# A stream that says nothing for so long will say nothing more.
SILENCE_SECONDS = 20.0
PROTOCOL = Subprotocol("graphql-transport-ws")


class Refused(Exception):
    """The API said no, with a code."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation that was carried out; `result` is what its root field gave."""

    document: str
    variables: dict[str, Any]
    result: Any
    seconds: float


class Api:
    """Faena's API as one person, or as a visitor when `token` is None.

    `watch` sees every call after it was answered.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        watch: Callable[[Call], None] | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        self._base_url = base_url
        self._token = token
        self._watch = watch
        self._http = http or httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)

    def as_user(self, token: str) -> "Api":
        """The same API, over the same connections, as the holder of `token`."""
        return Api(self._base_url, token=token, watch=self._watch, http=self._http)

    def silently(self) -> "Api":
        """The same API as the same person, with nobody watching."""
        return Api(self._base_url, token=self._token, http=self._http)

    def close(self) -> None:
        """Close the connections, which all that came of `as_user` share."""
        self._http.close()

    def run(self, document: str, **variables: Any) -> Any:
        """Carry out `document` and return what its one root field gave.

        Raises:
            Refused: with the first of the errors that came back.
            httpx.HTTPError: no answer.
        """
        started = time.perf_counter()
        answer = self._http.post(
            f"{self._base_url}/graphql",
            json={"query": document, "variables": variables},
            headers={"Authorization": f"Bearer {self._token}"} if self._token else {},
        ).json()
        result = _root(answer, document)
        if self._watch:
            seconds = time.perf_counter() - started
            self._watch(
                Call(document=document, variables=variables, result=result, seconds=seconds)
            )
        return result

    def subscribe(self, document: str, **variables: Any) -> Iterator[Any]:
        """Yield what the root field of a subscription gives, until it completes.

        Raises:
            Refused: with the first of the errors that came back.
            TimeoutError: nothing came for 20 seconds.
        """
        address = f"{self._base_url.replace('http', 'ws', 1)}/graphql"
        with connect(address, subprotocols=[PROTOCOL], proxy=None) as socket:

            def receive() -> dict[str, Any]:
                message: dict[str, Any] = json.loads(socket.recv(SILENCE_SECONDS))
                return message

            credentials = {"Authorization": f"Bearer {self._token}"}
            socket.send(json.dumps({"type": "connection_init", "payload": credentials}))
            receive()
            payload = {"query": document, "variables": variables}
            socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            while (message := receive())["type"] != "complete":
                if message["type"] == "error":
                    _root({"errors": message["payload"]}, document)
                if message["type"] == "next":
                    yield _root(message["payload"], document)


def _root(answer: dict[str, Any], document: str) -> Any:
    name = root_field(document)
    if errors := answer.get("errors"):
        raise Refused(name, errors[0].get("extensions", {}).get("code", ""), errors[0]["message"])
    result = answer["data"][name]
    if isinstance(result, dict) and (errors := result.get("errors")):
        raise Refused(name, errors[0]["code"], errors[0]["message"])
    return result


def root_field(document: str) -> str:
    """The name of the first field of `document`."""
    match = re.search(r"\{\s*(\w+)", document)
    assert match, document
    return match[1]
