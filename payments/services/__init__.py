"""Every write of payments."""

from payments.services.accounts import provider_account_add, provider_account_edit, provider_account_switch
from payments.services.callbacks import payment_event_process, payment_event_store
from payments.services.listening import account_ask, account_heard, account_listen
from payments.services.queries import attempts_ask, payment_ask
from payments.services.settle import money_receive, payment_claim, payment_settle
from payments.services.start import payment_start
from payments.services.statement import statement_read, statement_take, statement_wanted

__all__ = [
    "account_ask",
    "account_heard",
    "account_listen",
    "attempts_ask",
    "money_receive",
    "payment_ask",
    "payment_claim",
    "payment_event_process",
    "payment_event_store",
    "payment_settle",
    "payment_start",
    "provider_account_add",
    "provider_account_edit",
    "provider_account_switch",
    "statement_read",
    "statement_take",
    "statement_wanted",
]
