"""Customers, their telephones and payers, and the tokens they are found by."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from ispbilling.kernel.models import TenantForeignKey, TenantModel

#: ``paid_until`` of whoever never paid: a list by expiry ends with them, and no column of it is empty.
NEVER = datetime(9999, 12, 31, tzinfo=UTC)


class Area(TenantModel):
    """A part of the country a tenant serves. District and upazila are filled where addresses are given by them."""

    name = models.CharField(max_length=80)
    district = models.CharField(max_length=80, blank=True)
    upazila = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name", "district", "upazila"], name="area_once"),
        ]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.upazila, self.district) if part)


#: Who stands in lists: subscribers that were not deleted.
_LISTED = models.Q(kind="subscriber", deleted_at__isnull=True)


class Customer(TenantModel):
    """A person or firm who buys. People see the code; programs use the id.

    The columns under "standing" are what lists ask by. Triggers of the apps above keep them (billing's migration
    ``0007``, network's ``0006``), so that no service can forget it and sets stay one statement: each writes under the
    customer's own lock, which every change of his subscriptions takes first.
    """

    class Kind(models.TextChoices):
        SUBSCRIBER = "subscriber", _("Subscriber")
        GUEST = "guest", _("Guest")

    class Standing(models.TextChoices):
        """The state of his latest subscription; whoever has none is pending, and one may be stopped by staff."""

        PENDING = "pending", _("Not paid yet")
        ACTIVE = "active", _("Active")
        GRACE = "grace", _("Grace")
        SUSPENDED = "suspended", _("Suspended")
        STOPPED = "stopped", _("Stopped by staff")
        ENDED = "ended", _("Ended")

    code = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SUBSCRIBER)
    email = models.EmailField(blank=True)
    address = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=8, blank=True)  # empty = the tenant's
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)  # hidden since; everything he has stays, and he can come back
    area = TenantForeignKey(Area, on_delete=models.PROTECT, null=True, related_name="customers", db_index=False)

    # Standing: written by the database alone.
    standing = models.CharField(max_length=10, choices=Standing.choices, default=Standing.PENDING, editable=False)
    paid_until = models.DateTimeField(default=NEVER, editable=False)  # of the latest subscription
    package_key = models.UUIDField(null=True, editable=False)  # the package of his latest subscription
    router_key = models.UUIDField(null=True, editable=False)  # the router of his latest line
    is_owing = models.BooleanField(default=False, editable=False)  # invoices ask for more than was paid
    sort_name = models.GeneratedField(
        expression=Lower("name"),
        output_field=models.CharField(max_length=250, db_collation="C"),  # lower case may be longer
        db_persist=True,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "code"], name="customer_code")]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-id"], name="customer_newest", condition=_LISTED),
            models.Index(fields=["tenant", "sort_name", "id"], name="customer_by_name", condition=_LISTED),
            models.Index(fields=["tenant", "paid_until", "id"], name="customer_by_expiry", condition=_LISTED),
            models.Index(
                fields=["tenant", "standing", "-created_at", "-id"], name="customer_standing", condition=_LISTED
            ),
            models.Index(
                fields=["tenant", "standing", "paid_until", "id"], name="customer_runs_out", condition=_LISTED
            ),
            models.Index(
                fields=["tenant", "package_key", "-created_at", "-id"], name="customer_package", condition=_LISTED
            ),
            models.Index(
                fields=["tenant", "router_key", "-created_at", "-id"], name="customer_router", condition=_LISTED
            ),
            models.Index(
                fields=["tenant", "-created_at", "-id"],
                name="customer_owing",
                condition=_LISTED & models.Q(is_owing=True),
            ),
            models.Index(
                fields=["tenant", "-created_at", "-id"],
                name="customer_deleted",
                condition=models.Q(deleted_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class CustomerPhone(TenantModel):
    """A telephone of a customer, E.164. The primary one gets the messages; several customers may share a number."""

    customer = TenantForeignKey(Customer, on_delete=models.CASCADE, related_name="phones")
    number = models.CharField(max_length=16)
    is_primary = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "customer", "number"], name="customerphone_once"),
            models.UniqueConstraint(
                fields=["tenant", "customer"], condition=models.Q(is_primary=True), name="customerphone_one_primary"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "number"], name="customerphone_number")]


class Payer(TenantModel):
    """Somebody who pays for a customer: how he is recognised when money comes without an order.

    ``alias`` is what he types as account, or his telephone, in the normal form of ``customers.tokens``.
    """

    customer = TenantForeignKey(Customer, on_delete=models.CASCADE, related_name="payers")
    alias = models.CharField(max_length=40)
    note = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "alias"], name="payer_alias")]


class SearchToken(TenantModel):
    """A word a customer is found by. Compared by range on bytes, which row-level security leaves its index."""

    token = models.CharField(max_length=40, db_collation="C")
    source = models.CharField(max_length=20)  # which app's terms these are: each replaces only its own
    customer = TenantForeignKey(Customer, on_delete=models.CASCADE, related_name="tokens", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "token", "customer", "source"], name="searchtoken_once")
        ]
        indexes = [models.Index(fields=["tenant", "customer", "token"], name="searchtoken_customer")]


class Note(TenantModel):
    """What staff wrote down about a customer. Only its writer changes its words; a deleted one can be brought back."""

    customer = TenantForeignKey(Customer, on_delete=models.CASCADE, related_name="notes", db_index=False)
    text = models.TextField(max_length=2000)
    is_pinned = models.BooleanField(default=False)
    actor = models.CharField(max_length=80)
    author = models.CharField(max_length=120)  # the writer's name as it was then
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "customer", "-created_at", "-id"], name="note_customer")]


class Document(TenantModel):
    """A file about a customer, such as his identity card. It lies behind the same walls as his other rows."""

    class Kind(models.TextChoices):
        PDF = "application/pdf", "PDF"
        JPEG = "image/jpeg", "JPEG"
        PNG = "image/png", "PNG"
        WEBP = "image/webp", "WebP"

    customer = TenantForeignKey(Customer, on_delete=models.CASCADE, related_name="documents", db_index=False)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind.choices)  # by its first bytes, not by what was claimed
    size_bytes = models.PositiveIntegerField()
    content = models.BinaryField()
    actor = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "customer", "-created_at", "-id"], name="document_customer")]


class CodeCounter(TenantModel):
    """The last customer code given out: one row per tenant."""

    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="codecounter_one")]
