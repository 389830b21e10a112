"""Sentences for people, each in the language of who reads it; codes for programs."""

import asyncio
from typing import Any

import httpx
import pytest

from backend.accounts.models import User
from backend.events.threads import in_database
from backend.payments import errors as failures
from backend.payments.models import Payment
from backend.payments.status import PaymentStatus
from backend.schema import schema
from tests.schema.client import a_context, bearer_of, code_of, data_of, execute, run
from tests.schema.server import Server
from tests.schema.sockets import socket_to
from tests.schema.world import PaymentWorld, a_payment, a_person, bearer

pytestmark = pytest.mark.django_db

LOG_IN = 'mutation { logIn(input: {email: "a@example.com", password: "x"}) { errors { message } } }'
ADD_WALLET = 'mutation { addWallet(input: {address: "ftp://x"}) { errors { code message } } }'
ENGLISH, SPANISH = (
    "E-mail address or password is wrong.",
    "El correo o la contraseña no son correctos.",
)
STARTS_WITH = {
    "en": "A wallet address starts with https:// or $.",
    "es": "Una dirección de billetera empieza con https:// o $.",
}


def somebody(locale: str) -> User:
    user = a_person()
    user.locale = locale
    user.save(update_fields=["locale"])
    return user


def refusal(accept_language: str = "", user: User | None = None) -> Any:
    """The message of the only error of an operation that is always refused."""
    query, name = (LOG_IN, "logIn") if user is None else (ADD_WALLET, "addWallet")
    data = data_of(execute(query, user=user, accept_language=accept_language))
    (error,) = data[name]["errors"]
    return error["message"]


def test_a_visitor_is_refused_in_the_language_they_ask_for() -> None:
    assert refusal("es-MX, en;q=0.5") == SPANISH
    assert refusal("fr") == refusal("") == ENGLISH


def test_a_profile_says_it_better_than_a_browser() -> None:
    assert refusal("en", user=somebody("es")) == STARTS_WITH["es"]
    assert refusal("es", user=somebody("en")) == STARTS_WITH["en"]


def test_a_profile_that_leaves_it_open_follows_the_browser() -> None:
    assert refusal("es", user=somebody("")) == STARTS_WITH["es"]


def test_a_top_level_error_is_in_the_readers_language_with_the_same_code() -> None:
    result = execute(ADD_WALLET, accept_language="es")

    assert code_of(result) == "UNAUTHENTICATED"
    assert result.errors
    assert result.errors[0].message.startswith("Inicia sesión")


def test_who_signs_up_in_spanish_is_refused_in_spanish_even_by_django() -> None:
    sign_up = """
    mutation ($locale: String, $password: String!) {
      signUp(
        input: {email: "a@example.com", password: $password, displayName: "A", locale: $locale}
      ) { token errors { message } }
    }"""

    def send(password: str, **variables: str) -> Any:
        values = {"password": password, **variables}
        return data_of(execute(sign_up, variables=values, accept_language="es"))["signUp"]

    (error,) = send("corta")["errors"]
    assert "contraseña" in error["message"]
    (error,) = send("short", locale="en")["errors"]
    assert "password" in error["message"]
    token = send("correct horse battery staple")["token"]
    viewer = data_of(execute("{ viewer { locale } }", bearer=f"Bearer {token}"))["viewer"]
    assert viewer == {"locale": "es"}


def test_a_failed_payment_says_why_to_each_in_their_language() -> None:
    world = a_payment()
    failure = failures.CONSENT_REJECTED
    fields = {name: value for name, value in failure.fields().items() if name != "reason"}
    Payment.objects.filter(id=world.payment.id).update(
        status=PaymentStatus.REJECTED, due_at=None, **fields
    )

    def seen(accept_language: str) -> Any:
        query = "query ($id: ID!) { payment(id: $id) { failure { message } } }"
        result = execute(
            query, variables={"id": world.id}, user=world.payer, accept_language=accept_language
        )
        return data_of(result)["payment"]["failure"]["message"]

    assert seen("en") == failure.message
    assert seen("es") == "El pago se rechazó en la billetera. No se cobró nada."


def test_a_failure_whose_words_have_changed_since_is_shown_as_it_was() -> None:
    assert Payment(failure_message="Worded otherwise.").failure_sentence() == "Worded otherwise."
    assert Payment(failure_message="").failure_sentence() == ""


def test_operations_of_two_languages_at_once_do_not_mix() -> None:
    bearers = {language: bearer_of(somebody(language)) for language in ("en", "es")}

    async def ask(language: str) -> tuple[str, Any]:
        context = a_context(bearer=bearers[language])
        result = await schema.execute(ADD_WALLET, context_value=context)
        assert result.data
        return language, result.data["addWallet"]["errors"][0]["message"]

    async def ask_all() -> list[tuple[str, Any]]:
        return await asyncio.gather(*(ask(("en", "es")[n % 2]) for n in range(16)))

    answers = run(ask_all())

    assert len(answers) == 16
    assert [message for _, message in answers] == [STARTS_WITH[each] for each, _ in answers]


@pytest.fixture
def es(transactional_db: None) -> str:
    """An Authorization value of somebody whose profile says Spanish."""
    return bearer(somebody("es"))


def post(server: Server, query: str, **headers: str) -> httpx.Response:
    return httpx.post(server.graphql, json={"query": query}, headers=headers, timeout=10)


def test_an_answer_says_its_language(server: Server, es: str) -> None:
    visitor = post(server, LOG_IN, **{"Accept-Language": "es-MX"})
    known = post(server, ADD_WALLET, Authorization=es)
    plain = post(server, "{ health { status } }", **{"Accept-Language": "fr"})

    assert visitor.json()["data"]["logIn"]["errors"][0]["message"] == SPANISH
    assert known.json()["data"]["addWallet"]["errors"][0]["message"] == STARTS_WITH["es"]
    languages = [each.headers["content-language"] for each in (visitor, known, plain)]
    assert languages == ["es", "es", "en"]
    assert "Accept-Language" in plain.headers["vary"]
    assert "Origin" in plain.headers["vary"]


async def test_a_socket_is_asked_in_its_init(server: Server) -> None:
    async with socket_to(server, accept_language="es") as socket:
        await socket.subscribe("1", LOG_IN)
        errors = (await socket.next("logIn"))["errors"]

    assert errors == [{"message": SPANISH}]


@pytest.fixture
def world(transactional_db: None) -> PaymentWorld:
    return a_payment()


@pytest.mark.parametrize(
    "accept", ["text/event-stream", 'multipart/mixed;subscriptionSpec="1.0", application/json']
)
async def test_a_stream_speaks_the_profiles_language(
    server: Server, world: PaymentWorld, accept: str
) -> None:
    def prepare() -> str:
        User.objects.filter(id=world.payer.id).update(locale="es")
        failure = failures.CONSENT_REJECTED.fields()
        del failure["reason"]
        Payment.objects.filter(id=world.payment.id).update(**failure)
        world.move(PaymentStatus.REJECTED)
        return bearer(world.payer)

    token = await in_database(prepare)
    subscription = """
    subscription ($id: ID!) {
      paymentStatus(paymentId: $id) { payment { failure { message } } }
    }"""

    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.post(
            server.graphql,
            json={"query": subscription, "variables": {"id": world.id}},
            headers={"Accept": accept, "Authorization": token, "Accept-Language": "en"},
        )

    assert "en la billetera" in answer.text
