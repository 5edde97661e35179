"""Safaricom's Daraja: OAuth, STK push, its callback and its query, as the reference describes them.

A prompt on a phone ends by the phone's behaviour: ``approve``, ``refuse`` (1032), ``wrong_pin`` (2001), ``no_funds``
(1), ``timeout`` (1037), ``hold`` (until the control decides), ``lost_callback`` (approved, and never told).
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import count
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

from simulators.control import Handler
from simulators.web import Answer, Asked, WebSimulator, post

NAIROBI = ZoneInfo("Africa/Nairobi")
ENDS = {
    "approve": ("0", "The service request is processed successfully."),
    "lost_callback": ("0", "The service request is processed successfully."),
    "refuse": ("1032", "Request cancelled by user"),
    "wrong_pin": ("2001", "The initiator information is invalid."),
    "no_funds": ("1", "The balance is insufficient for the transaction."),
    "timeout": ("1037", "DS timeout user cannot be reached"),
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


@dataclass
class Shop:
    """A merchant: its app's keys and its shortcode's passkey."""

    shortcode: str = "174379"
    passkey: str = "simulated-passkey"
    consumer_key: str = "simulated-key"
    consumer_secret: str = "simulated-secret"
    token: str = ""
    token_until: float = 0


@dataclass
class Push:
    """One prompt on one phone."""

    merchant_request_id: str
    checkout_request_id: str
    shortcode: str
    reference: str
    amount: int
    phone: str
    callback_url: str
    state: str = "open"  # open, or a ResultCode
    text: str = ""
    receipt: str = ""
    ended_at: str = ""
    callback_statuses: list[int] = field(default_factory=list)


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(
            status, json.dumps({"requestId": token_hex(6), "errorCode": code, "errorMessage": message})
        )


class Daraja(WebSimulator):
    """One server for any number of shops."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, shops: list[Shop] | None = None) -> None:
        super().__init__(host, port)
        self.shops = {shop.shortcode: shop for shop in shops or [Shop()]}
        self.pushes: dict[str, Push] = {}
        self.journal: list[dict[str, Any]] = []
        self.behaviours: dict[str | None, tuple[str, float]] = {None: ("approve", 0.3)}
        self.query_in_flight = "4999"
        self.offset_s = 0.0
        self._lock = threading.RLock()
        self._numbers = count(1)
        self._senders = ThreadPoolExecutor(max_workers=32)

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.journal.append({"at": time.time(), "path": asked.path, "body": asked.body.decode("utf-8", "replace")})
        try:
            if asked.path == "/oauth/v1/generate":
                return self._token(asked)
            if asked.path == "/mpesa/stkpush/v1/processrequest":
                return self._push(*self._signed(asked))
            if asked.path == "/mpesa/stkpushquery/v1/query":
                return self._query(*self._signed(asked))
            raise Refusal(404, "404.001.01", "Resource not found")
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
        with self._lock:
            shop.token, shop.token_until = token_hex(14), time.time() + 3599  # the token before is dead now
        return Answer(200, json.dumps({"access_token": shop.token, "expires_in": "3599"}))

    def _signed(self, asked: Asked) -> tuple[Shop, dict[str, Any]]:
        """The shop and body of a call whose token and password are right."""
        if asked.method != "POST":
            raise Refusal(405, "405.001", "Method Not Allowed")
        token = asked.header("Authorization").removeprefix("Bearer ")
        owner = next((one for one in self.shops.values() if one.token and one.token == token), None)
        if owner is None or owner.token_until < time.time():
            raise Refusal(404, "404.001.03", "Invalid Access Token")
        try:
            body = json.loads(asked.body)
        except ValueError:
            raise Refusal(400, "400.002.02", "Bad Request - Invalid Request Payload") from None
        shop = self.shops.get(str(body.get("BusinessShortCode")))
        stamp = str(body.get("Timestamp"))
        if shop is None or not re.fullmatch(r"\d{14}", stamp):
            raise Refusal(400, "400.002.02", "Bad Request - Invalid BusinessShortCode")
        wanted = base64.b64encode(f"{shop.shortcode}{shop.passkey}{stamp}".encode()).decode()
        if body.get("Password") != wanted:
            raise Refusal(500, "500.001.1001", "Wrong credentials")
        return shop, body

    def _push(self, shop: Shop, body: dict[str, Any]) -> Answer:
        for name in _MANDATORY:
            if not body.get(name):
                raise Refusal(400, "400.002.02", f"Bad Request - Invalid {name}")
        amount, phone, url = str(body["Amount"]), str(body["PhoneNumber"]), str(body["CallBackURL"])
        checks = {
            "Amount": re.fullmatch(r"[1-9]\d*", amount),
            "PhoneNumber": re.fullmatch(r"254[17]\d{8}", phone),
            "PartyA": re.fullmatch(r"254[17]\d{8}", str(body["PartyA"])),
            "CallBackURL": re.match(r"https?://", url) and url == url.lower(),
            "AccountReference": re.fullmatch(r"[A-Za-z0-9]{1,12}", str(body["AccountReference"])),
            "TransactionDesc": len(str(body.get("TransactionDesc", ""))) <= 13,
            "TransactionType": body["TransactionType"] in ("CustomerPayBillOnline", "CustomerBuyGoodsOnline"),
        }
        for name, is_good in checks.items():
            if not is_good:
                raise Refusal(400, "400.002.02", f"Bad Request - Invalid {name}")
        with self._lock:
            if any(one.phone == phone and one.state == "open" for one in self.pushes.values()):
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
                int(amount),
                phone,
                url,
            )
            self.pushes[push.checkout_request_id] = push
            behaviour, delay_s = self.behaviours.get(phone, self.behaviours[None])
        if behaviour != "hold":
            timer = threading.Timer(delay_s, self.end, (push, behaviour))
            timer.daemon = True
            timer.start()
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

    def _query(self, shop: Shop, body: dict[str, Any]) -> Answer:
        push = self.pushes.get(str(body.get("CheckoutRequestID")))
        if push is None or push.shortcode != shop.shortcode:
            raise Refusal(500, "500.001.1001", "The transaction does not Exist")
        if push.state == "open" and self.query_in_flight != "4999":
            raise Refusal(500, "500.001.1001", "The transaction is being processed")
        code = "4999" if push.state == "open" else push.state
        text = "The transaction is still under processing" if push.state == "open" else push.text
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
        """The person at the phone has decided; the callback goes out once."""
        with self._lock:
            if push.state != "open":
                return
            push.state, push.text = ENDS[behaviour]
            moment = datetime.now(NAIROBI) + timedelta(seconds=self.offset_s)
            push.ended_at = moment.strftime("%Y%m%d%H%M%S")
            if push.state == "0":
                push.receipt = f"T{chr(65 + moment.month - 1)}{chr(65 + moment.day % 26)}{next(self._numbers):07d}"
        if behaviour != "lost_callback":
            self.send_callback(push)

    def callback_body(self, push: Push) -> bytes:
        callback: dict[str, Any] = {
            "MerchantRequestID": push.merchant_request_id,
            "CheckoutRequestID": push.checkout_request_id,
            "ResultCode": int(push.state),
            "ResultDesc": push.text,
        }
        if push.state == "0":
            callback["CallbackMetadata"] = {
                "Item": [
                    {"Name": "Amount", "Value": float(push.amount)},
                    {"Name": "MpesaReceiptNumber", "Value": push.receipt},
                    {"Name": "Balance"},
                    {"Name": "TransactionDate", "Value": int(push.ended_at)},
                    {"Name": "PhoneNumber", "Value": int(push.phone)},
                ]
            }
        return json.dumps({"Body": {"stkCallback": callback}}).encode()

    def send_callback(self, push: Push, times: int = 1) -> list[int]:
        """Deliver the callback, ``times`` of them at the same moment. Never retried."""
        headers = {"Content-Type": "application/json", "BusinessShortCode": push.shortcode}
        body = self.callback_body(push)
        sent = [self._senders.submit(post, push.callback_url, body, headers) for _ in range(times)]
        statuses = [one.result() for one in sent]
        with self._lock:
            push.callback_statuses += statuses
        return statuses


