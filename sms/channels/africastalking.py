"""Africa's Talking bulk SMS.

A thin client of our own instead of the vendor's package: that one keeps one account per process in module globals,
has fixed time-outs, and raises without the HTTP status, so that a wrong key, a rate limit and a server error cannot be
told apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_noop as _

from ispbilling.kernel import http
from ispbilling.kernel.adapters import ConfigField, Facts, Proven
from ispbilling.kernel.errors import Refused, Retryable
from ispbilling.kernel.text import foreign
from sms.channels.base import Channel, ChannelSettings, Delivery, Outgoing, Report, Sent, channel

LIVE, SANDBOX = "https://api.africastalking.com", "https://api.sandbox.africastalking.com"

#: statusCode of a recipient → what became of the message.
_CODES = {
    **dict.fromkeys((100, 101, 102), Delivery.ACCEPTED),
    **dict.fromkeys((401, 402, 403, 404, 406, 407, 409, 502), Delivery.FAILED),
    **dict.fromkeys((405, 500, 501), Delivery.RETRY),
}
#: Statuses with which a call is turned away at the door: nothing left, and it may be tried when that is mended.
_TURNED_AWAY = {**dict.fromkeys((301, 302, 307, 308, 401, 403, 404, 405), "configuration"), 429: "rate"}
_SENT_TO = re.compile(r"Sent to (\d+)")
#: Shorter ends of numbers are not compared: they would fit too many.
_LOCAL_DIGITS = 8
_COST_UNIT, _MOST = Decimal("0.0001"), Decimal(10) ** 8
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
    has_reports = True
    tells_cost = True
    config = {
        "username": ConfigField(_("User name"), _("Type sandbox to use the provider's test system.")),
        "api_key": ConfigField(_("API key"), secret=True),
        "sender": ConfigField(
            _("Sender"), _("Your registered name or short code. Leave empty to use theirs."), required=False
        ),
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
        if len({message.text for message in messages}) > 1:
            raise ValueError("one call carries one text")
        if not messages:
            return []
        try:
            answer = self._post(messages)
        except Retryable as error:
            # After the request left nobody knows; before that, nothing was sent.
            delivery = Delivery.UNKNOWN if error.sent else Delivery.RETRY
            return [Sent(message.id, delivery, code=error.code) for message in messages]
        if answer.status in _TURNED_AWAY:
            return [Sent(message.id, Delivery.RETRY, code=_TURNED_AWAY[answer.status]) for message in messages]
        if not 200 <= answer.status < 300:
            delivery = Delivery.FAILED if answer.status == 400 else Delivery.UNKNOWN
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
            read_timeout_s=self.answer_timeout_s,
        )

    def parse_report(self, form: Mapping[str, str]) -> Report:
        provider_id = foreign(form.get("id"), 80)
        if not provider_id or "status" not in form:
            raise Refused("report.garbage", "no id or status")
        delivery, is_final = _REPORTS.get(form["status"], (Delivery.UNKNOWN, False))
        code, to = foreign(form.get("failureReason"), 60), foreign(form.get("phoneNumber"), 16)
        return Report(provider_id, delivery, code=code, is_final=is_final, to=to)


def _read(answer: http.Answer, messages: Sequence[Outgoing]) -> list[Sent]:
    try:
        data = answer.json_object()["SMSMessageData"]
        recipients = list(data["Recipients"])
        text = foreign(data.get("Message"), 100)
    except (Retryable, RecursionError, KeyError, TypeError, AttributeError):
        return [Sent(message.id, Delivery.UNKNOWN, code="garbage") for message in messages]
    if not recipients and not int("0" + "".join(_SENT_TO.findall(text)[:1])):
        # An unregistered sender gives 201, nobody, and the reason as text.
        return [Sent(message.id, Delivery.FAILED, detail=text) for message in messages]
    entries = _by_message([entry for entry in recipients if isinstance(entry, Mapping)], messages)
    return [_sent(message, entries.get(message.id)) for message in messages]


def _by_message(entries: Sequence[Mapping[str, Any]], messages: Sequence[Outgoing]) -> dict[str, Mapping[str, Any]]:
    """Our message id → its entry in the answer; each entry answers one message, also when two went to one number.

    Numbers come back as ``+254712345678``, without the plus sign, with spaces, or as ``0712345678``; what could be
    two of the asked numbers is nobody's.
    """
    waiting: dict[str, list[str]] = {}
    for message in messages:
        waiting.setdefault(_digits(message.to), []).append(message.id)
    found = {}
    for entry in entries:
        digits = _digits(str(entry.get("number")))
        if digits not in waiting:
            local = digits.lstrip("0")
            alike = [one for one in waiting if len(local) >= _LOCAL_DIGITS and one.endswith(local)]
            digits = alike[0] if len(alike) == 1 else ""
        if waiting.get(digits):
            found[waiting[digits].pop(0)] = entry
    return found


def _digits(number: str) -> str:
    return re.sub(r"[^0-9]", "", number)


def _sent(message: Outgoing, entry: Mapping[str, Any] | None) -> Sent:
    if entry is None:
        return Sent(message.id, Delivery.UNKNOWN, code="missing")
    try:
        code = int(str(entry["statusCode"]))
    except (KeyError, ValueError):
        return Sent(message.id, Delivery.UNKNOWN, code="garbage")
    provider_id = foreign(entry.get("messageId"), 80)
    cost, currency = _cost(foreign(entry.get("cost"), 40))
    return Sent(
        message.id,
        _CODES.get(code, Delivery.UNKNOWN),
        provider_id="" if provider_id == "None" else provider_id,
        cost=cost,
        currency=currency,
        code=str(code),
        detail=foreign(entry.get("status"), 100),
        opted_out=code == 406,
    )


def _cost(text: str) -> tuple[Decimal | None, str]:
    """``KES 0.8000`` or ``0``; anything else is no figure."""
    currency, _, figure = text.rpartition(" ")
    try:
        cost = Decimal(figure).quantize(_COST_UNIT)
        if 0 <= cost < _MOST:
            return cost, currency[:3]
    except InvalidOperation:  # no figure, or one that cannot be counted
        pass
    return None, ""
