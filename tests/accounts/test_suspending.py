"""A wallet provider that is suspended: nothing new is begun, what was approved goes on."""

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from backend.accounts.errors import WalletHostSuspended
from backend.accounts.models import SuspendedHost, User, WalletAddress
from backend.accounts.suspending import host_in, hosts_of, refuse_suspended
from backend.errors import ErrorCode
from backend.funding.models import Funding, Payable
from backend.funding.previewing import preview_funding
from backend.funding.status import FundingMode, FundingStatus, PayableStatus
from backend.jobs import recruiting
from backend.jobs.models import Application, Job
from backend.jobs.status import ApplicationStatus, JobStatus
from backend.payments.models import HeldGrant, Payment
from backend.payments.status import HeldGrantStatus
from tests.back_office.people import an_operator
from tests.jobs.people import a_job, a_person, a_wallet
from tests.simulation.market import Market
from tests.simulation.simulator import BASE_URL

pytestmark = pytest.mark.django_db(transaction=True)

HOST = "sandbox.example"


@pytest.fixture(autouse=True)
def _platform(settings: LazySettings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"
    settings.TREASURY_WALLET_ADDRESS_URL = f"{BASE_URL}/treasury"


def suspend(host: str = HOST) -> SuspendedHost:
    return SuspendedHost.objects.create(host=host, reason="They were broken into.")


def status_of(market: Market) -> str:
    return str(Job.objects.get(id=market.job.id).status)


def at_work(**world: object) -> Market:
    """A job whose workers' pay is secured."""
    market = Market(**world)  # type: ignore[arg-type]
    if market.mode is FundingMode.ESCROW:
        market.open_treasury()
    market.pre_fund()
    market.settle_down(lambda: status_of(market) == JobStatus.SUBMITTING)
    return market


# --- which wallets --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("wallet.example", "wallet.example"),
        (" Wallet.Example ", "wallet.example"),
        ("https://wallet.example/alice", "wallet.example"),
        ("$wallet.example/alice", "wallet.example"),
        ("http://127.0.0.1:8200/alice", "127.0.0.1:8200"),
        ("https://WALLET.example.:443/alice", "wallet.example"),
        ("https://müller.example", "xn--mller-kva.example"),
        ("https://wallet.example:70000", ""),
        ("", ""),
        ("https://a@wallet.example", ""),
        ("two words", ""),
        ("http://[", ""),
    ],
)
def test_a_host_is_found_in_whatever_operators_paste(typed: str, host: str) -> None:
    assert host_in(typed) == host


def test_a_wallet_on_a_domain_of_its_own_depends_on_its_servers_too() -> None:
    wallet = WalletAddress(
        url="https://ana.example/pay",
        auth_server="https://auth.wallet.example/7",
        resource_server="https://Wallet.example.:443/",
    )

    assert hosts_of(wallet) == {"ana.example", "auth.wallet.example", "wallet.example"}
    suspend("another.example")
    refuse_suspended([wallet])
    suspend("auth.wallet.example")
    with pytest.raises(WalletHostSuspended) as refused:
        refuse_suspended([wallet], path=("address",))
    assert (refused.value.code, refused.value.retryable, refused.value.path) == (
        ErrorCode.WALLET_HOST_SUSPENDED,
        True,
        ("address",),
    )
    assert "https://ana.example/pay" in refused.value.message
    assert "broken into" not in refused.value.message


def test_a_host_is_suspended_once_and_in_lower_case() -> None:
    suspend()
    for host in (HOST, "Wallet.example"):
        with pytest.raises(IntegrityError), transaction.atomic():
            suspend(host)


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_nothing_new_is_secured_or_quoted_and_nothing_is_left_behind(mode: FundingMode) -> None:
    market = Market(mode=mode)
    if mode is FundingMode.ESCROW:
        market.open_treasury()
    held = HeldGrant.objects.count()
    suspension = suspend()

    for ask in (market.pre_fund, market.fund, lambda: quoted(market)):
        with pytest.raises(WalletHostSuspended):
            ask()

    assert (Funding.objects.count(), Payment.objects.count()) == (0, 0)
    assert HeldGrant.objects.count() == held
    suspension.delete()
    market.pre_fund()
    assert market.settle_down(lambda: status_of(market) == JobStatus.SUBMITTING)


