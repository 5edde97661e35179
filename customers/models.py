"""Customers, their telephones and payers, and the tokens they are found by."""

from __future__ import annotations

from django.db import models

from ispbilling.kernel.models import TenantForeignKey, TenantModel


class Customer(TenantModel):
    """A person or firm who buys. People see the code; programs use the id."""

    class Kind(models.TextChoices):
        SUBSCRIBER = "subscriber", "Subscriber"
        GUEST = "guest", "Guest"

    code = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SUBSCRIBER)
    email = models.EmailField(blank=True)
    address = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=8, blank=True)  # empty = the tenant's
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)  # hidden since; everything he has stays, and he can come back

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "code"], name="customer_code")]
        indexes = [models.Index(fields=["tenant", "kind", "-created_at", "-id"], name="customer_recent")]

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
    customer = TenantForeignKey(Customer, on_delete=models.CASCADE, related_name="tokens")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "token", "customer", "source"], name="searchtoken_once")
        ]


class CodeCounter(TenantModel):
    """The last customer code given out: one row per tenant."""

    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="codecounter_one")]
