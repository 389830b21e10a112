"""SECRET_KEY is changed while people hold what was signed with the one before."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from django.test import Client as Browser
from pytest_django import Settings

from backend.accounts.downloads import BadLink
from backend.accounts.models import MailCategory
from backend.clock import SYSTEM_CLOCK
from backend.files import links as file_links
from backend.ids import new_id
from backend.jobs.status import JobStatus
from backend.ledger import downloads
from backend.notifications import confirming, unsubscribing
from backend.payments import links
from backend.payments.models import Grant
from backend.payments.status import GrantKind, PaymentStatus
from tests.back_office.people import an_operator
from tests.conftest import NOON
from tests.jobs.people import a_job_in, a_person
from tests.schema.client import data_of, execute
from tests.simulation.simulator import BASE_URL, Simulation

pytestmark = pytest.mark.django_db(transaction=True)

OLD, NEW = "an old key " * 6, "a new key " * 6
# The key that signs and those that are still taken, as processes have them one after the other.
Process = tuple[str, list[str]]
BEFORE: Process = (OLD, [])
LEARNT: Process = (OLD, [NEW])
SWITCHED: Process = (NEW, [OLD])
OVER: Process = (NEW, [])


@pytest.fixture(autouse=True)
def _platform(settings: Settings) -> None:
    settings.OP_CLIENT_WALLET_ADDRESS = f"{BASE_URL}/platform"


@pytest.fixture
def asked(settings: Settings) -> Simulation:
    """A payment whose payer has been asked, by a process with the old key."""
    run_as(settings, BEFORE)
    simulation = Simulation(temperament="strict", start=SYSTEM_CLOCK.now())
    simulation.work()
    assert simulation.payment_now().status == PaymentStatus.AWAITING_APPROVAL
    return simulation


def run_as(settings: Settings, process: Process) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = process


def grant_of(simulation: Simulation) -> Grant:
    return Grant.objects.get(payment=simulation.payment, kind=GrantKind.OUTGOING_PAYMENT)


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@pytest.mark.parametrize(
    ("shown_by", "started_by", "finished_by"),
    [
        (BEFORE, LEARNT, LEARNT),
        (BEFORE, LEARNT, SWITCHED),
        (LEARNT, SWITCHED, SWITCHED),
        (SWITCHED, LEARNT, SWITCHED),
        (SWITCHED, SWITCHED, LEARNT),
        (SWITCHED, OVER, SWITCHED),
    ],
)
def test_an_approval_under_way_is_carried_through_a_change_of_the_key(
    asked: Simulation,
    settings: Settings,
    shown_by: Process,
    started_by: Process,
    finished_by: Process,
) -> None:
    browser, grant = Browser(), grant_of(asked)

    run_as(settings, shown_by)
    shown = path_of(links.start_url(grant.id))
    run_as(settings, started_by)
    started = browser.get(shown)
    run_as(settings, finished_by)
    finished = browser.get(path_of(asked.decide("accept")))

    assert (started.status_code, started["Location"]) == (303, grant.open_secrets().redirect)
    assert finished.status_code == 303
    assert parse_qs(urlsplit(finished["Location"]).query)["grantStatus"] == ["APPROVED"]
    asked.clock.advance(1)
    assert asked.run().status is PaymentStatus.COMPLETED


def test_a_key_that_was_dropped_opens_and_approves_nothing(
    asked: Simulation, settings: Settings
) -> None:
    browser, grant = Browser(), grant_of(asked)
    shown = path_of(links.start_url(grant.id))
    browser.get(shown)
    finish = path_of(asked.decide("accept"))

    run_as(settings, OVER)
    answers = [browser.get(shown), browser.get(finish)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert asked.payment_now().status == PaymentStatus.AWAITING_APPROVAL
    assert grant_of(asked).status == grant.status


def test_a_browser_that_was_marked_with_a_dropped_key_has_to_be_confirmed(
    asked: Simulation, settings: Settings
) -> None:
    browser, grant = Browser(), grant_of(asked)
    browser.get(path_of(links.start_url(grant.id)))
    _, _, query = asked.decide("accept").partition("?")

    run_as(settings, OVER)
    answer = browser.get(f"{path_of(links.finish_url(grant.id))}?{query}")

    assert "CONFIRMATION_REQUIRED" in answer["Location"]


def _refused_as(refusal: type[Exception], read: Callable[[], object]) -> object:
    try:
        return read()
    except refusal:
        return None


def _file() -> Callable[[], object]:
    token = file_links.download_url(new_id(), until=NOON + timedelta(hours=1)).rpartition("/")[2]
    return lambda: _refused_as(
        file_links.BadLink, lambda: file_links.read_download(token, now=NOON)
    )


def _part() -> Callable[[], object]:
    token = file_links.part_url(new_id(), 1, until=NOON + timedelta(hours=1)).rpartition("/")[2]
    return lambda: _refused_as(file_links.BadLink, lambda: file_links.read_part(token, now=NOON))


def _export() -> Callable[[], object]:
    person = a_person(wallet=False)
    link = downloads.request_export(
        user=person, whole_books=False, since=None, until=None, now=NOON
    )
    token = link.url.rpartition("/")[2]
    return lambda: _refused_as(BadLink, lambda: downloads.selection_of(token, now=NOON))


def _mail() -> Callable[[], object]:
    token = unsubscribing.link_for(a_person(wallet=False), MailCategory.WORK)
    token = token.rpartition("/")[2]
    return lambda: _refused_as(unsubscribing.BadLink, lambda: unsubscribing.read(token))


def _address() -> Callable[[], object]:
    token = confirming.link_for(a_person(wallet=False)).rpartition("/")[2]
    return lambda: _refused_as(confirming.BadLink, lambda: confirming.read(token))


def _approval(url: Callable[[UUID], str], read: Callable[[str], object]) -> Callable[[], object]:
    opaque = url(new_id()).rpartition("/")[2]
    return lambda: read(opaque)


def _cursor() -> Callable[[], object]:
    owner = a_job_in(JobStatus.RECRUITING).owner
    query = """
    query ($after: String) { jobs(first: 1, after: $after) { pageInfo { endCursor } } }"""
    cursor = data_of(execute(query, user=owner))["jobs"]["pageInfo"]["endCursor"]
    return lambda: not execute(query, variables={"after": cursor}, user=owner).errors


def _session() -> Callable[[], object]:
    browser = Browser()
    browser.force_login(an_operator())
    return lambda: browser.get("/admin/").status_code == 200


SIGNED: dict[str, Callable[[], Callable[[], object]]] = {
    "the address of an approval": lambda: _approval(links.start_url, links.grant_of_start),
    "the address a wallet sends back to": lambda: _approval(
        links.finish_url, links.grant_of_finish
    ),
    "a file's link": _file,
    "a part's link": _part,
    "a link to the books": _export,
    "a link in a mail": _mail,
    "the link that confirms an address": _address,
    "a cursor": _cursor,
    "a session of the back office": _session,
}


@pytest.mark.parametrize("name", SIGNED)
def test_what_was_signed_works_as_long_as_its_key_is_taken(settings: Settings, name: str) -> None:
    run_as(settings, BEFORE)
    works = SIGNED[name]()
    assert works()

    run_as(settings, SWITCHED)
    meanwhile = works()
    # A session is signed anew when it is used, so it outlives the key it began with.
    renewed = name == "a session of the back office"
    run_as(settings, OVER)

    assert meanwhile
    assert bool(works()) is renewed


def test_a_session_that_was_not_used_meanwhile_ends_with_its_key(settings: Settings) -> None:
    run_as(settings, BEFORE)
    works = _session()

    run_as(settings, OVER)

    assert not works()
