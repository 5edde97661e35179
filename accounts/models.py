"""Tenants and the people who work for them."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models

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
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


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

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    def __str__(self) -> str:
        return self.name or self.email


class Role(models.TextChoices):
    """What a member of a tenant's staff is. The permissions of each stand in ``accounts.permissions``."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Administrator"
    BILLING = "billing", "Billing"
    SUPPORT = "support", "Support"
    TECHNICIAN = "technician", "Technician"
    RESELLER = "reseller", "Reseller"


class Membership(TenantModel):
    """A user works for this tenant, in a role."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="membership_once")]


class Login(TenantModel):
    """A device that signed in through the API: the family of its refresh tokens. All instants are machine time."""

    class Kind(models.TextChoices):
        STAFF = "staff", "Staff"
        CUSTOMER = "customer", "Customer"

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
