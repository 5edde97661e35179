"""Invoices: numbered without gaps when issued, never edited after."""

from __future__ import annotations

from django.db import models

from ispbilling.kernel.models import TenantForeignKey, TenantModel
from ispbilling.kernel.money import AmountField, CurrencyField


class InvoiceCounter(TenantModel):
    """The last number of a year. Taken as the last lock of the transaction that issues, so that no number is lost."""

    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "year"], name="invoicecounter_once")]


class Invoice(TenantModel):
    """An issued invoice. Amounts are fixed; what is paid of it is the sum of its allocations."""

    class State(models.TextChoices):
        ISSUED = "issued", "Open"
        PAID = "paid", "Paid"
        VOID = "void", "Void"

    customer = TenantForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=20)
    state = models.CharField(max_length=8, choices=State.choices)
    net = AmountField()
    tax = AmountField()
    total = AmountField()
    currency = CurrencyField()
    issued_at = models.DateTimeField()
    due_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="invoice_number"),
            models.CheckConstraint(condition=models.Q(total=models.F("net") + models.F("tax")), name="invoice_adds_up"),
        ]
        indexes = [models.Index(fields=["tenant", "customer", "-issued_at"], name="invoice_customer")]


class InvoiceLine(TenantModel):
    """What was sold. ``unit_price`` × ``quantity`` − ``discount`` = ``total``, tax contained."""

    invoice = TenantForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    text = models.CharField(max_length=160)
    quantity = models.PositiveIntegerField()
    unit_price = AmountField()
    discount = AmountField()
    total = AmountField()
    subscription = TenantForeignKey("billing.Subscription", on_delete=models.PROTECT, null=True, related_name="+")
    period_from = models.DateTimeField(null=True)
    period_until = models.DateTimeField(null=True)


class Allocation(TenantModel):
    """How much of the wallet went to which invoice."""

    append_only = True

    invoice = TenantForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    entry = TenantForeignKey("billing.LedgerEntry", on_delete=models.PROTECT, related_name="+")
    amount = AmountField()
