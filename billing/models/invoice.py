"""Invoices: numbered without gaps when issued, never edited after."""

from __future__ import annotations

from django.db import models
from django.utils.translation import pgettext_lazy

from ispbilling.kernel.models import TenantForeignKey, TenantModel
from ispbilling.kernel.money import AmountField, CurrencyField
from ispbilling.kernel.states import Moves


class InvoiceCounter(TenantModel):
    """The last number of a year. Taken as the last lock of the transaction that issues, so that no number is lost."""

    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "year"], name="invoicecounter_once")]


class CreditNoteCounter(TenantModel):
    """The last number of a year's credit notes, taken before an invoice's number and as late."""

    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "year"], name="creditnotecounter_once")]


class Invoice(TenantModel):
    """An issued invoice. Amounts are fixed; what is paid of it is the sum of its allocations.

    ``credited`` is the sum of its credit notes, which the database keeps from passing the total.
    """

    class State(models.TextChoices):
        ISSUED = "issued", pgettext_lazy("invoice", "Open")
        PAID = "paid", pgettext_lazy("invoice", "Paid")
        VOID = "void", pgettext_lazy("invoice", "Void")

    MOVES = Moves({State.ISSUED: {State.PAID, State.VOID}, State.PAID: {State.VOID}, State.VOID: set()})

    customer = TenantForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=20)
    state = models.CharField(max_length=8, choices=State.choices)
    net = AmountField()
    tax = AmountField()
    total = AmountField()
    credited = AmountField(default=0, db_default=0)
    currency = CurrencyField()
    issued_at = models.DateTimeField()
    due_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="invoice_number"),
            models.CheckConstraint(condition=models.Q(total=models.F("net") + models.F("tax")), name="invoice_adds_up"),
            models.CheckConstraint(
                condition=models.Q(credited__gte=0, credited__lte=models.F("total")), name="invoice_not_overcredited"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "customer", "-issued_at"], name="invoice_customer"),
            models.Index(fields=["tenant", "-issued_at", "-id"], name="invoice_recent"),
        ]


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
    tax = AmountField(default=0, db_default=0)  # what of ``total`` is tax
    tax_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0, db_default=0)
    tax_name = models.CharField(max_length=20, blank=True, default="", db_default="")

    class Meta:
        indexes = [models.Index(fields=["tenant", "subscription", "period_until"], name="invoiceline_period")]


class CreditNote(TenantModel):
    """Takes back an issued invoice, in part or whole. The money goes into the wallet.

    ``unused_from``: the time it takes back begins then, when it takes time back and not only money.
    """

    append_only = True

    invoice = TenantForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    customer = TenantForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="credit_notes")
    number = models.CharField(max_length=20)
    net = AmountField()
    tax = AmountField()
    total = AmountField()
    currency = CurrencyField()
    reason = models.CharField(max_length=160)
    unused_from = models.DateTimeField(null=True)
    entry = TenantForeignKey("billing.LedgerEntry", on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="creditnote_number"),
            models.CheckConstraint(
                condition=models.Q(total=models.F("net") + models.F("tax"), total__gt=0), name="creditnote_adds_up"
            ),
        ]


class Allocation(TenantModel):
    """How much of the wallet went to which invoice."""

    append_only = True

    invoice = TenantForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    entry = TenantForeignKey("billing.LedgerEntry", on_delete=models.PROTECT, related_name="+")
    amount = AmountField()
