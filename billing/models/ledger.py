"""The book: double entry, append-only. Only ``billing.services.ledger`` writes here."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from ispbilling.kernel.models import TenantForeignKey, TenantModel
from ispbilling.kernel.money import AmountField, CurrencyField


class AccountKind(models.TextChoices):
    """Debit is positive. What the tenant owes (wallet, suspense, tax) and earns (revenue) stands negative."""

    WALLET = "wallet", _("Customer wallet")
    RECEIVABLE = "receivable", _("Receivable")
    REVENUE = "revenue", _("Revenue")
    TAX = "tax", _("Tax payable")
    CLEARING = "clearing", _("Gateway clearing")
    SUSPENSE = "suspense", _("Suspense")


@dataclass(frozen=True, slots=True)
class AccountName:
    """Which account: its kind and whose it is (a customer's or gateway account's id, or None)."""

    kind: str
    owner: UUID | None = None


class LedgerAccount(TenantModel):
    """One account. ``owner`` is the customer's or gateway account's id, empty for the tenant's own."""

    kind = models.CharField(max_length=12, choices=AccountKind.choices)
    owner = models.CharField(max_length=36, blank=True)
    currency = CurrencyField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "kind", "owner", "currency"], name="ledgeraccount_once")
        ]


class LedgerEntry(TenantModel):
    """One movement, named by what caused it: the same cause is entered once."""

    append_only = True

    key = models.CharField(max_length=80)
    kind = models.CharField(max_length=20)
    customer = TenantForeignKey("customers.Customer", on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    memo = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="ledgerentry_once")]
        indexes = [models.Index(fields=["tenant", "customer", "at"], name="ledgerentry_customer")]


class LedgerLeg(TenantModel):
    """One side of an entry. The legs of every entry sum to zero: a trigger of the statement that writes them."""

    append_only = True

    entry = TenantForeignKey(LedgerEntry, on_delete=models.PROTECT, related_name="legs")
    account = TenantForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="legs", db_index=False)
    amount = AmountField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "account"], name="ledgerleg_account", include=["amount"])]
        constraints = [models.CheckConstraint(condition=~models.Q(amount=0), name="ledgerleg_not_zero")]


class LedgerCheck(TenantModel):
    """What the last comparison of the book with itself found: one row per tenant. Machine time."""

    checked_at = models.DateTimeField()
    differences = models.PositiveIntegerField()
    found = models.JSONField(default=list)  # the first of them, as ``services.ledger.ledger_check`` tells them
    bad_since = models.DateTimeField(null=True)  # the first of the unbroken row of checks that found something

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="ledgercheck_one")]


class LedgerBalance(TenantModel):
    """The sum of an account's legs, kept by ``ledger.post`` alone and checked against them every hour."""

    account = TenantForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="balances", db_index=False)
    amount = AmountField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "account"], name="ledgerbalance_once")]
