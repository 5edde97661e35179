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

__all__ = [
    "channel_account_add",
    "channel_account_edit",
    "channel_account_switch",
    "cuts_stopped_tell",
    "expiry_near_tell",
    "message_send",
    "messages_send",
    "receipt_tell",
    "renewed_tell",
    "report_apply",
    "suspended_tell",
]
