"""`python -m bench.bare`: the baseline, a script that pays and keeps nothing.

It makes the same wallet calls as Faena in the same order, over kept-alive connections, and
believes every answer. Commands come as JSON lines on stdin, results go to stdout:

    {"do": "start", "count": 8, "in_flight": 4}       as far as the redirect to the wallet
    {"do": "finish", "locations": [...], "in_flight": 4}   what was started, once its payers have
                                                      decided, to the money's arrival
    {"do": "forget"}                                  what was started
    {"do": "hold", "value": "48000"}                  ask for a consent to many payments
    {"do": "held", "location": "..."}                 and get its token once the payer has decided
    {"do": "pay", "count": 48, "in_flight": 16}       make payments with it
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx

from backend.open_payments import Ed25519Signer, sign_request

Json = dict[str, Any]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Started:
    """A payment that waits for its payer."""

    seconds: float
    incoming_payment_url: str
    quote_token: str
    pending: Json


class BareClient:
    """Pays from one wallet to another."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._signer = Ed25519Signer.from_pem(
            Path(arguments.key_path).read_text(), arguments.key_id
        )
        self._client_address = arguments.client
        self._http = httpx.Client(timeout=20)
        self._sender = self._http.get(arguments.sender).json()
        self._receiver = self._http.get(arguments.receiver).json()
        self._started: list[Started] = []
        self._pending: Json = {}
        self._token = ""

    def obey(self, command: Json) -> Json:
        """Do what one line asks."""
        if command["do"] == "start":
            began = time.perf_counter()
            started = _at_once(lambda _: self.start(), range(command["count"]), command)
            self._started += started
            return {
                "seconds": time.perf_counter() - began,
                "each": [each.seconds for each in started],
                "redirects": [each.pending["interact"]["redirect"] for each in started],
            }
        if command["do"] == "hold":
            return self._hold(command["value"])
        if command["do"] == "held":
            self._token = self._continue(self._pending, command["location"])
            return {}
        if command["do"] == "pay":
            began = time.perf_counter()
            _at_once(lambda _: self._pay(), range(command["count"]), command)
            return {"seconds": time.perf_counter() - began}
        waiting, self._started = self._started, []
        if command["do"] == "forget":
            return {}
        began = time.perf_counter()
        pairs = list(zip(waiting, command["locations"], strict=True))
        _at_once(lambda pair: self.finish(*pair), pairs, command)
        return {"seconds": time.perf_counter() - began}

    def _hold(self, value: str) -> Json:
        debit = {name: self._sender[name] for name in ("assetCode", "assetScale")}
        self._pending = self._ask_payer({"debitAmount": {"value": value, **debit}})
        return {"redirect": self._pending["interact"]["redirect"]}

    def _pay(self) -> None:
        incoming, token = self._receive_and_token()
        self._order(incoming, token, self._token)

    def start(self) -> Started:
        """Receiver, quote, consent."""
        began = time.perf_counter()
        incoming, token = self._receive_and_token()
        quote = self._quote(incoming, token)
        pending = self._ask_payer({"receiver": incoming, "debitAmount": quote["debitAmount"]})
        return Started(time.perf_counter() - began, incoming, token, pending)

    def _receive_and_token(self) -> tuple[str, str]:
        receiver_token = self._grant(
            self._receiver,
            {
                "type": "incoming-payment",
                "actions": ["create", "read", "complete"],
                "identifier": self._receiver["id"],
            },
        )["access_token"]["value"]
        incoming = self._call(
            "POST",
            f"{self._receiver['resourceServer']}/incoming-payments",
            {
                "walletAddress": self._receiver["id"],
                "incomingAmount": {
                    "value": "100",
                    "assetCode": self._receiver["assetCode"],
                    "assetScale": self._receiver["assetScale"],
                },
            },
            token=receiver_token,
        )
        quote_token = self._grant(self._sender, {"type": "quote", "actions": ["create"]})
        return incoming["id"], quote_token["access_token"]["value"]

    def _ask_payer(self, limits: Json) -> Json:
        return self._grant(
            self._sender,
            {
                "type": "outgoing-payment",
                "actions": ["create", "read", "list"],
                "identifier": self._sender["id"],
                "limits": limits,
            },
            interact={
                "start": ["redirect"],
                "finish": {"method": "redirect", "uri": "https://bare.example/", "nonce": "n" * 43},
            },
        )

    def finish(self, started: Started, location: str) -> None:
        """Continue, quote afresh, pay, and read the receiver until it shows the money.

        `location` is where the wallet sent the payer's browser.
        """
        token = self._continue(started.pending, location)
        self._order(started.incoming_payment_url, started.quote_token, token)

    def _continue(self, pending: Json, location: str) -> str:
        (interact_ref,) = parse_qs(urlsplit(location).query)["interact_ref"]
        granted = self._call(
            "POST",
            pending["continue"]["uri"],
            {"interact_ref": interact_ref},
            token=pending["continue"]["access_token"]["value"],
        )
        return str(granted["access_token"]["value"])

    def _order(self, incoming_payment_url: str, quote_token: str, token: str) -> None:
        quote = self._quote(incoming_payment_url, quote_token)
        self._call(
            "POST",
            f"{self._sender['resourceServer']}/outgoing-payments",
            {"walletAddress": self._sender["id"], "quoteId": quote["id"]},
            token=token,
        )
        while True:
            seen = self._http.get(incoming_payment_url).json()
            if seen["receivedAmount"]["value"] == "100":
                return
            time.sleep(0.2)

    def _quote(self, receiver: str, token: str) -> Json:
        body = {"walletAddress": self._sender["id"], "receiver": receiver, "method": "ilp"}
        return self._call("POST", f"{self._sender['resourceServer']}/quotes", body, token=token)

    def _grant(self, wallet: Json, access: Json, **more: Any) -> Json:
        body = {
            "access_token": {"access": [access]},
            "client": {"walletAddress": self._client_address},
            **more,
        }
        return self._call("POST", wallet["authServer"], body)

    def _call(self, method: str, url: str, body: Json, token: str | None = None) -> Json:
        content = json.dumps(body).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"GNAP {token}"
        request = self._http.build_request(method, url, content=content, headers=headers)
        target = f"{request.url.scheme}://{request.url.netloc.decode()}"
        signed = sign_request(
            method=method,
            url=target + request.url.raw_path.decode(),
            headers=headers,
            body=content,
            signer=self._signer,
            created=datetime.now(UTC),
        )
        request.headers.update(signed)
        answer = self._http.send(request)
        answer.raise_for_status()
        return dict(answer.json())


def _at_once(work: Callable[[T], R], items: Iterable[T], command: Json) -> list[R]:
    with ThreadPoolExecutor(command["in_flight"]) as pool:
        return list(pool.map(work, items))


def main() -> None:
    """Obey until stdin ends."""
    parser = argparse.ArgumentParser()
    for name in ("client", "key-id", "key-path", "sender", "receiver"):
        parser.add_argument(f"--{name}", required=True)
    client = BareClient(parser.parse_args())
    for line in sys.stdin:
        print(json.dumps(client.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
