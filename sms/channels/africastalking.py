"""Africa's Talking bulk SMS.

A thin client of our own instead of the vendor's package: that one keeps one account per process in module globals,
has fixed time-outs, and raises without the HTTP status, so that a wrong key, a rate limit and a server error cannot be
told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from ispbilling.kernel import http
from ispbilling.kernel.adapters import ConfigField, Facts, Proven
from ispbilling.kernel.errors import Refused, Retryable
from sms.channels.base import Channel, ChannelSettings, Delivery, Outgoing, Report, Sent, channel

LIVE, SANDBOX = "https://api.africastalking.com", "https://api.sandbox.africastalking.com"

#: statusCode of a recipient → what became of the message.
_CODES = {
    **dict.fromkeys((100, 101, 102), Delivery.ACCEPTED),
    **dict.fromkeys((401, 402, 403, 404, 406, 407, 409, 502), Delivery.FAILED),
    **dict.fromkeys((405, 500, 501), Delivery.RETRY),
}
_REPORTS = {
    "Sent": (Delivery.ACCEPTED, False),
    "Submitted": (Delivery.ACCEPTED, False),
    "Buffered": (Delivery.ACCEPTED, False),
    "Success": (Delivery.DELIVERED, True),
    "Failed": (Delivery.FAILED, True),
    "Rejected": (Delivery.FAILED, True),
    "AbsentSubscriber": (Delivery.FAILED, True),
    "Expired": (Delivery.FAILED, True),
}


@channel("africastalking")
class AfricasTalking(Channel):
    title = "Africa's Talking"
    batch_size = 100
    config = {
        "username": ConfigField("User name", "“sandbox” uses the sandbox."),
        "api_key": ConfigField("API key", secret=True),
        "sender": ConfigField("Sender", "Registered name or short code; empty: theirs.", required=False),
    }
    facts = Facts(
        docs="SMS, bulk messaging, read 2026-11",
        proven=Proven.SIMULATOR,
        missing={"opt-out callbacks": "not read", "exact text of a wrong key": "unverified; the HTTP status decides"},
    )

    def __init__(self, settings: ChannelSettings) -> None:
        super().__init__(settings)
        self._base = settings.base_url or (SANDBOX if settings.config["username"] == "sandbox" else LIVE)

    def send(self, messages: Sequence[Outgoing]) -> list[Sent]:
        if len({message.text for message in messages}) != 1:
            raise ValueError("one call carries one text")
        try:
            answer = self._post(messages)
        except Retryable as error:
            # After the request left nobody knows; before that, nothing was sent.
            delivery = Delivery.UNKNOWN if error.sent else Delivery.RETRY
            return [Sent(message.id, delivery, code=error.code) for message in messages]
        if answer.status in (401, 403):
            return [Sent(message.id, Delivery.RETRY, code="configuration") for message in messages]
        if answer.status == 429:
            return [Sent(message.id, Delivery.RETRY, code="rate") for message in messages]
        if answer.status not in (200, 201):
            delivery = Delivery.FAILED if answer.status < 500 else Delivery.UNKNOWN
            return [Sent(message.id, delivery, code=f"HTTP {answer.status}") for message in messages]
        return _read(answer, messages)

    def _post(self, messages: Sequence[Outgoing]) -> http.Answer:
        config = self.settings.config
        form = {
            "username": config["username"],
            "to": ",".join(message.to for message in messages),
            "message": messages[0].text,
            "bulkSMSMode": "1",
        }
        if config.get("sender"):
            form["from"] = config["sender"]
        if len(messages) > 1:
            form["enqueue"] = "1"
        return http.request(
            "POST",
            f"{self._base}/version1/messaging",
            form=form,
            headers={"apiKey": config["api_key"], "Accept": "application/json"},
        )

    def parse_report(self, form: Mapping[str, str]) -> Report:
        delivery, is_final = _REPORTS.get(form.get("status", ""), (Delivery.UNKNOWN, False))
        if not form.get("id") or "status" not in form:
            raise Refused("report.garbage", "no id or status")
        return Report(form["id"][:80], delivery, code=form.get("failureReason", "")[:60], is_final=is_final)


def _read(answer: http.Answer, messages: Sequence[Outgoing]) -> list[Sent]:
    try:
        data = answer.json_object()["SMSMessageData"]
        recipients = data["Recipients"]
        by_number = {str(entry["number"]): entry for entry in recipients}
    except (Retryable, KeyError, TypeError):
        return [Sent(message.id, Delivery.UNKNOWN, code="garbage") for message in messages]
    if not recipients:
        # An unregistered sender gives 201, nobody, and the reason as text.
        return [Sent(message.id, Delivery.FAILED, detail=str(data.get("Message"))[:100]) for message in messages]
    return [_sent(message, by_number.get(message.to)) for message in messages]


def _sent(message: Outgoing, entry: Mapping[str, Any] | None) -> Sent:
    if entry is None:
        return Sent(message.id, Delivery.UNKNOWN, code="missing")
    try:
        code = int(entry["statusCode"])
    except (KeyError, TypeError, ValueError):
        return Sent(message.id, Delivery.UNKNOWN, code="garbage")
    provider_id = str(entry.get("messageId") or "")
    cost, currency = _cost(str(entry.get("cost") or ""))
    return Sent(
        message.id,
        _CODES.get(code, Delivery.UNKNOWN),
        provider_id="" if provider_id == "None" else provider_id,
        cost=cost,
        currency=currency,
        code=str(code),
        detail=str(entry.get("status") or ""),
        opted_out=code == 406,
    )


def _cost(text: str) -> tuple[Decimal | None, str]:
    """``KES 0.8000`` or ``0``."""
    currency, _, figure = text.rpartition(" ")
    try:
        return Decimal(figure), currency[:3]
    except InvalidOperation:
        return None, ""
