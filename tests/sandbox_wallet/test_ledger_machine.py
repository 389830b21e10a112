"""Whatever clients, faults and time do, the books balance."""

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from tests.sandbox_wallet.marketplace import Json, amount, open_marketplace

SENDERS = ("alice", "bob", "carmen", "pobre", "treasury")
RECEIVERS = ("shop", "diego", "alice")
ACTS = (
    "insufficient_funds",
    "stay_funding",
    "partial_delivery",
    "complete_short",
    "expire_quote",
    "reset",
)


class Books(RuleBasedStateMachine):
    """Random payments under random faults; the invariants are the ledger's."""

    incoming = Bundle("incoming")

    def __init__(self) -> None:
        super().__init__()
        self.market = open_marketplace()
        self.tokens = {name: self._token(name) for name in SENDERS}
        self.expected: dict[str, int | None] = {}
        self.latest: dict[str, int] = {}

    def _token(self, sender: str) -> str:
        self.market.options(token_life_s=10**8, token_purge_s=10**8)
        return str(self.market.consent(sender)["access_token"]["value"])

    @rule(
        target=incoming,
        wallet=st.sampled_from(RECEIVERS),
        value=st.none() | st.integers(1, 100_000),
    )
    def expect(self, wallet: str, value: int | None) -> Json:
        made = self.market.incoming(wallet, value)
        self.expected[made["id"]] = value
        self.latest[made["id"]] = 0
        return made

    @rule(
        made=incoming,
        sender=st.sampled_from(SENDERS),
        value=st.integers(1, 100_000),
        copies=st.integers(1, 3),
    )
    def pay(self, made: Json, sender: str, value: int, copies: int) -> None:
        asset = made["receivedAmount"]["assetCode"]
        answer = self.market.try_quote(sender, made["id"], receiveAmount=amount(value, asset))
        if answer.status_code != 201:
            return
        for _ in range(copies):
            try:
                self.market.send(sender, answer.json()["id"], self.tokens[sender])
            except httpx.ReadError:
                continue

    @rule(made=incoming)
    def close(self, made: Json) -> None:
        wallet = made["walletAddress"].rpartition("/")[2]
        token = self.market.token(wallet, "incoming-payment", "complete")
        self.market.call("POST", f"{made['id']}/complete", token=token)

    @rule(
        act=st.sampled_from(ACTS),
        value=st.integers(0, 200_000),
        when=st.sampled_from(["before", "after", "late"]),
    )
    def break_next(self, act: str, value: int, when: str) -> None:
        self.market.fault(
            "create-outgoing-payment", act, value=value, when=when, late_s=value % 400
        )

    @rule(
        temperament=st.sampled_from(["strict", "loose"]),
        settle_s=st.sampled_from([0, 10, 400]),
        bps=st.integers(0, 500),
        fixed=st.integers(0, 50),
        slippage_bps=st.integers(0, 200),
    )
    def change_temper(
        self, temperament: str, settle_s: int, bps: int, fixed: int, slippage_bps: int
    ) -> None:
        self.market.options(
            temperament=temperament,
            settle_s=settle_s,
            fees={"bps": bps, "fixed": fixed},
            slippage_bps=slippage_bps,
        )

    @rule(seconds=st.integers(1, 1000))
    def wait(self, seconds: int) -> None:
        self.market.clock.advance(seconds=seconds)

    @invariant()
    def balances_add_up_and_no_user_owes(self) -> None:
        ledger = self.market.ledger()
        sums: dict[str, int] = {}
        moved: dict[str, int] = {}
        for movement in ledger["movements"]:
            moved[movement["from"]] = moved.get(movement["from"], 0) - movement["value"]
            moved[movement["to"]] = moved.get(movement["to"], 0) + movement["value"]
        for account in ledger["accounts"]:
            sums[account["asset"]] = sums.get(account["asset"], 0) + account["balance"]
            assert account["balance"] == moved.get(account["account"], 0)
            assert account["balance"] >= 0 or account["kind"] in ("settlement", "fx")
        assert set(sums.values()) == {0}

    @invariant()
    def nobody_receives_more_than_expected_or_gives_it_back(self) -> None:
        for url, expected in self.expected.items():
            answer = self.market.http.get(url)
            if answer.status_code != 200:
                assert self.latest[url] == 0
                continue
            received = int(answer.json()["receivedAmount"]["value"])
            delivered = self.market.ledger(url)["totals"]["delivered"]
            assert received == sum(delivered.values())
            assert expected is None or received <= expected
            assert received >= self.latest[url]
            self.latest[url] = received

    def teardown(self) -> None:
        self.market.close()


TestBooks = Books.TestCase
TestBooks.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
