"""Every write of the portal."""

from accounts.services import guess_limits, tries_give_back, tries_take
from portal.services.entrance import (
    code_check,
    code_limits,
    code_send,
    customer_prove,
    number_prove,
    sign_in_record,
)
from portal.services.paying import TOP_UP, payment_retry, recharge_pay, top_up_pay
from portal.services.profile import (
    line_password_change,
    line_reveal,
    phone_add,
    phone_first,
    phone_remove,
    profile_set,
)
from portal.services.sign_ins import sign_in_begin, sign_in_end, sign_in_seen, sign_ins_end
from portal.services.sign_ups import SignedUp, lead_accept, lead_drop, register, settings_set, sign_up

__all__ = [
    "TOP_UP",
    "SignedUp",
    "code_check",
    "code_limits",
    "code_send",
    "customer_prove",
    "guess_limits",
    "lead_accept",
    "lead_drop",
    "line_password_change",
    "line_reveal",
    "number_prove",
    "payment_retry",
    "phone_add",
    "phone_first",
    "phone_remove",
    "profile_set",
    "recharge_pay",
    "register",
    "settings_set",
    "sign_in_begin",
    "sign_in_end",
    "sign_in_record",
    "sign_in_seen",
    "sign_ins_end",
    "sign_up",
    "top_up_pay",
    "tries_give_back",
    "tries_take",
]
