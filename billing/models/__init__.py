"""Tables of billing, by noun."""

from billing.models.invoice import Allocation, Invoice, InvoiceCounter, InvoiceLine
from billing.models.ledger import (
    AccountKind,
    AccountName,
    LedgerAccount,
    LedgerBalance,
    LedgerCheck,
    LedgerEntry,
    LedgerLeg,
)
from billing.models.policy import BillingPolicy, CutStop, RechargeOption, SuspensionMode
from billing.models.receipt import Receipt
from billing.models.subscription import Recharge, Reminder, Subscription

__all__ = [
    "AccountKind",
    "AccountName",
    "Allocation",
    "BillingPolicy",
    "CutStop",
    "Invoice",
    "InvoiceCounter",
    "InvoiceLine",
    "LedgerAccount",
    "LedgerBalance",
    "LedgerCheck",
    "LedgerEntry",
    "LedgerLeg",
    "Receipt",
    "Recharge",
    "RechargeOption",
    "Reminder",
    "Subscription",
    "SuspensionMode",
]
