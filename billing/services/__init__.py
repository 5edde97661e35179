"""Every write of billing."""

from billing.services.cash import cash_receive
from billing.services.changes import (
    package_change,
    package_change_cancel,
    package_change_preview,
    package_change_schedule,
)
from billing.services.credits import credit_note_issue, credit_note_preview
from billing.services.cycle import cycle_run
from billing.services.expiry import subscription_end, subscription_expiry_set, subscription_extend
from billing.services.gifts import days_give, days_take
from billing.services.ledger import ledger_check, ledger_check_record
from billing.services.policy import policy_set, recharge_options_create, recharge_options_set
from billing.services.preview import Change, Effect, effect_of
from billing.services.receipts import receipt_number_set, receipt_record
from billing.services.safety import customer_hold, cuts_release
from billing.services.stopping import package_speed_tell, subscriptions_go_on, subscriptions_stop
from billing.services.subscriptions import recharge_start, subscription_create
from billing.services.suspense import (
    receipt_assign,
    receipt_release,
    receipt_return,
    receipt_return_undo,
    statement_line_book,
)

__all__ = [
    "Change",
    "Effect",
    "cash_receive",
    "credit_note_issue",
    "credit_note_preview",
    "customer_hold",
    "cuts_release",
    "cycle_run",
    "days_give",
    "days_take",
    "effect_of",
    "ledger_check",
    "ledger_check_record",
    "package_change",
    "package_change_cancel",
    "package_change_preview",
    "package_change_schedule",
    "package_speed_tell",
    "policy_set",
    "receipt_assign",
    "receipt_number_set",
    "receipt_record",
    "receipt_release",
    "receipt_return",
    "receipt_return_undo",
    "recharge_options_create",
    "recharge_options_set",
    "recharge_start",
    "statement_line_book",
    "subscription_create",
    "subscription_end",
    "subscription_expiry_set",
    "subscription_extend",
    "subscriptions_go_on",
    "subscriptions_stop",
]
