"""What op_doctor says of the platform's wallet, and of those that it is paid to."""

import httpx
import pytest
from pytest_django import Settings

from backend.accounts.models import WalletAddress
from backend.doctor.checks import all_checks
from backend.doctor.examining import find
from backend.doctor.findings import Code, Finding
from backend.doctor.wallet import ClientExam
from backend.funding.models import Seller
from backend.funding.sellers import register_default_seller
from backend.funding.treasury import register_treasury
from backend.ids import new_id
from backend.open_payments import Client, Ed25519Signer
from backend.payments.models import HeldGrant
from backend.payments.status import GrantScope, HeldGrantStatus
from sandbox_wallet import World
from sandbox_wallet.transport import WorldTransport
from tests.doctor.world import Shifted, closed_port, control
from tests.jobs.people import a_person

pytestmark = pytest.mark.django_db
CLIENT_CHECKS = ("wallet_name", "wallet_document", "client_key", "clock", "signature")
NOW = Shifted().now()


def look(check: str, *, clock: Shifted | None = None) -> Finding:
    with all_checks(clock or Shifted()) as checks:
        return find(check, checks[check])


def other_key(settings: Settings) -> None:
    settings.OP_CLIENT_PRIVATE_KEY = Ed25519Signer.generate("other").to_pem()


@pytest.mark.parametrize("check", CLIENT_CHECKS)
def test_all_is_well_where_it_is(wallet: World, check: str) -> None:
    assert look(check).code is Code.OK


@pytest.mark.parametrize("check", CLIENT_CHECKS)
def test_without_its_settings_each_check_names_them(
    wallet: World, settings: Settings, check: str
) -> None:
    settings.OP_CLIENT_KEY_ID = ""

    found = look(check)

    assert found.code is Code.CLIENT_NOT_SET
    assert "OP_CLIENT_KEY_ID" in found.message


@pytest.mark.parametrize("check", ["wallet_document", "client_key", "clock", "signature", "seller"])
def test_a_stopped_wallet_is_unreachable(wallet: World, settings: Settings, check: str) -> None:
    gone = f"http://127.0.0.1:{closed_port()}"
    settings.OP_DEV_ORIGINS = frozenset({gone})
    settings.OP_CLIENT_WALLET_ADDRESS = f"{gone}/platform"
    settings.SELLER_WALLET_ADDRESS_URL = f"{gone}/shop"

    assert look(check).code is Code.WALLET_UNREACHABLE


def test_a_document_that_is_none_is_said_so(wallet: World) -> None:
    control(wallet, "faults", {"call": "get-wallet-address", "act": "wrong_shape"})

    assert look("wallet_document").code is Code.WALLET_DOCUMENT_WRONG


def test_another_wallets_document_is_not_taken_for_ours(wallet: World, settings: Settings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{wallet.base_url}/nobody"

    assert look("wallet_document").code is Code.WALLET_DOCUMENT_WRONG


def test_a_name_that_nobody_has_is_unknown(wallet: World) -> None:
    def nobody(host: str, port: int) -> list[str]:
        raise OSError(host)

    exam = ClientExam(lambda: Client(httpx.Client()), clock=Shifted(), resolve=nobody)

    assert find("wallet_name", exam.name).code is Code.WALLET_NAME_UNKNOWN


def test_a_private_address_is_only_for_development(wallet: World, settings: Settings) -> None:
    settings.OP_DEV_ORIGINS = frozenset()

    assert look("wallet_name").code is Code.WALLET_NAME_PRIVATE


def test_a_key_id_that_is_not_published_is_found(wallet: World, settings: Settings) -> None:
    settings.OP_CLIENT_KEY_ID = "another"

    found = look("client_key")

    assert found.code is Code.CLIENT_KEY_NOT_PUBLISHED
    assert wallet.platform.key_id in found.message


def test_another_private_key_is_found_twice(wallet: World, settings: Settings) -> None:
    other_key(settings)

    assert look("client_key").code is Code.CLIENT_KEY_DIFFERS
    assert look("signature").code is Code.SIGNATURE_REFUSED


def test_a_request_that_is_signed_and_refused_all_the_same_is_told_apart(wallet: World) -> None:
    refusal = {"error": {"code": "invalid_request", "description": "no quotes today"}}
    rule = {"call": "request-grant:quote", "act": "status", "status": 400, "body": refusal}
    control(wallet, "faults", rule)

    found = look("signature")

    assert (found.code, "invalid_request" in found.message) == (Code.GRANT_REFUSED, True)


def test_the_grant_that_was_asked_for_is_given_back(wallet: World) -> None:
    look("signature")

    calls = [each["call"] for each in control(wallet, "requests")["requests"]]
    assert calls == ["get-wallet-address", "request-grant:quote", "revoke-token"]


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (0, Code.OK),
        (-15, Code.CLOCK_SKEWED),
        (15, Code.CLOCK_SKEWED),
        (-40, Code.CLOCK_WRONG),
        (40, Code.CLOCK_WRONG),
    ],
)
def test_a_clock_that_is_off_is_told_by_how_much(wallet: World, seconds: int, code: Code) -> None:
    found = look("clock", clock=Shifted(seconds))

    assert found.code is code
    if seconds:
        assert ("ahead" if seconds > 0 else "behind") in found.message


def test_a_wallet_that_says_no_date_is_believed_nothing(wallet: World) -> None:
    with httpx.Client(transport=WorldTransport(wallet)) as http:
        exam = ClientExam(lambda: Client(http), clock=Shifted())

        assert find("clock", exam.clock).code is Code.CLOCK_UNKNOWN


# --- those that are paid -------------------------------------------------------------------------


def test_a_registered_seller_is_well(wallet: World) -> None:
    register_default_seller(now=NOW)

    assert look("seller").code is Code.OK


def test_a_seller_that_is_not_registered_yet_is_a_warning(wallet: World) -> None:
    assert look("seller").code is Code.PAYEE_NOT_REGISTERED


def test_a_wallet_that_changed_its_asset_is_a_problem(wallet: World) -> None:
    register_default_seller(now=NOW)
    WalletAddress.objects.filter(owner=None).update(asset_code="EUR")

    assert look("seller").code is Code.PAYEE_ASSET_CHANGED


def a_consent(*, reserved: int) -> HeldGrant:
    treasury = Seller.objects.get(is_treasury=True)
    return HeldGrant.objects.create(
        scope=GrantScope.TREASURY,
        status=HeldGrantStatus.HELD,
        payer=a_person("operator"),
        reference=new_id(),
        sender=treasury.wallet,
        limit_value=10_000,
        reserved_value=reserved,
        period_days=30,
        starts_at=NOW,
        deadline_at=NOW,
        created_at=NOW,
        updated_at=NOW,
    )


def test_a_treasury_without_consent_is_a_warning(wallet: World) -> None:
    register_treasury(now=NOW)

    assert look("treasury").code is Code.OK
    assert look("treasury_grant").code is Code.TREASURY_NOT_APPROVED


@pytest.mark.parametrize(
    ("reserved", "code"), [(7_900, Code.OK), (8_100, Code.TREASURY_NEARLY_SPENT)]
)
def test_a_consent_tells_what_is_left_of_it(wallet: World, reserved: int, code: Code) -> None:
    register_treasury(now=NOW)
    a_consent(reserved=reserved)

    found = look("treasury_grant")

    assert found.code is code
    assert f"{reserved} of 10000 USD" in found.message
