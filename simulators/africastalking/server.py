"""Africa's Talking's server: it checks what the real one checks, takes messages and reports on them.

A phone's behaviour: ``success``, ``invalid`` (403), ``blacklist`` (406), ``no_balance`` (405), ``server_error`` (500)
and the other refusals of the reference, ``lost`` (taken, missing in the answer), ``timeout_after_accept`` (taken, and
never answered). What goes wrong beside that is armed in ``faults``.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from simulators.africastalking.faults import FAULTS
from simulators.africastalking.reports import Reports
from simulators.web import Answer, Asked, WebSimulator

CODES = {
    "success": (101, "Success"),
    "processed": (100, "Processed"),
    "queued": (102, "Queued"),
    "risk": (401, "RiskHold"),
    "bad_sender": (402, "InvalidSenderId"),
    "invalid": (403, "InvalidPhoneNumber"),
    "unsupported": (404, "UnsupportedNumberType"),
    "no_balance": (405, "InsufficientBalance"),
    "blacklist": (406, "UserInBlacklist"),
    "no_route": (407, "CouldNotRoute"),
    "do_not_disturb": (409, "DoNotDisturbRejection"),
    "server_error": (500, "InternalServerError"),
    "gateway_error": (501, "GatewayError"),
    "rejected": (502, "RejectedByGateway"),
}
TAKEN = ("success", "processed", "queued", "lost", "timeout_after_accept")
PRICE = 0.8
PART = 160


class AfricasTalking(WebSimulator):
    """One server for any number of applications: ``apps`` is user name → key, ``senders`` the registered names.

    ``messages`` has every message that was taken; ``report_urls`` says by application where reports go, None for all.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        apps: Mapping[str, str] | None = None,
        senders: set[str] | None = None,
    ) -> None:
        super().__init__(host, port, FAULTS)
        self.apps = dict(apps or {"simulated": "simulated-sms-key"})
        self.senders = senders or {"ISP", "AFRICASTKNG"}
        self.messages: list[dict[str, Any]] = []
        self.behaviours: dict[str | None, str] = {None: "success"}
        self.report_urls: dict[str | None, str] = {}
        self.report_delay_s = 0.2
        self.report_status = "Success"
        self.reports = Reports(self, self.report_urls)
        self._lock = threading.Lock()

    @property
    def report_url(self) -> str:
        """Where reports of applications without an address of their own go; empty for nowhere."""
        return self.report_urls.get(None, "")

    @report_url.setter
    def report_url(self, url: str) -> None:
        self.report_urls[None] = url

    def stop(self) -> None:
        super().stop()
        self.reports.stop()

    def answer(self, asked: Asked, entry: dict[str, Any]) -> Answer:
        if asked.path == "/version1/user" and asked.method == "GET":
            return self.on_the_wire("balance", entry, (), lambda: self._balance(asked))
        if asked.path != "/version1/messaging" or asked.method != "POST":
            return Answer(404, "Not Found", "text/plain")
        fields = parse_qs(asked.body.decode("utf-8", "replace"), keep_blank_values=True)
        form = {name: values[0] for name, values in fields.items()}
        numbers = form.get("to", "").split(",")
        return self.on_the_wire("messaging", entry, numbers, lambda: self._messaging(asked, form))

    def _messaging(self, asked: Asked, form: Mapping[str, str]) -> Answer:
        if not self._is_known(form.get("username", ""), asked):
            return Answer(401, "The supplied authentication is invalid", "text/plain")
        if not form.get("to") or not form.get("message"):
            return Answer(400, "Must have to and message", "text/plain")
        if form.get("from") and form["from"] not in self.senders:
            return self._told(asked, "InvalidSenderId", [], is_refusal=True)
        return self._send(asked, form)

    def _is_known(self, username: str, asked: Asked) -> bool:
        return bool(username) and self.apps.get(username) == asked.header("apiKey")

    def _balance(self, asked: Asked) -> Answer:
        if not self._is_known(asked.query.get("username", ""), asked):
            return Answer(401, "The supplied authentication is invalid", "text/plain")
        return Answer(200, json.dumps({"UserData": {"balance": "KES 1785.50"}}))

    def _send(self, asked: Asked, form: Mapping[str, str]) -> Answer:
        recipients: list[dict[str, Any]] = []
        numbers, hangs, sent = form["to"].split(","), False, 0
        parts = max(1, -(-len(form["message"]) // PART))
        for number in numbers:
            behaviour = self.behaviours.get(number, self.behaviours[None])
            is_taken = behaviour in TAKEN
            code, status = CODES.get(behaviour, CODES["success"])
            message_id = f"ATXid_{uuid4().hex}" if is_taken else "None"
            if is_taken:
                sent += 1
                self._accept(form, number, message_id)
            hangs = hangs or behaviour == "timeout_after_accept"
            if behaviour != "lost":
                recipients.append(
                    {
                        "statusCode": code,
                        "number": number,
                        "status": status,
                        "cost": f"KES {PRICE * parts:.4f}" if is_taken else "0",
                        "messageId": message_id,
                        "messageParts": parts,
                    }
                )
        if hangs:
            return Answer(201, "", hang_s=60, is_silent=True)
        if missing := self.faults.one("recipients_missing", phones=numbers):
            del recipients[-missing["count"] :]
        if form_of := self.faults.one("number_form", phones=numbers):
            for one in recipients:
                one["number"] = _written(one["number"], form_of["form"])
        total = f"Sent to {sent}/{len(numbers)} Total Cost: KES {PRICE * parts * sent:.4f}"
        return self._told(asked, total, recipients, is_refusal=not sent)

    def _accept(self, form: Mapping[str, str], number: str, message_id: str) -> None:
        message = {
            "id": message_id,
            "to": number,
            "text": form["message"],
            "from": form.get("from", "AFRICASTKNG"),
            "username": form["username"],
            "at": time.time(),
        }
        with self._lock:
            self.messages.append(message)
        if not self.reports.url_of(form["username"]):
            return
        if self.faults.happens("report_early", phones=(number,)):
            self.reports.deliver(message, self.report_status)
            return
        late = sum(one["seconds"] for one in self.faults.all("report_late", phones=(number,)))
        self.later(self.report_delay_s + late, self.reports.deliver, message, self.report_status)

    @staticmethod
    def _told(asked: Asked, message: str, recipients: list[dict[str, Any]], *, is_refusal: bool) -> Answer:
        if "json" not in asked.header("Accept"):
            page = f"<AfricasTalkingResponse><Message>{message}</Message></AfricasTalkingResponse>"
            return Answer(201, page, "text/xml", is_refusal)
        body = json.dumps({"SMSMessageData": {"Message": message, "Recipients": recipients}})
        return Answer(201, body, is_refusal=is_refusal)


def _written(number: str, form: str) -> str:
    """A Kenyan number as others write it."""
    if form == "local":
        return "0" + number.removeprefix("+254")
    if form == "spaced":
        return f"{number[:4]} {number[4:7]} {number[7:]}"
    return number.lstrip("+")
