"""Africa's Talking: bulk messages, balance, delivery reports, as the reference describes them.

A phone's behaviour: ``success``, ``invalid`` (403), ``blacklist`` (406), ``no_balance`` (405), ``server_error`` (500),
``lost`` (missing in the answer), ``timeout_after_accept`` (taken, and never answered).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode
from uuid import uuid4

from simulators.control import Handler
from simulators.web import Answer, Asked, WebSimulator, post

CODES = {
    "success": (101, "Success"),
    "invalid": (403, "InvalidPhoneNumber"),
    "no_balance": (405, "InsufficientBalance"),
    "blacklist": (406, "UserInBlacklist"),
    "server_error": (500, "InternalServerError"),
}
PRICE = 0.8
PART = 160


class AfricasTalking(WebSimulator):
    """One server for any number of applications: ``apps`` is user name → key, ``senders`` the registered names."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        apps: Mapping[str, str] | None = None,
        senders: set[str] | None = None,
    ) -> None:
        super().__init__(host, port)
        self.apps = dict(apps or {"simulated": "simulated-sms-key"})
        self.senders = senders or {"ISP", "AFRICASTKNG"}
        self.messages: list[dict[str, Any]] = []
        self.behaviours: dict[str | None, str] = {None: "success"}
        self.report_url = ""
        self.report_delay_s = 0.2
        self.report_status = "Success"
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/version1/user" and asked.method == "GET":
            return self._balance(asked)
        if asked.path != "/version1/messaging" or asked.method != "POST":
            return Answer(404, "Not Found", "text/plain")
        form = {name: values[0] for name, values in parse_qs(asked.body.decode(), keep_blank_values=True).items()}
        if not self._is_known(form.get("username", ""), asked):
            return Answer(401, "The supplied authentication is invalid", "text/plain")
        if not form.get("to") or not form.get("message"):
            return Answer(400, "Must have to and message", "text/plain")
        if form.get("from") and form["from"] not in self.senders:
            return self._answer(asked, "InvalidSenderId", [])
        return self._send(asked, form)

    def _is_known(self, username: str, asked: Asked) -> bool:
        return bool(username) and self.apps.get(username) == asked.header("apiKey")

    def _balance(self, asked: Asked) -> Answer:
        if not self._is_known(asked.query.get("username", ""), asked):
            return Answer(401, "The supplied authentication is invalid", "text/plain")
        return Answer(200, json.dumps({"UserData": {"balance": "KES 1785.50"}}))

    def _send(self, asked: Asked, form: Mapping[str, str]) -> Answer:
        recipients, hangs, sent = [], False, 0
        parts = max(1, -(-len(form["message"]) // PART))
        for number in form["to"].split(","):
            behaviour = self.behaviours.get(number, self.behaviours[None])
            is_taken = behaviour in ("success", "lost", "timeout_after_accept")
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
            return Answer(0, "", hang_s=60)
        total = f"Sent to {sent}/{len(form['to'].split(','))} Total Cost: KES {PRICE * parts * sent:.4f}"
        return self._answer(asked, total, recipients)

    def _accept(self, form: Mapping[str, str], number: str, message_id: str) -> None:
        with self._lock:
            self.messages.append(
                {
                    "id": message_id,
                    "to": number,
                    "text": form["message"],
                    "from": form.get("from", "AFRICASTKNG"),
                    "username": form["username"],
                    "at": time.time(),
                }
            )
        if self.report_url:
            timer = threading.Timer(self.report_delay_s, self._report, (message_id, number))
            timer.daemon = True
            timer.start()

    def _report(self, message_id: str, number: str) -> None:
        form = {"id": message_id, "status": self.report_status, "phoneNumber": number, "networkCode": "63902"}
        post(self.report_url, urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"})

    @staticmethod
    def _answer(asked: Asked, message: str, recipients: list[dict[str, Any]]) -> Answer:
        if "json" not in asked.header("Accept"):
            return Answer(
                201, f"<AfricasTalkingResponse><Message>{message}</Message></AfricasTalkingResponse>", "text/xml"
            )
        return Answer(201, json.dumps({"SMSMessageData": {"Message": message, "Recipients": recipients}}))


def control_handlers(simulator: AfricasTalking) -> Mapping[str, Handler]:
    """What the control port may do with this simulator."""

    def messages(body: dict[str, Any]) -> dict[str, Any]:
        phone = body.get("phone")
        return {"messages": [one for one in list(simulator.messages) if phone in (None, one["to"])]}

    def phone_behaviour(body: dict[str, Any]) -> dict[str, Any]:
        behaviour = str(body["behaviour"])
        if behaviour not in (*CODES, "lost", "timeout_after_accept"):
            raise ValueError(f"no behaviour {behaviour}")
        simulator.behaviours[body.get("phone")] = behaviour
        return {}

    def settings(body: dict[str, Any]) -> dict[str, Any]:
        simulator.report_url = str(body.get("delivery_report_url", simulator.report_url))
        simulator.report_delay_s = float(body.get("delay_s", simulator.report_delay_s))
        simulator.report_status = str(body.get("report_status", simulator.report_status))
        return {}

    return {"messages": messages, "phone_behaviour": phone_behaviour, "settings": settings}
