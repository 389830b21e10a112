"""Who sees what of a payment, and what funding answers."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import User, WalletAddress
from backend.funding.models import Funding, Payable, Seller
from backend.funding.status import PayableStatus
from backend.ids import new_id
from backend.payments.models import Attempt, Grant, Payment
from backend.payments.services import create_payment
from backend.payments.status import GrantKind, GrantStatus, PaymentPurpose, PaymentStatus
from tests.jobs.people import a_job
from tests.schema.client import code_of, data_of, execute
from tests.schema.world import NOON, PaymentWorld, a_payment, a_person, a_wallet, global_id

pytestmark = pytest.mark.django_db

PAYMENT = """
query ($id: ID!) {
  payment(id: $id) {
    status purpose incomingPaymentUrl quoteUrl outgoingPaymentUrl
    from { assetCode isDefault } to { assetCode isDefault }
    receiveAmount { value assetCode assetScale } deliveredAmount { value }
    refusedReceiveAmount { value assetCode assetScale } failure { code } attempts { number }
    grant { id status redirectUrl maxDebit { value } }
  }
}
"""
INCOMING = "https://wallet.example/incoming-payments/1"
QUOTE = "https://wallet.example/quotes/1"
OUTGOING = "https://wallet.example/outgoing-payments/1"


@pytest.fixture
def world() -> PaymentWorld:
    world = a_payment()
    Attempt.objects.filter(payment=world.payment).update(
        incoming_payment_url=INCOMING, quote_url=QUOTE, outgoing_payment_url=OUTGOING
    )
    WalletAddress.objects.update(is_default=True)
    Grant.objects.create(
        payment=world.payment,
        kind=GrantKind.OUTGOING_PAYMENT,
        status=GrantStatus.AWAITING_APPROVAL,
        auth_server="https://auth.wallet.example",
        max_debit_value=2600,
        created_at=NOON,
    )
    return world


def seen_by(user: User | None, world: PaymentWorld) -> Any:
    return data_of(execute(PAYMENT, variables={"id": world.id}, user=user))["payment"]


def test_the_payer_sees_everything_and_where_to_consent(world: PaymentWorld) -> None:
    payment = seen_by(world.payer, world)

    assert payment["grant"]["status"] == "AWAITING_APPROVAL"
    assert "/op/start/" in payment["grant"]["redirectUrl"]
    assert payment["grant"]["maxDebit"] == {"value": "2600"}
    assert payment["receiveAmount"] == {"value": "2500", "assetCode": "USD", "assetScale": 2}
    assert payment["incomingPaymentUrl"] == INCOMING
    assert (payment["quoteUrl"], payment["outgoingPaymentUrl"]) == (QUOTE, OUTGOING)
    assert (payment["from"]["isDefault"], payment["to"]["isDefault"]) == (True, False)
    assert payment["attempts"] == [{"number": 1}]
    assert payment["refusedReceiveAmount"] is None


def test_both_sides_see_what_would_have_arrived_at_a_rate_that_is_too_low(
    world: PaymentWorld,
) -> None:
    Payment.objects.update(
        status=PaymentStatus.FAILED,
        due_at=None,
        failure_code="RATE_TOO_LOW",
        refused_receive_value=25,
    )

    for user in (world.payer, world.payee):
        payment = seen_by(user, world)
        assert payment["failure"] == {"code": "RATE_TOO_LOW"}
        amount = {"value": "25", "assetCode": "USD", "assetScale": 2}
        assert payment["refusedReceiveAmount"] == amount


def test_the_payee_sees_the_payment_but_not_the_consent(world: PaymentWorld) -> None:
    payment = seen_by(world.payee, world)

    assert payment["grant"] is None
    assert payment["incomingPaymentUrl"] == INCOMING
    assert payment["quoteUrl"] is payment["outgoingPaymentUrl"] is None, "the payer's own affair"
    assert (payment["from"]["isDefault"], payment["to"]["isDefault"]) == (False, True)


@pytest.mark.parametrize("role", ["is_staff", "is_auditor"])
def test_operators_and_auditors_see_the_payment_but_neither_consent_nor_receiver(
    world: PaymentWorld, role: str
) -> None:
    person = a_person()
    setattr(person, role, True)
    person.save()

    payment = seen_by(person, world)

    assert payment["status"] == "CREATED"
    assert payment["grant"] is None
    assert payment["incomingPaymentUrl"] is None
    assert (payment["quoteUrl"], payment["outgoingPaymentUrl"]) == (QUOTE, OUTGOING)
    assert (payment["from"]["isDefault"], payment["to"]["isDefault"]) == (False, False)


@pytest.mark.parametrize("who", ["visitor", "stranger"])
def test_others_see_no_payment_and_no_grant(world: PaymentWorld, who: str) -> None:
    user = a_person() if who == "stranger" else None
    grant = global_id("Grant", Grant.objects.get().id)

    assert seen_by(user, world) is None
    node = execute("query ($id: ID!) { node(id: $id) { id } }", variables={"id": grant}, user=user)
    assert data_of(node) == {"node": None}


CONFIRM = """
mutation ($id: ID!) { confirmGrant(input: {grantId: $id}) { grant { status } errors { code } } }
"""


def test_only_the_payer_confirms_a_grant(world: PaymentWorld) -> None:
    grant = Grant.objects.get()
    Grant.objects.filter(id=grant.id).update(status=GrantStatus.APPROVED)
    variables = {"id": global_id("Grant", grant.id)}

    stranger = execute(CONFIRM, variables=variables, user=world.payee)
    payer = execute(CONFIRM, variables=variables, user=world.payer)

    assert data_of(stranger)["confirmGrant"]["errors"] == [{"code": "NOT_FOUND"}]
    assert data_of(payer)["confirmGrant"] == {"grant": {"status": "APPROVED"}, "errors": []}


FUND = """
mutation ($input: FundJobInput!) {
  fundJob(input: $input) {
    funding { id status mode total { value } payments { status from { assetCode } } }
    errors {
      code path __typename
      ... on AmountChangedError { expected { value } actual { value } }
    }
  }
}
"""


def fund(user: User, job_id: Any, **changes: Any) -> Any:
    given = {
        "jobId": global_id("Job", job_id),
        "sellerId": "shop",
        "returnUrl": "http://127.0.0.1:8000/done",
        "idempotencyKey": str(new_id()),
        **changes,
    }
    return data_of(execute(FUND, variables={"input": given}, user=user))["fundJob"]


@pytest.fixture
def seller() -> Seller:
    return Seller.objects.create(slug="shop", wallet=a_wallet(None), created_at=NOON)


def test_funding_answers_with_the_payment_that_it_started(seller: Seller) -> None:
    job = a_job()

    payload = fund(job.owner, job.id)

    assert payload["errors"] == []
    assert payload["funding"]["status"] == "AWAITING_APPROVAL"
    assert payload["funding"]["total"] == {"value": str(job.total_budget.value)}
    assert [payment["status"] for payment in payload["funding"]["payments"]] == ["CREATED"]


CANCEL = """
mutation ($input: CancelFundingInput!) {
  cancelFunding(input: $input) { funding { status sellerId } errors { code } }
}
"""


def test_a_funding_that_is_called_off_is_shown_as_it_is_then(seller: Seller) -> None:
    job = a_job()
    asked = fund(job.owner, job.id)["funding"]
    given = {"fundingId": asked["id"], "idempotencyKey": str(new_id())}

    for _ in ("once", "again with the same key"):
        answer = execute(CANCEL, variables={"input": given}, user=job.owner)
        assert data_of(answer)["cancelFunding"] == {
            "funding": {"status": "CANCELED", "sellerId": "shop"},
            "errors": [],
        }


def test_funding_again_with_the_same_key_gives_the_same_funding(seller: Seller) -> None:
    job, key = a_job(), str(new_id())

    first = fund(job.owner, job.id, idempotencyKey=key)
    second = fund(job.owner, job.id, idempotencyKey=key)

    assert second == first


def test_a_total_that_differs_is_refused_with_both_numbers(seller: Seller) -> None:
    job = a_job()

    payload = fund(
        job.owner, job.id, expectedTotal={"value": "1", "assetCode": "USD", "assetScale": 2}
    )

    assert payload["funding"] is None
    assert payload["errors"] == [
        {
            "code": "AMOUNT_CHANGED",
            "path": ["expectedTotal"],
            "__typename": "AmountChangedError",
            "expected": {"value": "1"},
            "actual": {"value": str(job.total_budget.value)},
        }
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"jobId": "x"}, "NOT_FOUND"),
        ({"payerWalletId": "x"}, "NOT_FOUND"),
        ({"sellerId": "nobody"}, "SELLER_NOT_FOUND"),
        ({"returnUrl": "https://evil.example/"}, "RETURN_URL_REFUSED"),
        (
            {"expectedTotal": {"value": str(2**63), "assetCode": "USD", "assetScale": 2}},
            "AMOUNT_OUT_OF_RANGE",
        ),
        (
            {"expectedTotal": {"value": "1", "assetCode": "", "assetScale": 900}},
            "VALIDATION",
        ),
    ],
)
def test_wrong_input_is_refused_as_data(seller: Seller, changes: Any, code: str) -> None:
    job = a_job()

    payload = fund(job.owner, job.id, **changes)

    assert payload["funding"] is None
    assert payload["errors"][0]["code"] == code


@pytest.mark.parametrize("value", ["01", "-1", "1.0", "", "٣", str(2**64), 1])
def test_an_amount_is_digits_in_a_text(seller: Seller, value: Any) -> None:
    job = a_job()
    given = {
        "jobId": global_id("Job", job.id),
        "returnUrl": "http://127.0.0.1:8000/done",
        "idempotencyKey": str(new_id()),
        "expectedTotal": {"value": value, "assetCode": "USD", "assetScale": 2},
    }

    result = execute(FUND, variables={"input": given}, user=job.owner)

    assert code_of(result) == "BAD_REQUEST"


def test_a_job_shows_its_fundings_and_payments_to_those_they_concern(seller: Seller) -> None:
    jobs = [a_job() for _ in range(3)]
    for job in jobs:
        fund(job.owner, job.id)
    query = """{ jobs(first: 10) { edges { node {
      fundings(first: 1) { totalCount edges { node { status } } }
      payments(first: 1) { totalCount pageInfo { hasNextPage } edges { node { status } } }
    } } } }"""

    auditor = a_person("auditor")
    auditor.is_auditor = True
    auditor.save()

    own = data_of(execute(query, user=jobs[0].owner))["jobs"]["edges"]
    audited = data_of(execute(query, user=auditor))["jobs"]["edges"]
    visitors = data_of(execute(query))["jobs"]["edges"]

    assert sorted(edge["node"]["fundings"]["totalCount"] for edge in own) == [0, 0, 1]
    assert sorted(edge["node"]["payments"]["totalCount"] for edge in own) == [0, 0, 1]
    assert [edge["node"]["fundings"]["totalCount"] for edge in audited] == [1, 1, 1]
    assert [edge["node"]["payments"]["totalCount"] for edge in audited] == [1, 1, 1]
    assert [edge["node"]["payments"]["edges"] for edge in visitors] == [[], [], []]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by what is in a table")
@pytest.mark.parametrize("many", [False, True])
def test_the_payments_of_jobs_are_found_by_what_they_are_for(seller: Seller, many: bool) -> None:
    jobs = [a_job() for _ in range(2)]
    for job in jobs:
        fund(job.owner, job.id)
    one = f'{{ job(id: "{global_id("Job", jobs[0].id)}") {{ payments(first: 1) {{ PAGE }} }} }}'
    all_of_them = "{ jobs(first: 10) { edges { node { payments(first: 1) { PAGE } } } } }"
    query = all_of_them if many else one
    query = query.replace("PAGE", "totalCount edges { node { status } }")

    for viewer in (jobs[0].owner, an_auditor()):
        with CaptureQueriesContext(connection) as captured:
            data_of(execute(query, user=viewer))

        read = [each["sql"] for each in captured if 'FROM "payments_payment"' in each["sql"]]
        assert len(read) == 2, "the page and its count"
        for statement in read:
            plan = _plan_of(statement)
            assert "USING INDEX payment_reference" in plan
            assert "SCAN payments_payment" not in plan


LIST = """query ($first: Int!, $after: String, $filter: PaymentFilter) {
  payments(first: $first, after: $after, filter: $filter) {
    totalCount pageInfo { hasNextPage endCursor } edges { node { id status purpose } } } }"""


def listed(user: User | None, first: int = 10, **variables: Any) -> dict[str, Any]:
    page: dict[str, Any] = data_of(
        execute(LIST, variables={"first": first, **variables}, user=user)
    )["payments"]
    return page


def ids_of(page: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in page["edges"]]


def an_auditor() -> User:
    auditor = a_person("auditor")
    auditor.is_auditor = True
    auditor.save()
    return auditor


def test_everybody_lists_the_payments_that_they_take_part_in() -> None:
    first, second = a_payment(), a_payment()

    assert ids_of(listed(first.payer)) == ids_of(listed(first.payee)) == [first.id]
    assert ids_of(listed(an_auditor())) == [second.id, first.id]
    assert ids_of(listed(a_person())) == ids_of(listed(None)) == []


def test_payments_are_listed_by_status_purpose_and_job(seller: Seller) -> None:
    job, other = a_job(), a_job()
    fund(job.owner, job.id)
    fund(other.owner, other.id)
    auditor, owner = an_auditor(), job.owner
    of_job = {"jobId": global_id("Job", job.id)}

    assert len(ids_of(listed(auditor, filter={"status": ["CREATED"]}))) == 2
    assert ids_of(listed(auditor, filter={"status": ["COMPLETED"]})) == []
    assert len(ids_of(listed(auditor, filter={"purpose": ["FUND", "REFUND"]}))) == 2
    assert ids_of(listed(owner, filter={"purpose": ["PAYOUT"]})) == []
    assert ids_of(listed(auditor, filter=of_job)) == ids_of(listed(owner, filter=of_job))
    assert len(ids_of(listed(owner, filter=of_job))) == 1
    assert ids_of(listed(other.owner, filter=of_job)) == []
    malformed = execute(LIST, variables={"first": 1, "filter": {"jobId": "x"}}, user=owner)
    assert code_of(malformed) == "NOT_FOUND"


def test_listed_payments_are_paged_and_a_cursor_is_of_its_filter() -> None:
    worlds = [a_payment() for _ in range(3)]
    auditor = an_auditor()

    page = listed(auditor, first=2)
    cursor = page["pageInfo"]["endCursor"]

    assert (ids_of(page), page["totalCount"]) == ([worlds[2].id, worlds[1].id], 3)
    assert ids_of(listed(auditor, after=cursor)) == [worlds[0].id]
    given = {"first": 2, "after": cursor, "filter": {"status": ["CREATED"]}}
    assert code_of(execute(LIST, variables=given, user=auditor)) == "BAD_CURSOR"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by what is in a table")
def test_a_person_s_own_payments_are_not_sought_among_all_there_are() -> None:
    world = a_payment()

    with CaptureQueriesContext(connection) as captured:
        listed(world.payee)

    (read,) = [each["sql"] for each in captured if 'FROM "payments_payment"' in each["sql"]]
    assert "SCAN payments_payment" not in _plan_of(read)


def test_a_failure_says_when_it_is_tried_again_until_it_is(seller: Seller) -> None:
    job = a_job()
    fund(job.owner, job.id)
    wallet = a_wallet(job.owner)
    owed = Payable.objects.create(
        funding=Funding.objects.get(),
        purpose=PaymentPurpose.REFUND,
        receiver=wallet,
        value=2500,
        due_at=NOON + timedelta(hours=1),
        created_at=NOON,
        updated_at=NOON,
    )
    query = "query ($id: ID!) { payment(id: $id) { failure { code nextRetryAt } } }"

    def seen(payment: Payment) -> Any:
        given = {"id": global_id("Payment", payment.id)}
        return data_of(execute(query, variables=given, user=job.owner))["payment"]["failure"]

    first = _failed(a_refund(owed, wallet))
    waiting = seen(first)
    second = _failed(a_refund(owed, wallet))
    Payable.objects.update(status=PayableStatus.STUCK, due_at=None)

    again = (NOON + timedelta(hours=1)).isoformat()
    assert waiting == {"code": "WALLET_REJECTED", "nextRetryAt": again}
    assert seen(first)["nextRetryAt"] is seen(second)["nextRetryAt"] is None


def a_refund(owed: Payable, wallet: WalletAddress) -> Payment:
    return create_payment(
        purpose=PaymentPurpose.REFUND,
        reference=owed.id,
        payer=owed.funding.payer,
        sender=a_wallet(None),
        receiver=wallet,
        receive_amount=owed.amount,
        return_url="http://127.0.0.1:8000/done",
        now=NOON,
    )


def _failed(payment: Payment) -> Payment:
    Payment.objects.filter(id=payment.id).update(
        status=PaymentStatus.FAILED, due_at=None, failure_code="WALLET_REJECTED"
    )
    return payment


def _plan_of(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        return "\n".join(row[-1] for row in cursor.fetchall())
