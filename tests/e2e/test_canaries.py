"""No secret is written anywhere that it can be read."""

import pytest

from tests.e2e import canaries
from tests.e2e.conftest import SERVER_URL


@pytest.mark.skipif(SERVER_URL is None, reason="played once, where all roles are processes")
def test_no_secret_is_in_a_log_a_refusal_a_message_or_a_dump() -> None:
    report = canaries.run(server_url=SERVER_URL)

    assert report.hits == []
    assert report.statuses == ["COMPLETED", "REJECTED", "COMPLETED", "COMPLETED"]
    assert {"logs", "Redis", "database", "traces"} <= set(report.ids_found_in)
    # One payment is one trace, through whoever worked on it, down to the order.
    assert {"advance Payment", "create-outgoing-payment"} <= report.spans_of_payments.keys()
    assert min(report.searched_bytes.values()) > 500, report.to_json()
    assert len(report.planted) >= 14, report.to_json()
