"""What may be seen of profiles besides their columns."""

from django.db.models import Exists, OuterRef, Q

from backend.accounts.models import User


def is_avatar(viewer: User | None) -> Q:
    """The files that show somebody who is active: everybody sees them."""
    return Q(Exists(User.objects.filter(avatar=OuterRef("pk"), is_active=True)))