def control_handlers(daraja: Daraja) -> Mapping[str, Handler]:
    """What the control port may do with this simulator."""

    def find(body: dict[str, Any]) -> Push:
        for push in daraja.pushes.values():
            if body.get("checkout_request_id") == push.checkout_request_id or body.get("reference") == push.reference:
                return push
        raise ValueError("no such push")

    def phone_behaviour(body: dict[str, Any]) -> dict[str, Any]:
        behaviour = str(body["behaviour"])
        if behaviour not in (*ENDS, "hold"):
            raise ValueError(f"no behaviour {behaviour}")
        daraja.behaviours[body.get("phone")] = (behaviour, float(body.get("delay_s", 0.3)))
        return {}

    def decide(body: dict[str, Any]) -> dict[str, Any]:
        daraja.end(find(body), str(body["behaviour"]))
        return {}

    def send_callback(body: dict[str, Any]) -> dict[str, Any]:
        return {"statuses": daraja.send_callback(find(body), int(body.get("times", 1)))}

    def settings(body: dict[str, Any]) -> dict[str, Any]:
        daraja.query_in_flight = str(body.get("query_in_flight", daraja.query_in_flight))
        daraja.offset_s = float(body.get("offset_s", daraja.offset_s))
        return {}

    return {
        "phone_behaviour": phone_behaviour,
        "decide": decide,
        "send_callback": send_callback,
        "settings": settings,
        "pushes": lambda _body: {"pushes": [asdict(push) for push in daraja.pushes.values()]},
        "journal": lambda _body: {"journal": list(daraja.journal)},
    }
