"""Twenty-six ways to come back from a wallet wrongly, and the few that are right all the same.

Those that are not here stand in test_views.py: fifty at once, other browsers, forged rejections.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client as Browser

from backend.clock import SYSTEM_CLOCK
from backend.jobs.models import Job
from backend.jobs.status import JobStatus
from backend.open_payments import finish_hash
from backend.payments import links
from backend.payments.models import Grant, WalletCall
from backend.payments.status import GrantKind, GrantStatus, PaymentStatus
from tests.simulation.simulator import Simulation

pytestmark = pytest.mark.django_db(transaction=True)
Query = Mapping[str, str | list[str]]


class Coming:
    """A payer who has approved and is on the way back, and somebody else's payment."""

    def __init__(self) -> None:
        # The views read the machine's clock.
        self.simulation, self.other = (
            Simulation(temperament="strict", seed=seed, start=SYSTEM_CLOCK.now()) for seed in (0, 1)
        )
        for each in (self.simulation, self.other):
            each.work()
        self.grant, self.foreign = (grant_of(each) for each in (self.simulation, self.other))
        self.browser = Browser()
        self.browser.get(urlsplit(links.start_url(self.grant.id)).path)
        parts = urlsplit(self.simulation.decide("accept"))
        self.path = parts.path
        genuine = parse_qs(parts.query)
        self.ref, self.proof = genuine["interact_ref"][0], genuine["hash"][0]

    def come(self, query: Query, *, path: str = "") -> str:
        """Return with this query; where one is sent then, or nowhere."""
        answer = self.browser.get(path or self.path, query)
        assert answer.status_code in {303, 404}
        return str(answer.headers.get("Location", ""))

    def status(self) -> GrantStatus:
        return GrantStatus(Grant.objects.get(id=self.grant.id).status)


def grant_of(simulation: Simulation) -> Grant:
    return Grant.objects.get(payment=simulation.payment, kind=GrantKind.OUTGOING_PAYMENT)


@pytest.fixture
def coming() -> Coming:
    return Coming()


def hash_of(grant: Grant, ref: str, *, endpoint: str | None = None) -> str:
    secrets = grant.open_secrets()
    return finish_hash(
        client_nonce=secrets.client_nonce,
        interact_nonce=secrets.interact_nonce,
        interact_ref=ref,
        grant_endpoint=endpoint or grant.auth_server,
    )


def swapped(coming: Coming) -> str:
    """The hash with our nonces the other way round."""
    secrets = coming.grant.open_secrets()
    return finish_hash(
        client_nonce=secrets.interact_nonce,
        interact_nonce=secrets.client_nonce,
        interact_ref=coming.ref,
        grant_endpoint=coming.grant.auth_server,
    )


WRONG: dict[str, Callable[[Coming], Query]] = {
    "nothing": lambda c: {},
    "no hash": lambda c: {"interact_ref": c.ref},
    "no ref": lambda c: {"hash": c.proof},
    "an empty hash": lambda c: {"interact_ref": c.ref, "hash": ""},
    "a wrong hash": lambda c: {"interact_ref": c.ref, "hash": "A" * 43 + "="},
    "a truncated hash": lambda c: {"interact_ref": c.ref, "hash": c.proof[:-4]},
    "a hash with more": lambda c: {"interact_ref": c.ref, "hash": c.proof + "AAAA"},
    "a hash in hex": lambda c: {"interact_ref": c.ref, "hash": base64.b64decode(c.proof).hex()},
    "the hash twice": lambda c: {"interact_ref": c.ref, "hash": [c.proof, c.proof]},
    "the ref twice": lambda c: {"interact_ref": [c.ref, c.ref], "hash": c.proof},
    "another ref": lambda c: {"interact_ref": "another", "hash": c.proof},
    "the ref in capitals": lambda c: {"interact_ref": c.ref.upper() + "X", "hash": c.proof},
    "another consent's hash": lambda c: {
        "interact_ref": c.ref,
        "hash": hash_of(c.foreign, c.ref),
    },
    "another server's hash": lambda c: {
        "interact_ref": c.ref,
        "hash": hash_of(c.grant, c.ref, endpoint="https://evil.example/auth"),
    },
    "swapped nonces": lambda c: {"interact_ref": c.ref, "hash": swapped(c)},
    "beyond ASCII": lambda c: {"interact_ref": c.ref, "hash": "ñ" * 44},
    "NUL": lambda c: {"interact_ref": "\x00", "hash": c.proof},
    "a script": lambda c: {"result": "<script>alert(1)</script>", "message": "<script>"},
    "an unknown result": lambda c: {"result": "grant_invalid"},
    "somewhere else to go": lambda c: {
        "next": "https://evil.example/",
        "returnUrl": "//evil.example",
    },
}


