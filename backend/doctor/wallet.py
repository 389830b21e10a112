"""The platform at its wallet: name, document, key, clock and signature."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from django.conf import settings

from backend.clock import Clock
from backend.doctor.findings import Code, Found
from backend.open_payments import (
    Client,
    ClientRejected,
    Ed25519Signer,
    InvalidValue,
    IssuedGrant,
    OpenPaymentsError,
    WalletAddress,
    WalletRejected,
    WalletUnreachable,
    operations,
    quote_access,
)
from backend.outbound import DestinationRefused, NameNotResolved, Policy
from backend.outbound.resolving import Resolver, checked, system_resolver
from backend.outbound.urls import origin_of, parse_url

WARN_ABOVE_SECONDS = 10
WRONG_ABOVE_SECONDS = 30
HTTPS_PORT = 443


class ClientExam:
    """The checks of OP_CLIENT_WALLET_ADDRESS; each asks the wallet itself and needs no other."""

    def __init__(
        self, client: Callable[[], Client], *, clock: Clock, resolve: Resolver = system_resolver
    ) -> None:
        self._client, self._clock, self._resolve = client, clock, resolve

    def name(self) -> str:
        """The wallet's name leads to addresses that we connect to."""
        parts = urlsplit(_address())
        host, port = parts.hostname or "", parts.port or HTTPS_PORT
        try:
            addresses = checked(
                self._resolve(host, port), must_be_public=not _is_development(_address())
            )
        except (OSError, NameNotResolved) as error:
            raise Found(Code.WALLET_NAME_UNKNOWN, f"{host} cannot be resolved.") from error
        except DestinationRefused as error:
            raise Found(Code.WALLET_NAME_PRIVATE, f"{host} is not at a public address.") from error
        return f"{host} is at {', '.join(addresses[:2])}."

    def document(self) -> str:
        """The wallet address answers with a document that can be used."""
        address = _address()
        found = read_wallet(self._client(), address)
        return f"{found.id} holds {found.asset_code}."

    def key(self) -> str:
        """The key that we sign with is published where wallets look for it."""
        ours = _signer().public_jwk()
        with _answering(_address()):
            published = self._client().send(operations.get_keys(wallet_address=_address()))
        theirs = [key for key in published.keys if key.kid == ours.kid]
        if not theirs:
            ids = ", ".join(key.kid for key in published.keys) or "no key"
            raise Found(
                Code.CLIENT_KEY_NOT_PUBLISHED,
                f"jwks.json of the wallet has {ids}, not {ours.kid}.",
            )
        if all(key.x != ours.x for key in theirs):
            raise Found(
                Code.CLIENT_KEY_DIFFERS, f"jwks.json has another public key under {ours.kid}."
            )
        return f"{ours.kid} is published."

    def clock(self) -> str:
        """Our clock agrees with the wallet's: signatures say when they were made."""
        with _answering(_address()):
            asked_at = self._clock.now()
            answer = self._client().exchange(operations.get_wallet_address(url=_address()))
        # The answer was dated between asking and now, to the second.
        theirs = _date_of(answer.headers.get("date", ""))
        if theirs is None:
            raise Found(Code.CLOCK_UNKNOWN, "The wallet does not say what time it is.")
        early = (theirs - self._clock.now()).total_seconds()
        late = (asked_at - theirs).total_seconds() - 1
        skew = max(early, late, 0.0)
        which = "behind" if early > late else "ahead of"
        said = f"This machine is {skew:.0f} s {which} the wallet."
        if skew > WRONG_ABOVE_SECONDS:
            raise Found(Code.CLOCK_WRONG, said)
        if skew > WARN_ABOVE_SECONDS:
            raise Found(Code.CLOCK_SKEWED, said)
        return f"Within {max(skew, 1.0):.0f} s of the wallet's."

    def signature(self) -> str:
        """The wallet accepts a request that we sign.

        Asks for permission to make quotes, which needs nobody's consent, and gives it back: what
        stays is the record of an ended grant at the wallet.
        """
        address = _address()
        client = self._client()
        wallet = read_wallet(client, address)
        request = operations.request_grant(
            auth_server=wallet.auth_server, client=address, access=[quote_access()]
        )
        with _answering(wallet.auth_server):
            try:
                issued = client.send(request)
            except ClientRejected as refusal:
                raise Found(Code.SIGNATURE_REFUSED, f"The wallet says {refusal.code}.") from refusal
            except WalletRejected as refusal:
                raise Found(Code.GRANT_REFUSED, f"The wallet says {refusal.code}.") from refusal
        returned = _give_back(client, issued) if isinstance(issued, IssuedGrant) else False
        return f"Accepted; the grant asked for is {'revoked' if returned else 'left to expire'}."


def read_wallet(client: Client, address: str) -> WalletAddress:
    """The document at a wallet address.

    Raises:
        Found: WALLET_UNREACHABLE, WALLET_DOCUMENT_WRONG.
    """
    with _answering(address):
        return client.send(operations.get_wallet_address(url=address))


@contextmanager
def _answering(url: str) -> Iterator[None]:
    host = urlsplit(url).netloc
    try:
        yield
    except WalletUnreachable as error:
        raise Found(Code.WALLET_UNREACHABLE, f"{host}: {error.reason}.") from error
    except OpenPaymentsError as error:
        what = type(error).__name__
        raise Found(
            Code.WALLET_DOCUMENT_WRONG, f"{host} does not answer as it should: {what}."
        ) from error


def _give_back(client: Client, issued: IssuedGrant) -> bool:
    try:
        if issued.access_token is not None:
            token = issued.access_token
            client.send(operations.revoke_token(manage_url=token.manage_url, token=token.value))
        return issued.access_token is not None
    except OpenPaymentsError:
        return False  # a token for quotes moves nothing, and ends by itself


def _signer() -> Ed25519Signer:
    _address()
    try:
        return Ed25519Signer.from_pem(settings.OP_CLIENT_PRIVATE_KEY, settings.OP_CLIENT_KEY_ID)
    except InvalidValue as error:
        raise Found(Code.CLIENT_NOT_SET, "OP_CLIENT_PRIVATE_KEY is no Ed25519 key.") from error


def _address() -> str:
    missing = [
        name
        for name in ("OP_CLIENT_WALLET_ADDRESS", "OP_CLIENT_KEY_ID", "OP_CLIENT_PRIVATE_KEY")
        if not getattr(settings, name)
    ]
    if missing:
        raise Found(Code.CLIENT_NOT_SET, f"{', '.join(missing)}: not set.")
    return str(settings.OP_CLIENT_WALLET_ADDRESS)


def _is_development(url: str) -> bool:
    allowed = Policy(allowed_origins=settings.OP_DEV_ORIGINS).allowed_origins
    return origin_of(parse_url(url)) in allowed


def _date_of(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
