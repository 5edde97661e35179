"""Tenants and the people who work for them."""

from __future__ import annotations

from base64 import b32encode
from binascii import unhexlify
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from ispbilling.kernel import clock
from ispbilling.kernel.crypto import EncryptedTextField
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.models import TenantForeignKey, TenantModel
from ispbilling.kernel.money import CurrencyField


def validate_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValidationError(f"{name} is not a time zone") from error


class Tenant(models.Model):
    """One internet provider on this installation. Its own row is all that ``app`` sees of this table."""

    #: The policy compares this column (see ``kernel.migration.ProtectTable``).
    wall_column = "id"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=40, unique=True)
    currency = CurrencyField()
    zone = models.CharField(max_length=64, validators=[validate_zone])  # IANA: where its days begin and end
    country = models.CharField(max_length=2)  # ISO 3166: how its telephone numbers are read
    language = models.CharField(max_length=8, default="en")
    support_phone = models.CharField(max_length=20, blank=True)
    #: What stands on its papers and faces.
    address = models.TextField(max_length=300, blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    invoice_footer = models.TextField(max_length=300, blank=True)
    brand_color = models.CharField(max_length=7, blank=True)  # #rrggbb, with white text readable on it; empty = ours
    logo_digest = models.CharField(max_length=64, blank=True)  # SHA-256 of its logo; empty = none
    #: Whether its home page leads through the first steps while they are not all done.
    has_first_steps = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def brand_version(self) -> str:
        """Changes with colour and logo: addresses that carry it may be kept by browsers for long."""
        return f"{self.brand_color.removeprefix('#')}{self.logo_digest[:12]}"


class Logo(TenantModel):
    """A tenant's picture, drawn anew when it was taken in: nothing of the file that came is kept but its pixels."""

    content = models.BinaryField()
    media_type = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="logo_one")]


class Domain(TenantModel):
    """A host name that belongs to a tenant: how a visitor's tenant is found."""

    host = models.CharField(max_length=253, unique=True)  # lower case, without port


class UserManager(BaseUserManager):  # type: ignore[type-arg]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user: User = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        found: User = self.get(email=(username or "").lower())
        return found


class User(AbstractBaseUser, PermissionsMixin):
    """A person who works: for one tenant or several, through memberships. Customers are not users."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(auto_now_add=True)
    #: As he likes his pages; empty = as his browser does.
    theme = models.CharField(max_length=8, choices=[("dark", _("Dark")), ("light", _("Light"))], blank=True)
    language = models.CharField(max_length=8, choices=settings.LANGUAGES, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    def __str__(self) -> str:
        return self.name or self.email


class Role(models.TextChoices):
    """What a member of a tenant's staff is. The permissions of each stand in ``accounts.permissions``."""

    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Administrator")
    BILLING = "billing", _("Billing")
    SUPPORT = "support", _("Support")
    TECHNICIAN = "technician", _("Technician")
    RESELLER = "reseller", _("Reseller")


