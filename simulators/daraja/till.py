"""What Daraja knows: merchants, prompts on phones and how they end, refusals with its own codes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from secrets import token_hex
from zoneinfo import ZoneInfo

from simulators.web import Answer

NAIROBI = ZoneInfo("Africa/Nairobi")
OPEN, PAID = "open", "0"

#: How a person's behaviour at the phone ends a prompt: ResultCode and ResultDesc.
ENDS = {
    "approve": (PAID, "The service request is processed successfully."),
    "lost_callback": (PAID, "The service request is processed successfully."),
    "refuse": ("1032", "Request cancelled by user"),
    "wrong_pin": ("2001", "The initiator information is invalid."),
    "no_funds": ("1", "The balance is insufficient for the transaction."),
    "timeout": ("1037", "DS timeout user cannot be reached"),
}

#: errorCode of a push that is not accepted → HTTP status, errorMessage.
ERRORS = {
    "400.002.02": (400, "Bad Request - Invalid PhoneNumber"),
    "404.001.01": (404, "Resource not found"),
    "405.001": (405, "Method Not Allowed"),
    "500.003.02": (500, "System is busy. Please try again in few minutes."),
    "500.003.03": (500, "Quota Violation"),
    "500.001.1001": (500, "Merchant does not exist"),
    "500.003.1001": (500, "Internal Server Error"),
    "500.009.0001": (500, "A code nobody has written down"),
}


@dataclass
class Shop:
    """A merchant: its app's keys and its shortcode's passkey."""

    shortcode: str = "174379"
    passkey: str = "simulated-passkey"
    consumer_key: str = "simulated-key"
    consumer_secret: str = "simulated-secret"
    token: str = ""
    token_until: float = 0
    is_registered: bool = False  # for its statement to be read


@dataclass
class Push:
    """One prompt on one phone. ``state``: open, or a ResultCode; that is the truth, whatever a callback claims."""

    merchant_request_id: str
    checkout_request_id: str
    shortcode: str
    reference: str
    amount: int
    phone: str
    callback_url: str
    is_paybill: bool = True
    state: str = OPEN
    text: str = ""
    receipt: str = ""
    ended_at: str = ""
    listed_at: float = 0  # from when on it stands in the statement
    callback_statuses: list[int] = field(default_factory=list)
    forged_statuses: list[int] = field(default_factory=list)


class Refusal(Exception):
    """A call is not accepted, in Daraja's words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        body = {"requestId": token_hex(6), "errorCode": code, "errorMessage": message}
        self.answer = Answer(status, json.dumps(body), is_refusal=True)
