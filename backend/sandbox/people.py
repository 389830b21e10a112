"""Who lives in the sandbox world."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from backend.accounts.models import User
from backend.accounts.wallets import WalletDirectory, add_wallet, kept_wallets
from backend.profiles.services import update_profile


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person of the sandbox world: their address there, name, and what they say of themselves."""

    address: str
    name: str
    languages: Sequence[str]
    bio: str

    @property
    def email(self) -> str:
        return f"{self.address}@faena.example"


# These three are also the ones that `make up` gives tokens for.
FUNDER = Somebody("funder", "Lucía Hernández", ["es-MX", "en"], "I run a small language archive.")
WORKER = Somebody("worker", "Mateo Cruz", ["nah-MX", "es-MX"], "Speaker and teacher of Nahuatl.")
OPERATOR = Somebody("operator", "Olga Lindqvist", ["en", "sv"], "I look after this marketplace.")
WORKERS = (
    WORKER,
    Somebody("xochitl", "Xóchitl Ramírez", ["oto-MX", "es-MX"], "Botanist. Otomi at home."),
    Somebody("joaquin", "Joaquín Huanca", ["que", "es"], "Quechua from Cusco, nurse by trade."),
    Somebody("sarah", "Sarah Miller", ["en", "es"], "Copy editor for fifteen years."),
    Somebody("itzel", "Itzel Sánchez", ["maz-MX", "es-MX"], "Radio host in Mazahua."),
)


def settle(
    somebody: Somebody,
    *,
    wallet: str,
    password: str | None,
    now: datetime,
    wallets: WalletDirectory | None = None,
) -> User:
    """Find or make this person, with a profile and a wallet. Safe to repeat.

    Who is there already keeps name, password and wallets. `wallet` is an address; `wallets` None
    means the process's own directory.

    Raises:
        ValidationFailed, WalletUnusable: see `add_wallet`.
    """
    user = User.objects.filter(email=somebody.email).first()
    if user is None:
        user = User.objects.create_user(
            somebody.email, password, display_name=somebody.name, created_at=now
        )
    if not user.bio:
        update_profile(
            user=user, changes={"languages": somebody.languages, "bio": somebody.bio}, now=now
        )
    if not kept_wallets(user).exists():
        add_wallet(user=user, address=wallet, make_default=True, now=now, wallets=wallets)
    return user