class Membership(TenantModel):
    """A user works for this tenant, in a role."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="membership_once")]


class TotpDevice(ThrottlingMixin, Device):  # type: ignore[misc]
    """The app on a person's phone that shows a new code every 30 seconds (RFC 6238): one a person, for all tenants.

    django-otp's own table keeps the secret in clear; this one keeps it encrypted, which is why it is ours. Until
    ``confirmed`` by a first code it is asked for nowhere.
    """

    STEP_S = 30
    DIGITS = 6
    #: Codes of one step before and after now are taken too: phones and servers differ by some seconds.
    TOLERANCE = 1
    #: Failures beyond this make the wait no longer: 2 ** 9 seconds. Who was attacked is not locked out for years.
    MOST_FAILURES = 10

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="totp_device")
    key = EncryptedTextField()  # hexadecimal
    last_step = models.BigIntegerField(default=-1)  # the step of the last code that was taken: no code works twice
    created_at = models.DateTimeField()

    @property
    def secret(self) -> str:
        """The shared secret as apps take it: base 32."""
        return b32encode(unhexlify(self.key.reveal())).decode()

    def get_throttle_factor(self) -> float:
        return 1.0

    def throttle_increment(self, commit: bool = True) -> None:
        failures: int = self.throttling_failure_count  # type: ignore[has-type]
        self.throttling_failure_count = min(failures, self.MOST_FAILURES - 1)
        super().throttle_increment(commit=commit)

    def verify_token(self, token: str) -> bool:
        """Whether this is a code of now that was not taken before. The row must be locked; counts what is wrong."""
        if not self.verify_is_allowed()[0]:
            return False
        totp = TOTP(unhexlify(self.key.reveal()), step=self.STEP_S, digits=self.DIGITS)
        totp.time = clock.machine_now().timestamp()  # phones know nothing of a moved product clock
        is_code = token.isascii() and token.isdigit() and len(token) == self.DIGITS
        if not (is_code and totp.verify(int(token), self.TOLERANCE, self.last_step + 1)):
            self.throttle_increment()
            return False
        self.last_step = totp.t()
        self.throttle_reset(commit=False)
        self.save()
        return True


class RecoveryCode(models.Model):
    """A code on paper for whoever lost his phone: works once. Only its SHA-256 is kept; it has 80 bits."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)  # machine time

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recoverycode_once")]


class SignIn(models.Model):
    """A session in which a person is signed in: what he sees of it to know it again. Gone with it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.CharField(max_length=45)
    agent = models.CharField(max_length=300)
    began_at = models.DateTimeField()  # machine time
    seen_at = models.DateTimeField()  # machine time, to SEEN_EVERY


class RoleOverride(TenantModel):
    """A tenant's own word on one permission of one role, in place of the default in ``accounts.permissions``."""

    role = models.CharField(max_length=12, choices=Role.choices)
    permission = models.CharField(max_length=40)
    is_granted = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "role", "permission"], name="roleoverride_once")]


class Invitation(TenantModel):
    """A person was asked to work for the tenant. Whoever has the link may come; only its SHA-256 is kept."""

    email = models.EmailField()
    role = models.CharField(max_length=12, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()  # machine time, as the next ones
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="invitation_one_open",
            )
        ]


class Login(TenantModel):
    """A device that signed in through the API: the family of its refresh tokens. All instants are machine time."""

    class Kind(models.TextChoices):
        STAFF = "staff", _("Staff")
        CUSTOMER = "customer", _("Customer")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    subject_id = models.UUIDField()  # the user's or the customer's
    scopes = models.JSONField(null=True)  # list of permissions; null = all that the role has
    device = models.CharField(max_length=120, blank=True)  # as the device calls itself
    created_at = models.DateTimeField()
    used_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "subject_id", "-used_at"], name="login_subject")]


class RefreshToken(TenantModel):
    """One refresh token, by its hash. Used once; the used ones stay, so that a copy is noticed."""

    login = TenantForeignKey(Login, on_delete=models.CASCADE, related_name="refresh_tokens")
    hashed = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="refreshtoken_expiry")]


class ApiKey(TenantModel):
    """What a machine comes with. Acts for the member who made it, within ``scopes``. Machine time."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16)  # the beginning of its text, to tell keys apart
    hashed = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()


class Tries(models.Model):
    """How often a door was tried in vain since ``began_at`` (machine time). Before a tenant is known."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    hashed = models.CharField(max_length=64, unique=True)  # of what is counted: no name or address lies here
    count = models.PositiveIntegerField(default=1)
    began_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["began_at"], name="tries_began")]


class ApiCall(TenantModel):
    """One request of a program: who, what, how it ended, how long it took. No body, no question, no token."""

    at = models.DateTimeField()  # machine time
    actor = models.CharField(max_length=80)
    method = models.CharField(max_length=8)
    route = models.CharField(max_length=120)  # the address with its parameters' names instead of their values
    status = models.PositiveSmallIntegerField()
    took_ms = models.PositiveIntegerField()
    source_address = models.CharField(max_length=45, blank=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-at"], name="apicall_recent")]
