"""What we send, and what our samples answer, against the OpenAPI files of the official package."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from backend.open_payments import Operation
from tests.open_payments.test_operations import ASK_WHO, EVERY, NAMES, PAY_QUOTE_URL

SPECIFICATIONS = (
    Path(__file__).parent.parent
    / "conformance/node_modules/@interledger/open-payments/dist/openapi/specs"
)
PATHS = {
    "get-wallet-address": ("wallet-address-server", "/"),
    "get-keys": ("wallet-address-server", "/jwks.json"),
    "request-grant": ("auth-server", "/"),
    "continue-grant": ("auth-server", "/continue/{id}"),
    "cancel-grant": ("auth-server", "/continue/{id}"),
    "rotate-token": ("auth-server", "/token/{id}"),
    "revoke-token": ("auth-server", "/token/{id}"),
    "create-incoming-payment": ("resource-server", "/incoming-payments"),
    "list-incoming-payments": ("resource-server", "/incoming-payments"),
    "get-incoming-payment": ("resource-server", "/incoming-payments/{id}"),
    "get-public-incoming-payment": ("resource-server", "/incoming-payments/{id}"),
    "complete-incoming-payment": ("resource-server", "/incoming-payments/{id}/complete"),
    "create-quote": ("resource-server", "/quotes"),
    "get-quote": ("resource-server", "/quotes/{id}"),
    "create-outgoing-payment": ("resource-server", "/outgoing-payments"),
    "list-outgoing-payments": ("resource-server", "/outgoing-payments"),
    "get-outgoing-payment": ("resource-server", "/outgoing-payments/{id}"),
    "get-spent-amounts": ("resource-server", "/outgoing-payment-grant"),
}
# Published by wallets but served by none of them.
NOT_IMPLEMENTED = {("wallet-address-server", "/did.json", "get")}


@cache
def specification(name: str) -> Mapping[str, Any]:
    path = SPECIFICATIONS / f"{name}.yaml"
    assert path.is_file(), "The official package is not installed: run `make node` first."
    document: Mapping[str, Any] = yaml.safe_load(path.read_text())
    return document


def endpoint(operation: Operation[Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    server, path = PATHS[operation.name]
    document = specification(server)
    return document, document["paths"][path][operation.method.lower()]


def merged(document: Mapping[str, Any], schema: Any) -> Any:
    """Merge what stands beside a `$ref` into its target, as the official client's parser does.

    Plain JSON Schema would apply an `additionalProperties: false` there to every property.
    """
    if isinstance(schema, list):
        return [merged(document, each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema and len(schema) > 1:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        target: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return {**target, **beside}
    return {key: merged(document, value) for key, value in schema.items()}


def validate(document: Mapping[str, Any], content: Mapping[str, Any], value: object) -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": document["components"],
        **merged(document, content["content"]["application/json"]["schema"]),
    }
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(value)


@pytest.mark.parametrize(
    "operation",
    [each[0] for each in EVERY if each[0].body] + [PAY_QUOTE_URL, ASK_WHO],
    ids=lambda operation: operation.name,
)
def test_every_body_we_send_is_valid(operation: Operation[Any]) -> None:
    document, described = endpoint(operation)

    assert operation.body is not None
    validate(document, described["requestBody"], json.loads(operation.body))


@pytest.mark.parametrize("each", EVERY, ids=NAMES)
def test_every_sample_answer_is_valid(each: tuple[Any, ...]) -> None:
    operation, sample, status = each[0], each[5], each[6]
    document, described = endpoint(operation)
    response = described["responses"][str(status)]

    if status != 204:
        validate(document, response, sample)


@pytest.mark.parametrize("operation", [each[0] for each in EVERY], ids=NAMES)
def test_the_expected_status_is_the_documented_one(operation: Operation[Any]) -> None:
    _, described = endpoint(operation)

    successes = [status for status in described["responses"] if status.startswith("2")]
    assert successes == [str(operation.expected_status)]


def test_every_operation_of_the_specification_exists() -> None:
    methods = {"get", "post", "put", "patch", "delete"}
    specified = {
        (server, path, method)
        for server in ("wallet-address-server", "auth-server", "resource-server")
        for path, item in specification(server)["paths"].items()
        for method in methods & item.keys()
    }

    built = {(*PATHS[each[0].name], each[0].method.lower()) for each in EVERY}

    assert specified - built == NOT_IMPLEMENTED
    assert built <= specified
