"""M-Pesa Express (STK push) of Safaricom, by the Daraja API.

A push is never repeated: it has no idempotency key, and two pushes are two payments. The callback carries the receipt;
the query tells neither receipt nor amount, and answers "still in process" in two ways.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from ispbilling.kernel import clock, http
from ispbilling.kernel.adapters import ConfigField, Facts, Proven
from ispbilling.kernel.errors import Refused, Retryable
from ispbilling.kernel.money import Money
from payments.providers.base import (
    AccountSettings,
    Ack,
    Attempt,
    Incoming,
    Outcome,
    PaymentProvider,
    PushSent,
    Result,
    provider,
)

NAIROBI = ZoneInfo("Africa/Nairobi")
LIVE, SANDBOX = "https://api.safaricom.co.ke", "https://sandbox.safaricom.co.ke"
_PHONE = re.compile(r"254[17]\d{8}")

#: ResultCode → what it means for us and the word for the customer's text. A code that is not here decides nothing.
FINAL_CODES: Mapping[str, tuple[Outcome, str]] = {
    "0": (Outcome.SUCCEEDED, ""),
    "1": (Outcome.FAILED, "funds"),
    "2": (Outcome.FAILED, "limit"),
    "3": (Outcome.FAILED, "limit"),
    "4": (Outcome.FAILED, "limit"),
    "8": (Outcome.FAILED, "limit"),
    "17": (Outcome.FAILED, "busy"),
    "26": (Outcome.FAILED, "busy"),
    "1001": (Outcome.FAILED, "busy"),
    "1019": (Outcome.EXPIRED, "expired"),
    "1025": (Outcome.FAILED, "busy"),
    "1032": (Outcome.CANCELLED, "cancelled"),
    "1037": (Outcome.EXPIRED, "no_answer"),
    "2001": (Outcome.FAILED, "wrong_pin"),
    "2028": (Outcome.FAILED, "configuration"),
    "8006": (Outcome.FAILED, "limit"),
    "9999": (Outcome.FAILED, "busy"),
    "SFC_IC0003": (Outcome.FAILED, "configuration"),
}
#: errorCode of a push that surely was not sent → our error code.
_REFUSALS = {
    "400.002.02": "payment.rejected",
    "404.001.01": "payment.configuration",
    "405.001": "payment.configuration",
    "500.003.02": "payment.busy",
    "500.003.03": "payment.busy",
}
_TOKEN_DEAD = "404.001.03"  # noqa: S105  an error code


@provider("mpesa")
class Mpesa(PaymentProvider):
    title = "M-Pesa"
    currencies = frozenset({"KES"})
    smallest_unit = Decimal(1)  # whole shillings
    receipt_family = "mpesa"
    default_base_url = ""  # by the account's environment
    can_push = True
    can_query = True
    needs_phone = True
    query_at_s = (20, 50, 110, 230)
    expires_after_s = 300
    config = {
        "consumer_key": ConfigField("Consumer key", secret=True),
        "consumer_secret": ConfigField("Consumer secret", secret=True),
        "passkey": ConfigField("Passkey", "E-mailed at go-live.", secret=True),
        "business_shortcode": ConfigField("Shortcode", "Paybill number, or for a till its store number."),
        "party_b": ConfigField("Till number", "For a till; empty for a paybill.", required=False),
        "transaction_type": ConfigField(
            "Kind", "CustomerPayBillOnline or CustomerBuyGoodsOnline", default="CustomerPayBillOnline"
        ),
        "environment": ConfigField("Environment", "live or sandbox", default="live"),
        "max_amount": ConfigField("Largest amount", "Shillings in one payment.", default="250000"),
    }
    facts = Facts(
        docs="Daraja 3.0 M-Pesa Express, read 2026-11",
        proven=Proven.SIMULATOR,
        missing={
            "refund": "the Reversal API needs an initiator of its own",
            "query on every shortcode": "unverified: not known to be enabled for all production shortcodes",
        },
    )

    def __init__(self, settings: AccountSettings) -> None:
        super().__init__(settings)
        is_sandbox = settings.config.get("environment") == "sandbox"
        self._base = settings.base_url or (SANDBOX if is_sandbox else LIVE)

    def start(self, attempt: Attempt) -> PushSent:
        answer = self._call("/mpesa/stkpush/v1/processrequest", self._push_body(attempt))
        body = self._body_of(answer)
        reference = body.get("CheckoutRequestID")
        if answer.status == 200 and str(body.get("ResponseCode")) == "0" and reference:
            return PushSent(str(reference), str(body.get("CustomerMessage") or ""))
        raise self._push_error(answer.status, body)

    def _push_body(self, attempt: Attempt) -> dict[str, str]:
        config, amount = self.settings.config, attempt.amount.amount
        if attempt.amount.currency not in self.currencies:
            raise Refused("payment.currency", attempt.amount.currency)
        if amount != amount.to_integral_value() or not 1 <= amount <= Decimal(config.get("max_amount") or "250000"):
            raise Refused("payment.limit", f"{amount} is not an amount M-Pesa takes")
        phone = attempt.phone.lstrip("+")
        if not _PHONE.fullmatch(phone):
            raise Refused("payment.phone", "not a Kenyan mobile number")
        if attempt.callback_url != attempt.callback_url.lower():
            raise Refused("payment.configuration", "the callback address must be all lower case")
        return {
            **self._signature(),
            "TransactionType": config["transaction_type"],
            "Amount": str(int(amount)),
            "PartyA": phone,
            "PartyB": config.get("party_b") or config["business_shortcode"],
            "PhoneNumber": phone,
            "CallBackURL": attempt.callback_url,
            "AccountReference": attempt.reference[:12],
            "TransactionDesc": attempt.description[:13] or "Internet",
        }

    def _signature(self) -> dict[str, str]:
        shortcode = self.settings.config["business_shortcode"]
        timestamp = clock.machine_now().astimezone(NAIROBI).strftime("%Y%m%d%H%M%S")
        return {
            "BusinessShortCode": shortcode,
            "Password": password(shortcode, self.settings.config["passkey"], timestamp),
            "Timestamp": timestamp,
        }

    @staticmethod
    def _push_error(status: int, body: Mapping[str, Any]) -> Exception:
        code, text = str(body.get("errorCode") or body.get("ResponseCode") or ""), str(body.get("errorMessage") or "")
        if code == "500.001.1001":
            reason = "payment.busy" if "lock" in text.lower() else "payment.configuration"
            return Refused(reason, text, provider_code=code)
        if code in _REFUSALS:
            return Refused(_REFUSALS[code], text, provider_code=code)
        if status in (400, 401, 403) or code == _TOKEN_DEAD:
            return Refused("payment.configuration", text, provider_code=code or str(status))
        return Retryable("payment.unknown", f"HTTP {status} {code}")

    def query(self, attempt: Attempt) -> Result:
        body = {**self._signature(), "CheckoutRequestID": attempt.gateway_reference}
        answer = self._call("/mpesa/stkpushquery/v1/query", body)
        found = self._body_of(answer)
        if "errorCode" in found:
            # 500.001.1001 comes while the prompt is open, and at random for concluded payments too: it means nothing.
            return Result(Outcome.PENDING, code=str(found["errorCode"]), detail=str(found.get("errorMessage") or ""))
        return _result(found.get("ResultCode"), found, attempt.gateway_reference)

    def parse_event(self, incoming: Incoming) -> Result:
        try:
            callback = json.loads(incoming.body, parse_float=Decimal, parse_int=Decimal)["Body"]["stkCallback"]
            reference = str(callback["CheckoutRequestID"])
            code = callback["ResultCode"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Refused("event.garbage", type(error).__name__) from error
        result = _result(code, callback, reference)
        if result.outcome is not Outcome.SUCCEEDED:
            return result
        items = _items(callback)
        try:
            amount = Money(Decimal(str(items["Amount"])), "KES")
            receipt = str(items["MpesaReceiptNumber"]).strip()
        except (KeyError, InvalidOperation) as error:
            raise Refused("event.garbage", "a success without amount or receipt") from error
        if not receipt or amount.amount <= 0:
            raise Refused("event.garbage", "a success without amount or receipt")
        return Result(
            Outcome.SUCCEEDED,
            gateway_reference=reference,
            receipt=receipt[:40],
            amount=amount,
            paid_at=_instant(items.get("TransactionDate")),
            payer=str(items.get("PhoneNumber") or ""),
            code="0",
            detail=str(callback.get("ResultDesc") or ""),
        )

    @classmethod
    def ack(cls) -> Ack:
        return Ack(200, '{"ResultCode":0,"ResultDesc":"Accepted"}')

    def _call(self, path: str, body: Mapping[str, str]) -> http.Answer:
        """POST with a token; a token that a newer one killed is replaced once, since such a call did nothing."""
        token = self.settings.tokens.get() or self._new_token()
        answer = self._post(path, body, token)
        if self._is_token_dead(answer):
            self.settings.tokens.drop(token)
            answer = self._post(path, body, self.settings.tokens.get() or self._new_token())
        return answer

    def _post(self, path: str, body: Mapping[str, str], token: str) -> http.Answer:
        return http.request("POST", self._base + path, json=dict(body), headers={"Authorization": f"Bearer {token}"})

    @staticmethod
    def _is_token_dead(answer: http.Answer) -> bool:
        return answer.status == 401 or _TOKEN_DEAD in answer.text

    def _new_token(self) -> str:
        config = self.settings.config
        try:
            answer = http.request(
                "GET",
                self._base + "/oauth/v1/generate",
                params={"grant_type": "client_credentials"},
                basic=(config["consumer_key"], config["consumer_secret"]),
            )
            body = answer.json_object()
            token, life = str(body["access_token"]), int(body.get("expires_in") or 3599)
        except (Retryable, KeyError, ValueError) as error:
            # No money can have moved: without a token nothing was asked for.
            raise Retryable("payment.token", type(error).__name__, sent=False) from error
        self.settings.tokens.put(token, max(life - 60, 30))
        return token

    @staticmethod
    def _body_of(answer: http.Answer) -> dict[str, Any]:
        return answer.json_object()


def password(shortcode: str, passkey: str, timestamp: str) -> str:
    """base64 of the three, one after the other."""
    return base64.b64encode(f"{shortcode}{passkey}{timestamp}".encode()).decode()


def _result(code: Any, body: Mapping[str, Any], reference: str) -> Result:
    text = "" if code is None else str(code).strip()
    outcome, reason = FINAL_CODES.get(text, (Outcome.PENDING, ""))
    detail = str(body.get("ResultDesc") or "")
    return Result(outcome, gateway_reference=reference, code=text, detail=detail, reason=reason)


def _items(callback: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata by name: order and number of the items differ between what the vendor shows and sends."""
    metadata = callback.get("CallbackMetadata")
    items = metadata.get("Item") if isinstance(metadata, Mapping) else None
    if not isinstance(items, list):
        return {}
    return {str(item["Name"]): item.get("Value") for item in items if isinstance(item, Mapping) and "Name" in item}


def _instant(value: Any) -> datetime | None:
    """``20260115083042``, local time of Nairobi."""
    try:
        return datetime.strptime(str(value), "%Y%m%d%H%M%S").replace(tzinfo=NAIROBI)
    except ValueError:
        return None