def test_a_wrong_return_changes_nothing_and_leads_nowhere_else(coming: Coming) -> None:
    for name, query in WRONG.items():
        location = coming.come(query(coming))

        assert location.startswith("http://127.0.0.1:8000/"), name
        assert "evil" not in location, name
        assert coming.status() is GrantStatus.AWAITING_APPROVAL, name
    assert not WalletCall.objects.filter(operation="continue-grant").exists()


def test_a_return_to_another_consent_changes_neither(coming: Coming) -> None:
    genuine = {"interact_ref": coming.ref, "hash": coming.proof}
    theirs = urlsplit(links.finish_url(coming.foreign.id)).path
    last = "A" if theirs[-1] != "A" else "B"
    guesses = [
        theirs[:-1] + last,
        theirs.replace("finish/", "finish/x"),
        "/op/finish/",
        "/op/finish/x",
    ]

    for path in [theirs, *guesses]:
        coming.come(genuine, path=path)

    assert {grant.status for grant in Grant.objects.filter(kind=GrantKind.OUTGOING_PAYMENT)} == {
        GrantStatus.AWAITING_APPROVAL
    }


@pytest.mark.parametrize(
    "spelt",
    [
        lambda proof: proof,
        lambda proof: proof.rstrip("="),
        lambda proof: proof.replace("+", "-").replace("/", "_"),
        lambda proof: proof.replace("+", "-").replace("/", "_").rstrip("="),
    ],
    ids=["standard", "no padding", "url-safe", "url-safe without padding"],
)
def test_a_genuine_hash_may_be_spelt_as_wallets_do(
    coming: Coming, spelt: Callable[[str], str]
) -> None:
    coming.come({"interact_ref": coming.ref, "hash": spelt(coming.proof)})

    assert coming.status() is GrantStatus.APPROVED


def test_a_rejection_behind_an_approval_comes_too_late(coming: Coming) -> None:
    coming.come({"interact_ref": coming.ref, "hash": coming.proof})

    coming.come({"result": "grant_rejected"})

    assert coming.status() is GrantStatus.APPROVED


def test_an_approval_behind_a_rejection_comes_too_late(coming: Coming) -> None:
    coming.come({"result": "grant_rejected"})

    coming.come({"interact_ref": coming.ref, "hash": coming.proof})

    assert coming.status() is GrantStatus.REJECTED
    assert coming.simulation.run().delivered == 0


def test_an_approval_behind_its_time_moves_no_money(coming: Coming) -> None:
    coming.simulation.clock.advance(timedelta(days=2).total_seconds())
    for _ in range(20):
        if not coming.simulation.work():
            break
    expired = coming.status()

    coming.come({"interact_ref": coming.ref, "hash": coming.proof})

    assert expired not in {GrantStatus.AWAITING_APPROVAL, GrantStatus.APPROVED}
    assert coming.status() is expired


def test_an_approval_of_a_job_that_was_cancelled_meanwhile_ends_as_the_funding_does(
    coming: Coming,
) -> None:
    Job.objects.filter(id=coming.simulation.job.id).update(status=JobStatus.CANCELED)

    coming.come({"interact_ref": coming.ref, "hash": coming.proof})

    verdict = coming.simulation.run()
    assert verdict.problems == []
    assert verdict.status in {PaymentStatus.COMPLETED, PaymentStatus.FAILED}
