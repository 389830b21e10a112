"""People, the tokens they hold, and the wallets they are paid at."""

from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backend.accounts.emails import normalise_email
from backend.accounts.signals import tell_revoked
from backend.ids import new_id

MAX_BIO_LENGTH = 1000


class MailCategory(models.TextChoices):
    """What somebody may be mailed about."""

    WORK = "WORK"
    MONEY = "MONEY"
    REMINDERS = "REMINDERS"


class UserManager(BaseUserManager["User"]):
    """Makes users; `create_superuser` is only ever called by `manage.py createsuperuser`."""

    def create_user(
        self,
        email: str,
        password: str | None = None,
        *,
        display_name: str = "",
        created_at: datetime | None = None,
        **fields: Any,
    ) -> "User":
        """Save a new user. `password` None leaves an account nobody can log in to."""
        email = normalise_email(email)
        user: User = self.model(
            email=email,
            display_name=display_name or email.partition("@")[0],
            created_at=created_at or timezone.now(),
            **fields,
        )
        user.set_password(password)
        user.save(using=self._db, force_insert=True)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Save a user who may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalise_email(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by an e-mail address that is saved in lower case."""

    class Locale(models.TextChoices):
        EN = "en", "English"
        ES = "es", "Español"

    # Django's own mark of a new password, until it is saved; its types leave it out.
    _password: str | None

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True, max_length=254)
    display_name = models.CharField(max_length=80)
    # Empty: spoken to in the language that the client asks for.
    locale = models.CharField(max_length=8, choices=Locale.choices, blank=True)
    # BCP 47 tags of what the person speaks, best first.
    languages = models.JSONField(default=list, blank=True)
    bio = models.CharField(max_length=MAX_BIO_LENGTH, blank=True)
    avatar = models.ForeignKey(
        "files.File", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # What they want no mails about: a category that is added later is wanted until they say so.
    muted = models.JSONField(default=list, db_default=[], blank=True)
    # Since when they use an address that nobody has said is theirs. None: somebody has, or nobody
    # was asked, since no mails were sent then.
    email_unconfirmed_since = models.DateTimeField(null=True, editable=False)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(
        default=False, help_text="An operator: may use this admin, and GraphQL as an operator."
    )
    # When and by whom in the back office; null: on the server, or before this was kept.
    operator_since = models.DateTimeField(null=True, editable=False)
    made_operator_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    is_auditor = models.BooleanField(
        default=False, help_text="May read every job and every payment, and change none of them."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Who they were is forgotten since; the row stays for what names it.
    erased_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="accounts_user_email_lower_case"
            )
        ]

    def __str__(self) -> str:
        return self.display_name or str(self.id)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and with another password end all sessions: whoever knew the old one is out."""
        # The same password under a newer hash leaves no mark.
        is_changed = self._password is not None and not self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            if is_changed:
                self.bearer_tokens.filter(revoked_at=None).update(revoked_at=timezone.now())
                tell_revoked(self.pk)

    @property
    def notify(self) -> list[MailCategory]:
        """What they are mailed about."""
        return [each for each in MailCategory if each not in self.muted]

    @property
    def sees_everything(self) -> bool:
        """Whether they read what is not theirs: operators, and auditors, who change nothing."""
        return self.is_staff or self.is_auditor


class BearerToken(models.Model):
    """One logged-in device. The token itself is never stored, only its SHA-256."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="bearer_tokens")
    digest = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.label or str(self.id)


class Scope(models.TextChoices):
    """What an API key may be used for."""

    READ = "READ"
    JOBS = "JOBS"
    MONEY = "MONEY"
    SELLERS = "SELLERS"


class ApiKey(models.Model):
    """A program that acts for its owner, within its scopes. Only the SHA-256 of it is stored.

    One that moves real money, not `test_mode`, works from `approved_at` on.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    # How the key begins, for its owner to tell keys apart.
    prefix = models.CharField(max_length=20)
    scopes = models.JSONField(default=list)
    test_mode = models.BooleanField()
    created_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Asset(NamedTuple):
    """What a wallet counts in: amounts are multiples of 10**-scale of the currency `code`."""

    code: str
    scale: int


class WalletAddress(models.Model):
    """A wallet, as its own document described it at `checked_at`.

    `url` is the `id` of that document, not what somebody typed. `owner` None marks the wallets of
    the platform and of its sellers.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="wallet_addresses", null=True, blank=True
    )
    url = models.CharField(max_length=2048)
    public_name = models.CharField(max_length=200, blank=True)
    asset_code = models.CharField(max_length=32)
    asset_scale = models.PositiveSmallIntegerField()
    auth_server = models.CharField(max_length=2048)
    resource_server = models.CharField(max_length=2048)
    checked_at = models.DateTimeField()
    is_default = models.BooleanField(default=False)
    # Kept for what was agreed on while it was there.
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "url"], name="accounts_wallet_once_per_owner"),
            models.UniqueConstraint(
                fields=["url"],
                condition=Q(owner__isnull=True),
                name="accounts_wallet_once_without_owner",
            ),
            models.UniqueConstraint(
                fields=["owner"],
                condition=Q(is_default=True),
                name="accounts_wallet_one_default_per_owner",
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(owner__isnull=False),
                name="accounts_wallet_default_has_owner",
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(removed_at__isnull=True),
                name="accounts_wallet_default_is_there",
            ),
            models.CheckConstraint(
                condition=Q(asset_scale__lte=255), name="accounts_wallet_scale_is_a_byte"
            ),
        ]
        ordering = [F("is_default").desc(), "id"]
        verbose_name_plural = "wallet addresses"

    def __str__(self) -> str:
        return self.url

    @property
    def asset(self) -> Asset:
        """Code and scale: two wallets can settle without exchange only if these are equal."""
        return Asset(self.asset_code, self.asset_scale)


class SuspendedHost(models.Model):
    """A wallet provider with which no new consent is asked for, until an operator deletes the row.

    `host` is as in a URL, with a port where it is not the scheme's own.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host = models.CharField(
        max_length=253,
        unique=True,
        help_text=_("Like wallet.example. A whole wallet address will do."),
    )
    reason = models.CharField(max_length=500, help_text=_("For operators. Nobody else reads it."))
    suspended_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(host=Lower("host")), name="accounts_suspended_host_is_lower_case"
            )
        ]
        ordering: ClassVar = ["host"]
        verbose_name = _("suspended wallet host")
        verbose_name_plural = _("suspended wallet hosts")

    def __str__(self) -> str:
        return self.host


class IdempotencyKey(models.Model):
    """The result of a mutation that moves money: asking again gives it again. Kept 30 days."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    caller = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    operation = models.CharField(max_length=40)
    key = models.UUIDField()
    fingerprint = models.CharField(max_length=64)
    result_id = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        # Where it was first kept.
        db_table = "funding_idempotencykey"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="idempotency_key_once", fields=["caller", "operation", "key"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.key}"
