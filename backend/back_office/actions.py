"""What operators do: always a service of the domain, and always noted."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest

from backend.accounts.models import ApiKey, User
from backend.back_office.models import OperatorAction
from backend.errors import FaenaError


def note(operator: User, subject: Model, did: str | list[Any]) -> None:
    """Keep who did what to what, for ever; inside the transaction of what was done.

    What people call themselves and their keys is not kept: they may want to be forgotten.
    """
    OperatorAction.objects.create(
        user=operator,
        content_type=ContentType.objects.get_for_model(subject, for_concrete_model=False),
        object_id=subject.pk,
        object_repr=_in_the_log(subject)[:200],
        action_flag=CHANGE,
        change_message=json.dumps(did) if isinstance(did, list) else did,
    )


def _in_the_log(subject: Model) -> str:
    if isinstance(subject, ApiKey):
        return f"{subject.prefix}…"
    return str(subject.pk) if isinstance(subject, User) else str(subject)


def act(request: HttpRequest, subject: Model, did: str, do: Callable[[User], object]) -> bool:
    """Do it and note it, both or neither, and tell the operator; whether it was done.

    `did` says what, in a few words that are kept. A refusal is shown, and nothing was changed.
    """
    assert isinstance(request.user, User)
    try:
        with transaction.atomic():
            do(request.user)
            note(request.user, subject, did)
    except FaenaError as refusal:
        messages.error(request, refusal.message)
        return False
    messages.success(request, did)
    return True
