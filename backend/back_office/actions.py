"""What operators do: always a service of the domain, and always noted."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.admin.models import CHANGE
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest

from backend.accounts.models import User
from backend.back_office.models import OperatorAction
from backend.errors import FaenaError


def note(operator: User, subject: Model, did: str) -> None:
    """Keep who did what to what, for ever; inside the transaction of what was done."""
    OperatorAction.objects.log_actions(
        user_id=operator.pk,
        queryset=[subject],
        action_flag=CHANGE,
        change_message=did,
        single_object=True,
    )


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
