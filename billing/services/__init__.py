"""Every write of billing."""

from billing.services.cycle import cycle_run
from billing.services.ledger import ledger_check, ledger_check_record
from billing.services.policy import policy_set, recharge_options_create
from billing.services.receipts import receipt_assign, receipt_number_set, receipt_record
from billing.services.safety import customer_hold, cuts_release
from billing.services.subscriptions import recharge_start, subscription_create

__all__ = [
    "customer_hold",
    "cuts_release",
    "cycle_run",
    "ledger_check",
    "ledger_check_record",
    "policy_set",
    "receipt_assign",
    "receipt_number_set",
    "receipt_record",
    "recharge_options_create",
    "recharge_start",
    "subscription_create",
]
