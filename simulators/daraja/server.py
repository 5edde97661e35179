"""Daraja's server: it checks what the real one checks, keeps prompts, and ends them by the person at the phone.

A prompt on a phone ends by the phone's behaviour: ``approve``, ``refuse`` (1032), ``wrong_pin`` (2001), ``no_funds``
(1), ``timeout`` (1037), ``hold`` (until the control decides), ``lost_callback`` (approved, and never told). What goes
wrong beside that is armed in ``faults``.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from datetime import datetime, timedelta
from itertools import count
from secrets import token_hex
from typing import Any

from simulators.daraja import callbacks, statement
from simulators.daraja.callbacks import Callbacks
from simulators.daraja.faults import FAULTS
from simulators.daraja.till import ENDS, ERRORS, NAIROBI, OPEN, PAID, Push, Refusal, Shop
from simulators.web import Answer, Asked, WebSimulator

_CALLS = {
    "/oauth/v1/generate": "token",
    "/mpesa/stkpush/v1/processrequest": "push",
    "/mpesa/stkpushquery/v1/query": "query",
    "/pulltransactions/v1/register": "pull",
    "/pulltransactions/v1/query": "pull",
}
_MANDATORY = (
    "BusinessShortCode",
    "Password",
    "Timestamp",
    "TransactionType",
    "Amount",
    "PartyA",
    "PartyB",
    "PhoneNumber",
    "CallBackURL",
    "AccountReference",
)


class Daraja(WebSimulator):
    """One server for any number of shops. ``pushes`` has every accepted prompt by its CheckoutRequestID."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, shops: list[Shop] | None = None) -> None:
        super().__init__(host, port, FAULTS)
        self.shops = {shop.shortcode: shop for shop in shops or [Shop()]}
        self.pushes: dict[str, Push] = {}
        self.others: list[dict[str, str]] = []  # rows of the statement that no push of ours made
        self.behaviours: dict[str | None, tuple[str, float]] = {None: ("approve", 0.3)}
        self.query_in_flight = "4999"
        self.offset_s = 0.0
        self.callbacks = Callbacks(self, self.pushes)
        self._lock = threading.RLock()
        self._numbers = count(1)
        self._last_receipt = ""

    def stop(self) -> None:
        super().stop()
        self.callbacks.stop()

    def answer(self, asked: Asked, entry: dict[str, Any]) -> Answer:
        call = _CALLS.get(asked.path, "")
        if not call:
            return Refusal(404, "404.001.01", "Resource not found").answer
        return self.on_the_wire(call, entry, self._phones(asked), lambda: self._worked(call, asked))

    def _phones(self, asked: Asked) -> tuple[str, ...]:
        """Whose call this is, for faults of one phone."""
        try:
            body = json.loads(asked.body)
            push = self.pushes.get(str(body.get("CheckoutRequestID")))
        except (ValueError, AttributeError):
            return ()
        return (push.phone if push else str(body.get("PhoneNumber")),)

    def _worked(self, call: str, asked: Asked) -> Answer:
        try:
            if call == "token":
                return self._token(asked)
            if call == "pull":
                return self._pull(asked)
            shop, body = self._signed(call, asked)
            return self._push(shop, body) if call == "push" else self._query(shop, body)
        except Refusal as refusal:
            return refusal.answer

    def _token(self, asked: Asked) -> Answer:
        kind, _, encoded = asked.header("Authorization").partition(" ")
        if asked.query.get("grant_type") != "client_credentials":
            raise Refusal(400, "400.008.02", "Invalid grant type passed")
        try:
            key, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            key = secret = ""
        shop = next(
            (one for one in self.shops.values() if (one.consumer_key, one.consumer_secret) == (key, secret)), None
        )
        if kind != "Basic" or shop is None:
            raise Refusal(400, "400.008.01", "Invalid Authentication passed")
        return Answer(200, json.dumps({"access_token": self._new_token(shop), "expires_in": "3599"}))

    def _new_token(self, shop: Shop) -> str:
        with self._lock:
            shop.token, shop.token_until = token_hex(14), time.time() + 3599  # the token before is dead now
            return shop.token

    def _pull(self, asked: Asked) -> Answer:
        """The statement: the token alone says who asks."""
        owner, body = self._known("pull", asked)
        if owner.shortcode != str(body.get("ShortCode")):
            raise Refusal(400, "400.002.02", "Bad Request - Invalid ShortCode")
        if asked.path.endswith("register"):
            return statement.register(owner, body)
        return statement.page(owner, body, list(self.pushes.values()), list(self.others), self.faults)

    def _known(self, call: str, asked: Asked) -> tuple[Shop, dict[str, Any]]:
        """Whose token it is, and the body."""
        if asked.method != "POST":
            raise Refusal(405, "405.001", "Method Not Allowed")
        token, phones = asked.header("Authorization").removeprefix("Bearer "), self._phones(asked)
        owner = next((one for one in self.shops.values() if one.token and one.token == token), None)
        if owner is not None and self.faults.happens("token_killed", phones=phones, on=call):
            self._new_token(owner)
        if owner is not None and owner.token == token and self.faults.happens("token_dead", phones=phones, on=call):
            owner.token_until = 0
        if owner is None or owner.token != token or owner.token_until < time.time():
            raise Refusal(404, "404.001.03", "Invalid Access Token")
        try:
            body = json.loads(asked.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Refusal(400, "400.002.02", "Bad Request - Invalid Request Payload")
        return owner, body

    def _signed(self, call: str, asked: Asked) -> tuple[Shop, dict[str, Any]]:
        """The shop and body of a call whose token and password are right."""
        _, body = self._known(call, asked)
        shop = self.shops.get(str(body.get("BusinessShortCode")))
        stamp = str(body.get("Timestamp"))
        if shop is None or not re.fullmatch(r"\d{14}", stamp):
            raise Refusal(400, "400.002.02", "Bad Request - Invalid BusinessShortCode")
        wanted = base64.b64encode(f"{shop.shortcode}{shop.passkey}{stamp}".encode()).decode()
        if body.get("Password") != wanted:
            raise Refusal(500, "500.001.1001", "Wrong credentials")
        return shop, body

    def _push(self, shop: Shop, body: dict[str, Any]) -> Answer:
        phone = str(body.get("PhoneNumber"))
        _check_push(body)
        if refused := self.faults.one("error_code", phones=(phone,)):
            status, message = ERRORS[refused["code"]]
            raise Refusal(status, refused["code"], message)
        push = self._opened(shop, body, phone)
        behaviour, delay_s = self.behaviours.get(phone, self.behaviours[None])
        if self.faults.happens("callback_early", phones=(phone,)):
            self.end(push, "approve" if behaviour == "hold" else behaviour)
        elif behaviour != "hold":
            self.later(delay_s, self.end, push, behaviour)
        if self.faults.is_armed("callback_forged"):
            self.later(0, self.callbacks.forge, push, "open")
        accepted = "Success. Request accepted for processing"
        return Answer(
            200,
            json.dumps(
                {
                    "MerchantRequestID": push.merchant_request_id,
                    "CheckoutRequestID": push.checkout_request_id,
                    "ResponseCode": "0",
                    "ResponseDescription": accepted,
                    "CustomerMessage": accepted,
                }
            ),
        )

    def _opened(self, shop: Shop, body: dict[str, Any], phone: str) -> Push:
        with self._lock:
            if any(one.phone == phone and one.state == OPEN for one in self.pushes.values()):
                raise Refusal(
                    500,
                    "500.001.1001",
                    "Unable to lock subscriber, a transaction is already in process for the current subscriber",
                )
            number = next(self._numbers)
            push = Push(
                f"{number}-{token_hex(3)}-1",
                f"ws_CO_{datetime.now(NAIROBI):%d%m%Y%H%M%S}{number:010d}",
                shop.shortcode,
                str(body["AccountReference"]),
                int(body["Amount"]),
                phone,
                str(body["CallBackURL"]),
                is_paybill=body["TransactionType"] == "CustomerPayBillOnline",
            )
            self.pushes[push.checkout_request_id] = push
            return push

    def _query(self, shop: Shop, body: dict[str, Any]) -> Answer:
        push = self.pushes.get(str(body.get("CheckoutRequestID")))
        if push is None or push.shortcode != shop.shortcode:
            raise Refusal(500, "500.001.1001", "The transaction does not Exist")
        code, text = push.state, push.text
        if code == OPEN:
            code, text = "4999", "The transaction is still under processing"
            armed = self.faults.one("query_in_flight", phones=(push.phone,))
            face = armed or {"face": self.query_in_flight, "status": 500, "message": "processing"}
            if face["face"] != "4999":
                message = "The transaction is being processed" if face["message"] else ""
                raise Refusal(face["status"], "500.001.1001", message)
        elif silent := self.faults.one("query_no_answer", phones=(push.phone,)):
            raise Refusal(silent["status"], "500.001.1001", "The transaction is being processed")
        elif strange := self.faults.one("query_code", phones=(push.phone,)):
            code, text = strange["code"], "A code nobody has written down"
        return Answer(
            200,
            json.dumps(
                {
                    "ResponseCode": "0",
                    "ResponseDescription": "The service request has been accepted successfully",
                    "MerchantRequestID": push.merchant_request_id,
                    "CheckoutRequestID": push.checkout_request_id,
                    "ResultCode": code,
                    "ResultDesc": text,
                }
            ),
        )

    def end(self, push: Push, behaviour: str) -> None:
        """The person at the phone has decided; the callback goes out once. Raises ValueError for no such decision."""
        if behaviour not in ENDS:
            raise ValueError(f"no behaviour {behaviour}")
        with self._lock:
            if push.state != OPEN:
                return
            is_paid, phones = ENDS[behaviour][0] == PAID, (push.phone,)
            turned = self.faults.one("success_after_failure", phones=phones) if is_paid else None
            self._conclude(push, "refuse" if turned else behaviour)
        if turned:
            self.later(turned["seconds"], self._overturn, push, behaviour)
        if turned or behaviour != "lost_callback":
            self.callbacks.deliver(push)

    def _overturn(self, push: Push, behaviour: str) -> None:
        """It was paid after all."""
        self._conclude(push, behaviour)
        if behaviour != "lost_callback":
            self.callbacks.deliver(push)

    def _conclude(self, push: Push, behaviour: str) -> None:
        with self._lock:
            push.state, push.text = ENDS[behaviour]
            moment = datetime.now(NAIROBI) + timedelta(seconds=self.offset_s)
            push.ended_at = moment.strftime("%Y%m%d%H%M%S")
            if push.state != PAID:
                return
            push.receipt = f"T{chr(65 + moment.month - 1)}{chr(65 + moment.day % 26)}{next(self._numbers):07d}"
            if self._last_receipt and self.faults.happens("receipt_repeated", phones=(push.phone,)):
                push.receipt = self._last_receipt
            self._last_receipt = push.receipt
            late = self.faults.all("pull_late", phones=(push.phone,))
            push.listed_at = time.time() + sum(one["seconds"] for one in late)

    def callback_body(self, push: Push) -> bytes:
        """The true callback of a prompt that has ended."""
        return callbacks.callback_body(push)

    def send_callback(self, push: Push, times: int = 1) -> list[int]:
        """Deliver the true callback by hand, ``times`` of them at the same moment, past all faults."""
        return self.callbacks.send(push, self.callback_body(push), times)


def _check_push(body: dict[str, Any]) -> None:
    for name in _MANDATORY:
        if not body.get(name):
            raise Refusal(400, "400.002.02", f"Bad Request - Invalid {name}")
    url = str(body["CallBackURL"])
    checks = {
        "Amount": re.fullmatch(r"[1-9]\d*", str(body["Amount"])),
        "PhoneNumber": re.fullmatch(r"254[17]\d{8}", str(body["PhoneNumber"])),
        "PartyA": re.fullmatch(r"254[17]\d{8}", str(body["PartyA"])),
        "CallBackURL": re.match(r"https?://", url) and url == url.lower(),
        "AccountReference": re.fullmatch(r"[A-Za-z0-9]{1,12}", str(body["AccountReference"])),
        "TransactionDesc": len(str(body.get("TransactionDesc", ""))) <= 13,
        "TransactionType": body["TransactionType"] in ("CustomerPayBillOnline", "CustomerBuyGoodsOnline"),
    }
    for name, is_good in checks.items():
        if not is_good:
            raise Refusal(400, "400.002.02", f"Bad Request - Invalid {name}")
