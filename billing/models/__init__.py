"""Tables of billing, by noun."""

from billing.models.invoice import Allocation, CreditNote, CreditNoteCounter, Invoice, InvoiceCounter, InvoiceLine
from billing.models.ledger import (
    AccountKind,
    AccountName,
    LedgerAccount,
    LedgerBalance,
    LedgerCheck,
    LedgerEntry,
    LedgerLeg,
)
from billing.models.policy import BillingPolicy, CutStop, RechargeOption, SuspensionMode, TaxMode
from billing.models.receipt import Receipt
from billing.models.subscription import Recharge, Reminder, Subscription

__all__ = [
    "AccountKind",
    "AccountName",
    "Allocation",
    "BillingPolicy",
    "CreditNote",
    "CreditNoteCounter",
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
    "TaxMode",
]
