"""A client that uploads and downloads, as docs/uploads.md tells it to."""

import hashlib
from dataclasses import dataclass
from typing import Any, Self

import httpx

from backend.accounts.models import User
from tests.schema.world import bearer

FILE = "file { id status name mediaType size downloadUrl }"
UPLOAD = (
    f"{FILE} parts {{ number offset size url headers {{ name value }} }} partSize expiresAt"
    " errors { code message path }"
)
REQUEST = f"mutation ($input: UploadInput!) {{ requestUpload(input: $input) {{ {UPLOAD} }} }}"
RESUME = f"mutation ($input: FileIdInput!) {{ resumeUpload(input: $input) {{ {UPLOAD} }} }}"
COMPLETE = (
    "mutation ($input: FileIdInput!)"
    f" {{ completeUpload(input: $input) {{ {FILE} errors {{ code message path }} }} }}"
)


def declaration(content: bytes, **changes: Any) -> dict[str, Any]:
    """What a client says about `content`."""
    truth = {
        "name": "notes.txt",
        "mediaType": "text/plain",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return {**truth, **changes}


def text_of(size: int) -> bytes:
    """Text of `size` bytes, different in every line."""
    line = b"%012d says the line\n"
    return b"".join(line % number for number in range(size // 27 + 1))[:size]


@dataclass(frozen=True)
class Client:
    """One person's app."""

    graphql: str
    authorization: str

    @classmethod
    def of(cls, graphql: str, user: User) -> Self:
        return cls(graphql, bearer(user))

    def ask(self, query: str, **inputs: Any) -> dict[str, Any]:
        answer = httpx.post(
            self.graphql,
            json={"query": query, "variables": {"input": inputs}},
            headers={"Authorization": self.authorization},
            timeout=60,
        )
        assert "errors" not in answer.json(), answer.text
        payload: dict[str, Any]
        (payload,) = answer.json()["data"].values()
        return payload

    def request(self, content: bytes, **changes: Any) -> dict[str, Any]:
        return self.ask(REQUEST, **declaration(content, **changes))

    def resume(self, file_id: str) -> dict[str, Any]:
        return self.ask(RESUME, fileId=file_id)

    def complete(self, file_id: str) -> dict[str, Any]:
        return self.ask(COMPLETE, fileId=file_id)

    def upload(self, content: bytes, **changes: Any) -> dict[str, Any]:
        """The whole sequence; what completeUpload answered."""
        upload = self.request(content, **changes)
        assert upload["errors"] == []
        for part in upload["parts"]:
            assert put(part, content).is_success
        return self.complete(upload["file"]["id"])


def put(part: dict[str, Any], content: bytes) -> httpx.Response:
    """PUT a part of `content`."""
    return httpx.put(
        part["url"],
        content=content[part["offset"] : part["offset"] + part["size"]],
        headers={header["name"]: header["value"] for header in part["headers"]},
        timeout=60,
    )
