"""What every answer says, and what nobody may do to any page: the checklist of docs/security.md."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from pytest_django import Settings

import backend.urls  # noqa: F401 - which differ without GraphiQL
from backend.accounts.models import User
from backend.asgi import application
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
OURS = "https://pay.example"
# One of each kind of answer: ours and Django's, well and refused, pages and data.
ADDRESSES = {
    "health": ("GET", "/healthz", 200),
    "readiness": ("GET", "/readyz", 200),
    "a page": ("GET", "/op/finish/nonsense", 404),
    "start": ("GET", "/op/start/nonsense", 404),
    "the back office": ("GET", "/admin/login/", 200),
    "the way to the back office": ("GET", "/admin/", 302),
    "an operation": ("POST", "/graphql", 200),
    "no operation": ("GET", "/graphql", 405),
    "a preflight": ("OPTIONS", "/graphql", 204),
    "no file": ("GET", "/files/nothing", 403),
    "receipts' keys": ("GET", "/.well-known/receipts/jwks.json", 200),
    "the guide's contract": ("GET", "/offers/x", 404),
    "a hint": ("POST", "/api/webhooks/payments", 401),
    "nowhere": ("GET", "/nowhere", 404),
    "too much": ("POST", "/nowhere", 413),
}


@pytest.fixture
def _in_production(settings: Settings) -> None:
    settings.DEBUG, settings.GRAPHIQL = False, False
    settings.PUBLIC_URL, settings.SECURE_HTTPS = OURS, True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.ALLOWED_HOSTS = ["pay.example"]


@pytest.fixture
async def http(_in_production: None) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    forwarded = {"X-Forwarded-Proto": "https"}
    async with httpx.AsyncClient(transport=transport, base_url=OURS, headers=forwarded) as client:
        yield client


async def ask(http: httpx.AsyncClient, method: str, path: str, status: int) -> httpx.Response:
    body: dict[str, Any] = {}
    if status == 413:
        body = {"content": b"x" * 200_000}
    elif path == "/graphql" and method == "POST":
        body = {"json": {"query": "{ __typename }"}}
    answer = await http.request(method, path, **body)
    assert answer.status_code == status
    return answer


@pytest.mark.parametrize("name", ADDRESSES)
async def test_every_answer_says_what_browsers_may_do_with_it(
    http: httpx.AsyncClient, name: str
) -> None:
    headers = (await ask(http, *ADDRESSES[name])).headers

    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains; preload"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert headers["referrer-policy"] in {"no-referrer", "same-origin"}
    assert (headers.get("cross-origin-opener-policy") == "same-origin") == (
        not 300 <= ADDRESSES[name][2] < 400
    )
    assert {"server", "x-powered-by"} & set(headers) == set()
    assert "no-store" in headers["cache-control"] or headers["cache-control"].startswith("public")


async def test_a_page_may_run_no_script_and_is_not_found_by_search_engines(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.get("/op/finish/nonsense")

    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert '<meta name="robots" content="noindex">' in answer.text


async def test_on_the_way_to_and_from_a_wallet_no_address_is_passed_on(
    http: httpx.AsyncClient,
) -> None:
    # The address is the capability. The redirects themselves: tests/payments/test_views.py.
    answer = await http.get("/op/finish/nonsense")

    assert answer.headers["referrer-policy"] in {"no-referrer", "same-origin"}


async def test_without_https_nobody_is_bound_to_it(
    http: httpx.AsyncClient, settings: Settings
) -> None:
    settings.SECURE_HTTPS = False

    assert "strict-transport-security" not in (await http.get("/healthz")).headers


# Not /healthz: it says nothing, and load balancers ask for it by address.
@pytest.mark.parametrize("path", ["/graphql", "/files/x", "/admin/login/", "/op/finish/x"])
@pytest.mark.parametrize("host", ["evil.example", "pay.example.evil.example", ""])
async def test_another_host_is_refused(http: httpx.AsyncClient, path: str, host: str) -> None:
    answer = await http.get(path, headers={"Host": host})

    assert answer.status_code == 400
    assert "evil" not in answer.text


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/op/finish/x", "/op/start/x"])
async def test_what_is_only_read_takes_no_other_method(
    http: httpx.AsyncClient, method: str, path: str
) -> None:
    assert (await http.request(method, path)).status_code in {403, 405}


async def test_a_method_cannot_be_disguised(http: httpx.AsyncClient) -> None:
    override = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST"}

    answer = await http.get("/graphql?query={__typename}&_method=POST", headers=override)

    assert answer.status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/static/../backend/settings.py",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/files/..%2f..%2fetc%2fpasswd",
        "/graphiql/..%2fup.json",
        "//etc/passwd",
    ],
)
async def test_no_path_leads_out_of_what_is_served(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)

    assert answer.status_code in {400, 403, 404}
    assert "root:" not in answer.text


async def test_error_pages_tell_nothing_of_the_inside(http: httpx.AsyncClient) -> None:
    for path in ("/nowhere", "/admin/nowhere/", "/op/finish/" + "x" * 5000):
        answer = await http.get(path)

        assert not {"Traceback", "urlconf", "settings", "DEBUG"} & set(answer.text.split())


# --- the back office ------------------------------------------------------------------------------


@pytest.fixture
def operator() -> User:
    user = User.objects.create(
        email="operator@example.org",
        display_name="Op",
        is_staff=True,
        is_superuser=True,
        created_at=NOON,
    )
    user.set_password("correct horse battery staple")
    user.save()
    return user


def log_in(browser: Client) -> Any:
    return browser.post(
        "/admin/login/",
        {"username": "operator@example.org", "password": "correct horse battery staple"},
        secure=True,
        headers={"Host": "pay.example"},
    )


@pytest.mark.usefixtures("_in_production", "operator")
def test_cookies_of_the_back_office_are_for_https_and_for_no_script() -> None:
    browser = Client()
    browser.get("/admin/login/", secure=True, headers={"Host": "pay.example"})
    log_in(browser)

    assert set(browser.cookies) == {"sessionid", "csrftoken"}
    for cookie in browser.cookies.values():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")


@pytest.mark.usefixtures("_in_production", "operator")
def test_logging_in_starts_another_session() -> None:
    browser = Client()
    session = browser.session
    session["planted"] = "by somebody else"
    session.save()
    planted = session.session_key
    browser.cookies["sessionid"] = str(planted)

    log_in(browser)

    assert browser.cookies["sessionid"].value != planted
    assert SESSION_KEY in browser.session


@pytest.mark.usefixtures("_in_production", "operator")
def test_a_form_from_elsewhere_is_refused() -> None:
    browser = Client(enforce_csrf_checks=True)

    assert log_in(browser).status_code == 403


@pytest.mark.usefixtures("_in_production")
def test_a_bearer_token_does_not_open_the_back_office(operator: User) -> None:
    answer = Client().get(
        "/admin/",
        secure=True,
        headers={"Host": "pay.example", "Authorization": "Bearer anything"},
    )

    assert (answer.status_code, "/admin/login/" in answer["Location"]) == (302, True)
