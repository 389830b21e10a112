"""The official signature package behind a pipe: one Node process that answers line by line."""

import json
import select
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from backend.open_payments import Ed25519Signer

ANSWER_SECONDS = 30


class OfficialSignatures:
    """Signs and verifies as `@interledger/http-signature-utils` does; close it after use."""

    def __init__(self, node: str) -> None:
        self._process = subprocess.Popen(
            [node, "signatures.mjs"],
            cwd=Path(__file__).parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=ANSWER_SECONDS)

    def sign(
        self,
        *,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        signer: Ed25519Signer,
    ) -> dict[str, str]:
        """Return the headers that the official client would send, `headers` included."""
        answer = self._ask(
            {
                "sign": _request(method, url, headers, body),
                "pem": signer.to_pem(),
                "keyId": signer.key_id,
            }
        )
        return {**headers, **answer["headers"]}

    def accepts(
        self,
        *,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        jwk: Mapping[str, object],
        as_rafiki: bool,
    ) -> bool:
        """Tell whether a wallet lets the request in.

        With `as_rafiki` the digest is checked as Rafiki checks it: over the parsed body,
        written again by JSON.stringify.
        """
        lower = {name.lower(): value for name, value in headers.items()}
        question = {
            "verify": _request(method, url, lower, body),
            "jwk": dict(jwk),
            "asRafiki": as_rafiki,
        }
        return self._ask(question)["accepted"] is True

    def _ask(self, question: Mapping[str, object]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], ANSWER_SECONDS)
        assert ready, "Node does not answer"
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer


def _request(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> dict[str, object]:
    request: dict[str, object] = {"method": method, "url": url, "headers": dict(headers)}
    if body is not None:
        request["body"] = body.decode()
    return request
