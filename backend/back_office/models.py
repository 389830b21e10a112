"""What operators show besides their password, and what they did."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.contrib.admin.models import LogEntry
from django.db import models
from django_otp.models import Device

from backend import encryption
from backend.accounts.models import User
from backend.payments.models import append_only

KEY_COLUMN = "back_office_secondfactor.sealed_key"


class SecondFactor(Device):
    """An operator's authenticator app, and the codes for the day it is lost; one per person.

    It counts once it is `confirmed` by a first code. `last_step` is the newest of RFC 6238's time
    steps whose code was used: a code is taken once. Recovery codes are kept as their SHA-256.
    """

    user: models.ForeignKey[User, User]

    sealed_key = models.TextField()
    last_step = models.BigIntegerField(default=0)
    recovery_digests = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="second_factor_one_per_person", fields=["user"])
        ]

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"

    def seal_key(self, key: bytes) -> str:
        """Encrypt for this person; the caller stores the result in `sealed_key`."""
        return encryption.encrypt(key.hex(), column=KEY_COLUMN, row=self.user_id)

    def open_key(self) -> bytes:
        """The key that the authenticator app holds as well."""
        text = encryption.decrypt(self.sealed_key, column=KEY_COLUMN, row=self.user_id)
        return bytes.fromhex(text)


class OperatorAction(LogEntry):
    """What an operator did in the back office: who, when, to what. Django's own log.

    PostgreSQL refuses to change it or to delete from it.
    """

    class Meta:
        proxy = True
        triggers: ClassVar[list[pgtrigger.Trigger]] = append_only("operator_action_append_only")
