"""Receipts: the one fact "money came in"."""

from __future__ import annotations

from django.db import models

from ispbilling.kernel.models import TenantForeignKey, TenantModel
from ispbilling.kernel.money import AmountField, CurrencyField, Money
from payments.providers.base import title_of


class Receipt(TenantModel):
    """One settled payment, booked once. Without a customer it lies in suspense until somebody is found.

    ``returned_at``: it was given back to whoever paid it; then it is nobody's and lies in suspense no more.
    """

    payment = TenantForeignKey("payments.Payment", on_delete=models.PROTECT, related_name="receipts")
    customer = TenantForeignKey("customers.Customer", on_delete=models.PROTECT, null=True, related_name="receipts")
    family = models.CharField(max_length=20)
    number = models.CharField(max_length=40, null=True)  # the gateway's; unknown for a while after some queries
    method = models.CharField(max_length=20)
    amount = AmountField()
    currency = CurrencyField()
    received_at = models.DateTimeField()
    booked_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True)
    returned_note = models.CharField(max_length=160, blank=True, db_default="")

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def way(self) -> str:
        """The method as people know it."""
        return title_of(self.method)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "payment"], name="receipt_payment"),
            models.UniqueConstraint(
                fields=["tenant", "family", "number"], condition=models.Q(number__isnull=False), name="receipt_number"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "customer", "-received_at"], name="receipt_customer"),
            models.Index(fields=["tenant", "-received_at"], name="receipt_received"),
            models.Index(
                fields=["tenant", "number"], name="receipt_by_number", condition=models.Q(number__isnull=False)
            ),
            models.Index(fields=["tenant", "booked_at"], name="receipt_suspense", condition=models.Q(customer=None)),
        ]
