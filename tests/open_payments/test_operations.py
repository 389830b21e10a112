"""What every operation sends, and which answers it refuses although they are well formed."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from backend.open_payments import (
    Amount,
    Answer,
    Interact,
    InvalidValue,
    IssuedGrant,
    Limits,
    MismatchedResponse,
    Operation,
    PendingContinuation,
    PendingGrant,
    Quote,
    UnexpectedResponse,
    incoming_payment_access,
    operations,
    outgoing_payment_access,
    quote_access,
)
from tests.open_payments.samples import (
    ACME,
    ALICE,
    AUTH_SERVER,
    BANK_SERVER,
    BOB,
    CONTINUE_URI,
    EUR_25,
    FINISH_URI,
    MANAGE_URL,
    NOON,
    OUTGOING_URL,
    QUOTE_URL,
    RECEIVER,
    REDIRECT,
    RESOURCE_SERVER,
    SIGNER,
    USD_25,
    USD_26,
    access_token,
    amount,
    answer,
    continuation,
    incoming_payment,
    incoming_payment_with_methods,
    issued_grant,
    outgoing_access,
    outgoing_payment,
    page,
    pending_grant,
    quote,
    subject_grant,
    wallet_address,
)

TOKEN = "OS9M2PMHKUR64TB8N6BW"
INTERACT = Interact(finish_uri=FINISH_URI, client_nonce="LKLTI25DK82FX4T4QFZC")
PAY = outgoing_payment_access(
    identifier=ALICE, limits=Limits(receiver=RECEIVER, debit_amount=USD_26)
)
RECEIVE = incoming_payment_access(identifier=BOB)
THE_QUOTE = Quote.from_json(quote())
AT_BANK: dict[str, Any] = {"resource_server": BANK_SERVER, "token": TOKEN, "wallet_address": BOB}
AT_WALLET: dict[str, Any] = {
    "resource_server": RESOURCE_SERVER,
    "token": TOKEN,
    "wallet_address": ALICE,
}

ASK_TO_PAY = operations.request_grant(
    auth_server=AUTH_SERVER, client=ACME, access=[PAY], interact=INTERACT
)
ASK_TO_RECEIVE = operations.request_grant(auth_server=AUTH_SERVER, client=ACME, access=[RECEIVE])
ASK_WHO = operations.request_grant(
    auth_server=AUTH_SERVER, client=ACME, subject=ALICE, interact=INTERACT
)
CONTINUE = operations.continue_grant(
    uri=CONTINUE_URI, token=TOKEN, interact_ref="ad82597c", requested=[PAY]
)
CREATE_INCOMING = operations.create_incoming_payment(**AT_BANK, incoming_amount=USD_25)
QUOTE_RECEIVER = operations.create_quote(**AT_WALLET, receiver=RECEIVER)
QUOTE_DEBIT = operations.create_quote(**AT_WALLET, receiver=RECEIVER, debit_amount=USD_26)
QUOTE_RECEIVE = operations.create_quote(**AT_WALLET, receiver=RECEIVER, receive_amount=EUR_25)
PAY_QUOTE = operations.create_outgoing_payment(**AT_WALLET, quote=THE_QUOTE)
PAY_QUOTE_URL = operations.create_outgoing_payment(**AT_WALLET, quote=QUOTE_URL)
PAY_TO = operations.create_outgoing_payment_to(
    **AT_WALLET, incoming_payment=RECEIVER, debit_amount=USD_26
)
LIST_INCOMING = operations.list_incoming_payments(**AT_BANK, first=10)
LIST_OUTGOING = operations.list_outgoing_payments(**AT_WALLET, first=10)

# Operation, method, URL, token, repeatable, a good answer and its status.
EVERY: list[tuple[Operation[Any], str, str, bool, bool, object, int]] = [
    (operations.get_wallet_address(url=ALICE), "GET", ALICE, False, True, wallet_address(), 200),
    (
        operations.get_keys(wallet_address=ALICE),
        "GET",
        f"{ALICE}/jwks.json",
        False,
        True,
        {"keys": [SIGNER.public_jwk().to_json()]},
        200,
    ),
    (ASK_TO_PAY, "POST", AUTH_SERVER, False, True, pending_grant(), 200),
    (
        ASK_TO_RECEIVE,
        "POST",
        AUTH_SERVER,
        False,
        True,
        issued_grant([RECEIVE.to_json()]),
        200,
    ),
    (ASK_WHO, "POST", AUTH_SERVER, False, True, pending_grant(), 200),
    (CONTINUE, "POST", CONTINUE_URI, True, False, issued_grant(), 200),
    (
        operations.cancel_grant(uri=CONTINUE_URI, token=TOKEN),
        "DELETE",
        CONTINUE_URI,
        True,
        True,
        None,
        204,
    ),
    (
        operations.rotate_token(manage_url=MANAGE_URL, token=TOKEN, requested=[PAY]),
        "POST",
        MANAGE_URL,
        True,
        False,
        {"access_token": access_token()},
        200,
    ),
    (
        operations.revoke_token(manage_url=MANAGE_URL, token=TOKEN),
        "DELETE",
        MANAGE_URL,
        True,
        True,
        None,
        204,
    ),
    (
        CREATE_INCOMING,
        "POST",
        f"{BANK_SERVER}/incoming-payments",
        True,
        True,
        incoming_payment_with_methods(),
        201,
    ),
    (
        operations.get_incoming_payment(url=RECEIVER, token=TOKEN),
        "GET",
        RECEIVER,
        True,
        True,
        incoming_payment_with_methods(),
        200,
    ),
    (
        operations.get_public_incoming_payment(url=RECEIVER),
        "GET",
        RECEIVER,
        False,
        True,
        {"receivedAmount": amount(0), "authServer": "https://auth.bank.example"},
        200,
    ),
    (
        LIST_INCOMING,
        "GET",
        f"{BANK_SERVER}/incoming-payments?first=10&wallet-address=https%3A%2F%2Fbank.example%2Fbob",
        True,
        True,
        page([incoming_payment()], startCursor="a", endCursor="b"),
        200,
    ),
    (
        operations.complete_incoming_payment(url=RECEIVER, token=TOKEN),
        "POST",
        f"{RECEIVER}/complete",
        True,
        True,
        incoming_payment(completed=True),
        200,
    ),
    (QUOTE_RECEIVER, "POST", f"{RESOURCE_SERVER}/quotes", True, True, quote(), 201),
    (QUOTE_DEBIT, "POST", f"{RESOURCE_SERVER}/quotes", True, True, quote(), 201),
    (QUOTE_RECEIVE, "POST", f"{RESOURCE_SERVER}/quotes", True, True, quote(), 201),
    (
        operations.get_quote(url=QUOTE_URL, token=TOKEN),
        "GET",
        QUOTE_URL,
        True,
        True,
        quote(),
        200,
    ),
    (
        PAY_QUOTE,
        "POST",
        f"{RESOURCE_SERVER}/outgoing-payments",
        True,
        False,
        outgoing_payment(grantSpentDebitAmount=amount(0)),
        201,
    ),
    (
        PAY_TO,
        "POST",
        f"{RESOURCE_SERVER}/outgoing-payments",
        True,
        False,
        outgoing_payment(),
        201,
    ),
    (
        operations.get_outgoing_payment(url=OUTGOING_URL, token=TOKEN),
        "GET",
        OUTGOING_URL,
        True,
        True,
        outgoing_payment(),
        200,
    ),
    (
        LIST_OUTGOING,
        "GET",
        f"{RESOURCE_SERVER}/outgoing-payments?first=10"
        "&wallet-address=https%3A%2F%2Fwallet.example%2Falice",
        True,
        True,
        page([outgoing_payment()]),
        200,
    ),
    (
        operations.get_spent_amounts(resource_server=RESOURCE_SERVER, token=TOKEN),
        "GET",
        f"{RESOURCE_SERVER}/outgoing-payment-grant",
        True,
        True,
        {"spentDebitAmount": amount(5), "spentReceiveAmount": None},
        200,
    ),
]
NAMES = [each[0].name for each in EVERY]


@pytest.mark.parametrize(
    ("operation", "method", "url", "with_token", "repeatable", "document", "status"),
    EVERY,
    ids=NAMES,
)
def test_every_operation_is_what_the_specification_says(
    operation: Operation[Any],
    method: str,
    url: str,
    with_token: bool,
    repeatable: bool,
    document: object,
    status: int,
) -> None:
    assert (operation.method, operation.url) == (method, url)
    assert operation.token == (TOKEN if with_token else None)
    assert operation.signed is (with_token or method == "POST")
    assert operation.repeatable is repeatable
    assert (operation.body is not None) <= (method == "POST")
    operation.parse(answer(document, status=status))


@pytest.mark.parametrize("operation", [each[0] for each in EVERY], ids=NAMES)
@pytest.mark.parametrize("body", [b"", b"OK", b"[]", b"{}", b"null", b'{"id":1}', b"\xff"])
def test_every_operation_calls_a_wrong_body_unexpected(
    operation: Operation[Any], body: bytes
) -> None:
    if operation.expected_status == 204:
        return

    with pytest.raises(UnexpectedResponse):
        operation.parse(answer(body=body, status=operation.expected_status))


def body_of(operation: Operation[Any]) -> Any:
    assert operation.body is not None
    return json.loads(operation.body)


def test_a_grant_request_has_the_documented_body() -> None:
    assert ASK_TO_PAY.body == (
        b'{"access_token":{"access":[{"type":"outgoing-payment",'
        b'"actions":["create","read","list"],"identifier":"https://wallet.example/alice",'
        b'"limits":{"receiver":"https://bank.example/t1/incoming-payments/1111",'
        b'"debitAmount":{"value":"2600","assetCode":"USD","assetScale":2}}}]},'
        b'"client":{"walletAddress":"https://platform.example/acme"},'
        b'"interact":{"start":["redirect"],"finish":{"method":"redirect",'
        b'"uri":"https://platform.example/op/finish/9f2c","nonce":"LKLTI25DK82FX4T4QFZC"}}}'
    )


def test_a_subject_grant_request_asks_for_no_token() -> None:
    body = body_of(ASK_WHO)

    assert body["subject"] == {"sub_ids": [{"id": ALICE, "format": "uri"}]}
    assert "access_token" not in body


def test_a_client_may_be_only_a_key() -> None:
    operation = operations.request_grant(
        auth_server=AUTH_SERVER, client=SIGNER.public_jwk(), access=[quote_access()]
    )

    assert body_of(operation)["client"] == {"jwk": SIGNER.public_jwk().to_json()}


@pytest.mark.parametrize(
    "arguments",
    [
        {"client": ACME},
        {"client": ACME, "subject": ALICE},
        {"client": ACME, "access": [PAY]},
        {"client": SIGNER.public_jwk(), "access": [RECEIVE], "interact": INTERACT},
        {"client": "acme", "access": [RECEIVE]},
    ],
)
def test_a_grant_request_that_must_fail_is_not_built(arguments: Any) -> None:
    with pytest.raises(InvalidValue):
        operations.request_grant(auth_server=AUTH_SERVER, **arguments)


def test_polling_has_no_body_at_all() -> None:
    polling = operations.continue_grant(uri=CONTINUE_URI, token=TOKEN)

    assert polling.body is None
    assert body_of(CONTINUE) == {"interact_ref": "ad82597c"}


def test_an_incoming_payment_is_asked_for_in_the_documented_form() -> None:
    operation = operations.create_incoming_payment(
        **AT_BANK,
        incoming_amount=USD_25,
        expires_at=datetime(2026, 12, 1, tzinfo=UTC),
        metadata={"externalRef": "order-42"},
    )

    assert body_of(operation) == {
        "walletAddress": BOB,
        "incomingAmount": amount(2500),
        "expiresAt": "2026-12-01T00:00:00Z",
        "metadata": {"externalRef": "order-42"},
    }


@pytest.mark.parametrize(
    "metadata", [{"1": "x"}, {"share": 0.5}, {"text": "\ud800"}, {"text": "\x00"}]
)
def test_metadata_that_would_break_the_signature_or_its_echo_is_not_sent(metadata: Any) -> None:
    with pytest.raises(InvalidValue):
        operations.create_outgoing_payment(**AT_WALLET, quote=QUOTE_URL, metadata=metadata)


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX-Evil: 1", "ñ", "x" * 5000])
def test_a_token_that_does_not_fit_a_header_is_not_sent(token: str) -> None:
    with pytest.raises(InvalidValue):
        operations.get_quote(url=QUOTE_URL, token=token)


def test_a_quote_fixes_one_side_at_most_and_never_zero() -> None:
    nothing = Amount(value=0, asset_code="USD", asset_scale=2)

    with pytest.raises(InvalidValue):
        operations.create_quote(
            **AT_WALLET, receiver=RECEIVER, debit_amount=USD_26, receive_amount=EUR_25
        )
    with pytest.raises(InvalidValue):
        operations.create_quote(**AT_WALLET, receiver=RECEIVER, debit_amount=nothing)
    with pytest.raises(InvalidValue):
        operations.create_quote(**AT_WALLET, receiver=BOB)


def test_paying_directly_needs_an_incoming_payment_and_a_sum() -> None:
    nothing = Amount(value=0, asset_code="USD", asset_scale=2)

    with pytest.raises(InvalidValue):
        operations.create_outgoing_payment_to(
            **AT_WALLET, incoming_payment=BOB, debit_amount=USD_26
        )
    with pytest.raises(InvalidValue):
        operations.create_outgoing_payment_to(
            **AT_WALLET, incoming_payment=RECEIVER, debit_amount=nothing
        )


@pytest.mark.parametrize("url", ["", "alice", "ftp://a.example/x", "https://u:p@a.example/x"])
def test_an_operation_on_something_else_than_a_url_is_not_built(url: str) -> None:
    builders: list[Callable[[], object]] = [
        lambda: operations.get_wallet_address(url=url),
        lambda: operations.get_keys(wallet_address=url),
        lambda: operations.request_grant(auth_server=url, client=ACME, access=[RECEIVE]),
        lambda: operations.continue_grant(uri=url, token=TOKEN),
        lambda: operations.cancel_grant(uri=url, token=TOKEN),
        lambda: operations.rotate_token(manage_url=url, token=TOKEN),
        lambda: operations.revoke_token(manage_url=url, token=TOKEN),
        lambda: operations.get_incoming_payment(url=url, token=TOKEN),
        lambda: operations.get_public_incoming_payment(url=url),
        lambda: operations.complete_incoming_payment(url=url, token=TOKEN),
        lambda: operations.get_quote(url=url, token=TOKEN),
        lambda: operations.get_outgoing_payment(url=url, token=TOKEN),
        lambda: operations.get_spent_amounts(resource_server=url, token=TOKEN),
        lambda: operations.create_outgoing_payment(**AT_WALLET, quote=url),
        lambda: operations.list_incoming_payments(**(AT_BANK | {"wallet_address": url})),
    ]

    for build in builders:
        with pytest.raises(InvalidValue):
            build()


@pytest.mark.parametrize(
    "page_arguments",
    [{"first": 0}, {"first": 101}, {"first": 1, "last": 1}, {"last": 5}],
)
def test_an_impossible_page_is_not_asked_for(page_arguments: Any) -> None:
    with pytest.raises(InvalidValue):
        operations.list_outgoing_payments(**AT_WALLET, **page_arguments)


def test_a_cursor_is_encoded_into_the_query() -> None:
    operation = operations.list_outgoing_payments(**AT_WALLET, last=2, cursor="a&b=c/ñ")

    assert operation.url == (
        f"{RESOURCE_SERVER}/outgoing-payments?last=2&cursor=a%26b%3Dc%2F%C3%B1"
        "&wallet-address=https%3A%2F%2Fwallet.example%2Falice"
    )


def test_a_trailing_slash_of_a_server_is_not_doubled() -> None:
    operation = operations.get_spent_amounts(resource_server=f"{RESOURCE_SERVER}/", token=TOKEN)

    assert operation.url == f"{RESOURCE_SERVER}/outgoing-payment-grant"


def test_the_digest_names_the_request_but_not_the_token() -> None:
    one = operations.create_quote(**AT_WALLET, receiver=RECEIVER)
    fresh_token = operations.create_quote(**(AT_WALLET | {"token": "new"}), receiver=RECEIVER)
    other_body = operations.create_quote(**AT_WALLET, receiver=RECEIVER + "2")
    other_url = replace(one, url=one.url + "2")
    other_method = replace(one, method="PUT")

    assert one.digest == fresh_token.digest
    assert len({each.digest for each in (one, other_body, other_url, other_method)}) == 4


def test_secrets_stay_out_of_reprs() -> None:
    grant = ASK_TO_RECEIVE.parse(answer(issued_grant([RECEIVE.to_json()])))
    made = CREATE_INCOMING.parse(answer(incoming_payment_with_methods(), status=201))

    shown = repr((CONTINUE, grant, made, INTERACT, answer(issued_grant())))

    for secret in (TOKEN, "33OMUKMKSKU80UPRY5NM", MANAGE_URL, "c2VjcmV0", "LKLTI25DK82FX4T4QFZC"):
        assert secret not in shown


def test_a_pending_grant_tells_where_to_send_the_person_and_how_to_go_on() -> None:
    pending = ASK_TO_PAY.parse(answer(pending_grant()))

    assert isinstance(pending, PendingGrant)
    assert pending.redirect == REDIRECT
    assert pending.interact_nonce == "9A5C1B7D0E3F2468"
    assert pending.continuation.wait_seconds == 5
    assert pending.continuation.uri == CONTINUE_URI


def test_any_grant_may_turn_out_pending() -> None:
    document = pending_grant()
    del document["interact"]["finish"]

    pending = ASK_TO_RECEIVE.parse(answer(document))

    assert isinstance(pending, PendingGrant)
    assert pending.interact_nonce == ""


def test_a_grant_that_is_polled_needs_no_server_nonce() -> None:
    polled = operations.request_grant(
        auth_server=AUTH_SERVER, client=ACME, access=[PAY], interact=Interact()
    )
    document = pending_grant()
    del document["interact"]["finish"]

    assert isinstance(polled.parse(answer(document)), PendingGrant)
    assert body_of(polled)["interact"] == {"start": ["redirect"]}


def test_payment_methods_of_other_kinds_are_left_out() -> None:
    document = incoming_payment_with_methods()
    document["methods"].append({"type": "card", "ilpAddress": 7})

    made = CREATE_INCOMING.parse(answer(document, status=201))

    assert [method.ilp_address for method in made.methods] == ["test.bank.1"]


def test_a_payment_that_does_not_say_failed_has_not_failed() -> None:
    document = outgoing_payment()
    del document["failed"]

    assert PAY_QUOTE.parse(answer(document, status=201)).failed is False


def test_an_issued_grant_may_lack_a_continuation() -> None:
    document = issued_grant([RECEIVE.to_json()])
    del document["continue"]

    issued = ASK_TO_RECEIVE.parse(answer(document))

    assert isinstance(issued, IssuedGrant)
    assert issued.continuation is None
    assert issued.access_token is not None
    assert issued.access_token.access == (RECEIVE,)


def test_a_continuation_may_still_be_pending() -> None:
    still = CONTINUE.parse(answer({"continue": continuation(wait=7)}))

    assert isinstance(still, PendingContinuation)
    assert still.continuation.wait_seconds == 7


def test_a_proved_subject_is_the_one_that_was_asked_for() -> None:
    operation = operations.continue_grant(uri=CONTINUE_URI, token=TOKEN, subject=ALICE)

    issued = operation.parse(answer(subject_grant()))

    assert isinstance(issued, IssuedGrant)
    assert issued.subject == (ALICE,)
    assert issued.access_token is None


def test_a_wallet_address_on_plain_http_may_call_itself_https() -> None:
    operation = operations.get_wallet_address(url="http://wallet.example/alice")

    assert operation.parse(answer(wallet_address())).id == ALICE


UNEXPECTED: dict[str, tuple[Operation[Any], object]] = {
    "no server nonce": (ASK_TO_PAY, pending_grant(finish=None)),
    "pending and issued": (ASK_TO_PAY, pending_grant() | {"access_token": access_token()}),
    "pending without continuation": (ASK_TO_PAY, {"interact": pending_grant()["interact"]}),
    "token without value": (ASK_TO_PAY, {"access_token": access_token(value=None)}),
    "token that breaks headers": (ASK_TO_PAY, {"access_token": access_token(value="a\nb")}),
    "token without manage": (ASK_TO_PAY, {"access_token": access_token(manage=None)}),
    "wait as text": (ASK_TO_PAY, pending_grant() | {"continue": continuation(wait="5")}),
    "expires_in negative": (ASK_TO_PAY, {"access_token": access_token(expires_in=-1)}),
    "quote without debit": (QUOTE_RECEIVER, quote(debitAmount=None)),
    "quote with a number": (QUOTE_RECEIVER, quote(debitAmount=amount(1) | {"value": 1})),
    "sent in another asset": (PAY_QUOTE, outgoing_payment(sentAmount=amount(0, "EUR"))),
    "received in another asset": (CREATE_INCOMING, incoming_payment(receivedAmount=amount(0, "X"))),
    "failed as text": (PAY_QUOTE, outgoing_payment(failed="false")),
    "action as number": (CONTINUE, {"access_token": access_token([outgoing_access(actions=[1])])}),
    "completed missing": (CREATE_INCOMING, incoming_payment(completed=None)),
    "metadata as text": (CREATE_INCOMING, incoming_payment(metadata="x")),
    "public name as number": (
        operations.get_wallet_address(url=ALICE),
        wallet_address(publicName=7),
    ),
    "list without pagination": (LIST_OUTGOING, {"result": []}),
    "list of texts": (LIST_OUTGOING, {"result": ["a"], "pagination": page([])["pagination"]}),
    "spent amount missing": (
        operations.get_spent_amounts(resource_server=RESOURCE_SERVER, token=TOKEN),
        {"spentDebitAmount": None},
    ),
}


@pytest.mark.parametrize(("operation", "document"), UNEXPECTED.values(), ids=UNEXPECTED.keys())
def test_an_answer_the_specification_does_not_allow_is_unexpected(
    operation: Operation[Any], document: object
) -> None:
    with pytest.raises(UnexpectedResponse):
        operation.parse(answer(document, status=operation.expected_status))


EVIL = "https://evil.example/x"
MISMATCHED: dict[str, tuple[Operation[Any], object]] = {
    "another wallet": (operations.get_wallet_address(url=ALICE), wallet_address(id=BOB)),
    "wallet leaves https": (
        operations.get_wallet_address(url=ALICE),
        wallet_address(id="http://wallet.example/alice"),
    ),
    "auth server leaves https": (
        operations.get_wallet_address(url=ALICE),
        wallet_address(authServer="http://auth.wallet.example/"),
    ),
    "redirect elsewhere": (ASK_TO_PAY, pending_grant(redirect=EVIL)),
    "redirect leaves https": (
        ASK_TO_PAY,
        pending_grant(redirect=REDIRECT.replace("https", "http")),
    ),
    "redirect on another port": (
        ASK_TO_PAY,
        pending_grant(redirect="https://auth.wallet.example:8443/i"),
    ),
    "continuation elsewhere": (ASK_TO_PAY, pending_grant() | {"continue": continuation(uri=EVIL)}),
    "issued continuation elsewhere": (
        CONTINUE,
        issued_grant() | {"continue": continuation(uri=EVIL)},
    ),
    "polled continuation elsewhere": (CONTINUE, {"continue": continuation(uri=EVIL)}),
    "manage elsewhere": (CONTINUE, {"access_token": access_token(manage=EVIL)}),
    "rotated manage elsewhere": (
        operations.rotate_token(manage_url=MANAGE_URL, token=TOKEN),
        {"access_token": access_token(manage=EVIL)},
    ),
    "wider grant": (CONTINUE, {"access_token": access_token([outgoing_access(limits=None)])}),
    "wider rotation": (
        operations.rotate_token(manage_url=MANAGE_URL, token=TOKEN, requested=[PAY]),
        {"access_token": access_token([outgoing_access(identifier=BOB)])},
    ),
    "wider non-interactive grant": (ASK_TO_RECEIVE, issued_grant()),
    "another subject": (
        operations.continue_grant(uri=CONTINUE_URI, token=TOKEN, subject=ALICE),
        subject_grant(BOB),
    ),
    "no subject": (
        operations.continue_grant(uri=CONTINUE_URI, token=TOKEN, subject=ALICE),
        issued_grant(),
    ),
    "another payee": (CREATE_INCOMING, incoming_payment(walletAddress=ALICE)),
    "another incoming amount": (CREATE_INCOMING, incoming_payment(incomingAmount=amount(2501))),
    "no incoming amount": (CREATE_INCOMING, incoming_payment(incomingAmount=None)),
    "another incoming scale": (
        CREATE_INCOMING,
        incoming_payment(incomingAmount=amount(2500, scale=9), receivedAmount=amount(0, scale=9)),
    ),
    "already received": (CREATE_INCOMING, incoming_payment(receivedAmount=amount(1))),
    "already completed": (CREATE_INCOMING, incoming_payment(completed=True)),
    "receiver elsewhere": (
        CREATE_INCOMING,
        incoming_payment(id="https://evil.example/incoming-payments/1"),
    ),
    "another incoming payment": (
        operations.get_incoming_payment(url=RECEIVER, token=TOKEN),
        incoming_payment(id=RECEIVER + "2"),
    ),
    "not completed": (
        operations.complete_incoming_payment(url=RECEIVER, token=TOKEN),
        incoming_payment(),
    ),
    "public auth server leaves https": (
        operations.get_public_incoming_payment(url=RECEIVER),
        {"authServer": "http://auth.bank.example"},
    ),
    "quote for another payer": (QUOTE_RECEIVER, quote(walletAddress=BOB)),
    "quote for another receiver": (QUOTE_RECEIVER, quote(receiver=RECEIVER + "2")),
    "quote by another method": (QUOTE_RECEIVER, quote(method="swift")),
    "quote elsewhere": (QUOTE_RECEIVER, quote(id="https://evil.example/quotes/2222")),
    "quote of another debit": (QUOTE_DEBIT, quote(debitAmount=amount(2601))),
    "quote of another delivery": (QUOTE_RECEIVE, quote(receiveAmount=amount(2499, "EUR"))),
    "another quote": (
        operations.get_quote(url=QUOTE_URL, token=TOKEN),
        quote(id=QUOTE_URL.replace("https", "http")),
    ),
    "payment of another quote": (PAY_QUOTE_URL, outgoing_payment(quoteId=QUOTE_URL + "2")),
    "payment to another receiver": (PAY_QUOTE, outgoing_payment(receiver=RECEIVER + "2")),
    "payment of more": (PAY_QUOTE, outgoing_payment(debitAmount=amount(2601))),
    "payment of less": (PAY_QUOTE, outgoing_payment(receiveAmount=amount(2499, "EUR"))),
    "payment from another wallet": (PAY_QUOTE, outgoing_payment(walletAddress=BOB)),
    "payment elsewhere": (PAY_QUOTE, outgoing_payment(id=EVIL)),
    "direct payment of more": (PAY_TO, outgoing_payment(debitAmount=amount(2601))),
    "direct payment to another": (PAY_TO, outgoing_payment(receiver=RECEIVER + "2")),
    "another payment": (
        operations.get_outgoing_payment(url=OUTGOING_URL, token=TOKEN),
        outgoing_payment(id=OUTGOING_URL + "2"),
    ),
    "a list of another's payments": (LIST_OUTGOING, page([outgoing_payment(walletAddress=BOB)])),
    "a list of another's receipts": (LIST_INCOMING, page([incoming_payment(walletAddress=ALICE)])),
    "a list of payments elsewhere": (LIST_OUTGOING, page([outgoing_payment(id=EVIL)])),
    "a list of receivers elsewhere": (LIST_INCOMING, page([incoming_payment(id=EVIL)])),
}


@pytest.mark.parametrize(("operation", "document"), MISMATCHED.values(), ids=MISMATCHED.keys())
def test_a_valid_answer_to_something_else_is_refused(
    operation: Operation[Any], document: object
) -> None:
    with pytest.raises(MismatchedResponse):
        operation.parse(answer(document, status=operation.expected_status))


def test_a_mismatch_names_the_operation_but_no_secret_url() -> None:
    with pytest.raises(MismatchedResponse) as mismatch:
        CONTINUE.parse(answer({"access_token": access_token(manage=f"{EVIL}/hush")}))

    assert mismatch.value.__notes__ == ["In the answer to continue-grant."]
    assert "hush" not in str(mismatch.value)
    assert "dd17" not in str(mismatch.value)
    assert "evil.example" in str(mismatch.value)


def test_an_answer_can_be_read_later_by_an_operation_built_again() -> None:
    written_down = answer(outgoing_payment(), status=201)
    build: Callable[[], Operation[Any]] = lambda: operations.create_outgoing_payment(  # noqa: E731
        **AT_WALLET, quote=THE_QUOTE
    )

    copy = Answer(status=written_down.status, headers={}, body=bytes(written_down.body))

    assert build().parse(copy) == build().parse(written_down)
    assert THE_QUOTE.created_at == NOON