def quoted(market: Market) -> None:
    preview_funding(
        user=market.payer,
        job_id=market.job.id,
        mode=market.mode,
        client=market.client,
        now=market.now,
    )


def test_operators_do_not_ask_for_a_consent_to_the_treasury() -> None:
    market = Market(mode=FundingMode.ESCROW)
    market.open_treasury()
    suspend()

    with pytest.raises(WalletHostSuspended):
        market.ask_the_operator()


def test_nobody_applies_with_a_wallet_there() -> None:
    job, ana = a_job(), a_person("ana", wallet=False)
    wallet = a_wallet(ana)
    suspend(host_in(wallet.url))

    with pytest.raises(WalletHostSuspended) as refused:
        apply(job, ana)

    assert refused.value.path == ("payoutWalletId",)
    assert not Application.objects.exists()
    SuspendedHost.objects.all().delete()
    assert apply(job, ana).status == ApplicationStatus.PENDING


def apply(job: Job, applicant: User) -> Application:
    return recruiting.apply_to_job(
        user=applicant, job_id=job.id, note=None, payout_wallet_id=None, now=job.created_at
    )


# --- what goes on ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [FundingMode.PREAPPROVED, FundingMode.ESCROW])
def test_work_is_paid_under_the_consent_that_was_given_before(mode: FundingMode) -> None:
    market = at_work(mode=mode)
    suspend()

    market.accept_all()
    market.settle_down(market.is_over)

    assert market.verdict().problems == []
    assert set(Payable.objects.values_list("status", flat=True)) == {PayableStatus.PAID}
    assert Funding.objects.get().status == FundingStatus.SETTLED


def test_an_approval_that_was_asked_for_before_still_counts() -> None:
    market = Market()
    market.pre_fund()
    suspend()

    assert market.settle_down(lambda: status_of(market) == JobStatus.SUBMITTING)


def test_one_worker_there_does_not_keep_the_consent_for_the_others_from_being_renewed() -> None:
    market = at_work()
    WalletAddress.objects.filter(owner=market.workers[0]).update(auth_server="https://gone.example")
    suspend("gone.example")

    market.renew()

    assert HeldGrant.objects.latest("id").status == HeldGrantStatus.CREATED


def test_a_consent_from_a_wallet_there_is_not_renewed() -> None:
    market = at_work()
    suspend()

    with pytest.raises(WalletHostSuspended):
        market.renew()

    assert HeldGrant.objects.count() == 1


# --- operators ------------------------------------------------------------------------------------


def test_an_operator_suspends_a_host_and_lifts_that_and_the_log_names_them(client: Client) -> None:
    operator = an_operator("Ana")
    client.force_login(operator)
    add = reverse("admin:accounts_suspendedhost_add")

    refused = client.post(add, {"host": "two words", "reason": "Broken into."})
    added = client.post(add, {"host": "https://Wallet.example/alice", "reason": "Broken into."})

    assert (refused.status_code, added.status_code) == (200, 302)
    assert "Give a host, like wallet.example." in refused.content.decode()
    row = SuspendedHost.objects.get()
    assert (row.host, row.reason) == ("wallet.example", "Broken into.")
    client.post(reverse("admin:accounts_suspendedhost_delete", args=[row.id]), {"post": "yes"})
    assert not SuspendedHost.objects.exists()
    noted = LogEntry.objects.filter(content_type__model="suspendedhost", user=operator)
    assert [each.action_flag for each in noted.order_by("action_time")] == [1, 3]


def test_nobody_else_suspends_a_host(client: Client) -> None:
    client.force_login(a_person("bea"))

    answer = client.post(
        reverse("admin:accounts_suspendedhost_add"), {"host": HOST, "reason": "No."}
    )

    assert answer.status_code == 302
    assert not SuspendedHost.objects.exists()
