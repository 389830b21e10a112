"""What the books keep of people: the ids of whose accounts they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backend.accounts.personal import KEPT, PersonalData


class LedgerData(PersonalData):
    """The books. Whoever is erased is a number in them; taking them away is `requestExport`."""

    relations: ClassVar[Mapping[str, str]] = {
        "ledger.Account.owner": f"{KEPT}the law wants the books, and a chain of hashes covers them"
    }
