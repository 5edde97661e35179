"""Every write of messages."""

from sms.services.accounts import channel_account_add, channel_account_edit, channel_account_switch
from sms.services.notices import (
    cuts_stopped_tell,
    expiry_near_tell,
    receipt_tell,
    renewed_tell,
    suspended_tell,
)
from sms.services.outgoing import message_send, messages_send, report_apply
from sms.services.wordings import wording_reset, wording_set
from sms.services.written import channel_account_try, message_repeat, message_write

__all__ = [
    "channel_account_add",
    "channel_account_edit",
    "channel_account_switch",
    "channel_account_try",
    "cuts_stopped_tell",
    "expiry_near_tell",
    "message_repeat",
    "message_send",
    "message_write",
    "messages_send",
    "receipt_tell",
    "renewed_tell",
    "report_apply",
    "suspended_tell",
    "wording_reset",
    "wording_set",
]
