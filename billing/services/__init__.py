"""Every write of billing."""

from billing.services.cash import cash_receive
from billing.services.cycle import cycle_run
from billing.services.gifts import days_give, days_take
from billing.services.ledger import ledger_check, ledger_check_record
from billing.services.policy import policy_set, recharge_options_create
from billing.services.receipts import receipt_assign, receipt_number_set, receipt_record
from billing.services.safety import customer_hold, cuts_release
from billing.services.stopping import package_speed_tell, subscriptions_go_on, subscriptions_stop
from billing.services.subscriptions import recharge_start, subscription_create

__all__ = [
    "cash_receive",
    "customer_hold",
    "cuts_release",
    "cycle_run",
    "days_give",
    "days_take",
    "ledger_check",
    "ledger_check_record",
    "package_speed_tell",
    "policy_set",
    "receipt_assign",
    "receipt_number_set",
    "receipt_record",
    "recharge_options_create",
    "recharge_start",
    "subscription_create",
    "subscriptions_go_on",
    "subscriptions_stop",
]
