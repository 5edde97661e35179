"""M-Pesa Express (STK push) of Safaricom, by the Daraja API.

A push is never repeated: it has no idempotency key, and two pushes are two payments. The callback carries the receipt;
the query tells neither receipt nor amount, and answers "still in process" in two ways.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop as _

from ispbilling.kernel import clock, http
from ispbilling.kernel.adapters import ConfigField, Facts, Proven
from ispbilling.kernel.errors import Refused, Retryable
from ispbilling.kernel.money import Money
from ispbilling.kernel.text import foreign
from payments.providers import mpesa_pull
from payments.providers.base import (
    AccountSettings,
    Ack,
    Attempt,
    Incoming,
    Outcome,
    PaymentProvider,
    PushSent,
    Result,
    StatementPage,
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
#: Words in the text of 500.001.1001, which stands for several things → our error code.
_OVERLOADED = {
    "lock": "payment.busy",
    "credential": "payment.configuration",
    "merchant": "payment.configuration",
}
_TOKEN_DEAD = "404.001.03"  # noqa: S105  an error code
#: Statuses with which a call is turned away at the door, whatever the page says: nothing was begun.
_TURNED_AWAY = {**dict.fromkeys((400, 401, 403, 404, 405), "payment.configuration"), 429: "payment.busy"}
_TOKEN = re.compile(r"[\x21-\x7e]{1,2000}")
_RECEIPT = re.compile(r"[A-Za-z0-9]{1,40}")
#: Larger than anything M-Pesa moves, and still within our columns.
_MOST = Decimal(10) ** 12


@provider("mpesa")
class Mpesa(PaymentProvider):
    title = "M-Pesa"
    currencies = frozenset({"KES"})
    smallest_unit = Decimal(1)  # whole shillings
    receipt_family = "mpesa"
    default_base_url = ""  # by the account's environment
    can_push = True
    can_query = True
    can_list = True
    can_ping = True
    needs_phone = True
    has_callbacks = True
    list_window = mpesa_pull.WINDOW
    list_lateness = mpesa_pull.LATENESS
    query_at_s = (20, 50, 110, 230)
    expires_after_s = 300
    config = {
        "consumer_key": ConfigField(_("Consumer key"), secret=True),
        "consumer_secret": ConfigField(_("Consumer secret"), secret=True),
        "passkey": ConfigField(_("Passkey"), _("E-mailed at go-live."), secret=True),
        "business_shortcode": ConfigField(_("Shortcode"), _("Paybill number, or for a till its store number.")),
        "party_b": ConfigField(_("Till number"), _("For a till; empty for a paybill."), required=False),
        "transaction_type": ConfigField(
            _("Kind"), _("CustomerPayBillOnline or CustomerBuyGoodsOnline"), default="CustomerPayBillOnline"
        ),
        "environment": ConfigField(_("Environment"), _("live or sandbox"), default="live"),
        "max_amount": ConfigField(_("Largest amount"), _("Shillings in one payment."), default="250000"),
        **mpesa_pull.CONFIG,
    }
    facts = Facts(
        docs="Daraja 3.0 M-Pesa Express, read 2026-11",
        proven=Proven.SIMULATOR,
        missing={
            "can_refund": "the Reversal API needs an initiator of its own; not written yet",
            "signs_callbacks": "Daraja signs nothing: the tokens in the path and our own question stand in",
            "tells_currency": "M-Pesa of Kenya knows shillings only and names no currency",
            "Pull Transactions on the wire": "unverified: the answer's form is as two other clients read it; not on the"
            " sandbox shortcode; how late an entry may appear is not promised",
            "query on every shortcode": "unverified: not known to be enabled for all production shortcodes",
        },
    )

    def __init__(self, settings: AccountSettings) -> None:
        super().__init__(settings)
        is_sandbox = settings.config.get("environment") == "sandbox"
        self._base = settings.base_url or (SANDBOX if is_sandbox else LIVE)

    def start(self, attempt: Attempt) -> PushSent:
        answer = self._call("/mpesa/stkpush/v1/processrequest", self._push_body(attempt))
        body = _object(answer)
        if body is None and answer.status == 200:
            raise Retryable("http.garbage", "HTTP 200, not a JSON object")
        reference = _reference(body)
        if body and answer.status == 200 and str(body.get("ResponseCode")) == "0" and reference:
            return PushSent(reference, foreign(body.get("CustomerMessage"), 200))
        raise _push_error(answer.status, body or {})

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

    def query(self, attempt: Attempt) -> Result:
        body = {**self._signature(), "CheckoutRequestID": attempt.gateway_reference}
        answer = self._call("/mpesa/stkpushquery/v1/query", body)
        found = _object(answer)
        if found is None:
            raise Retryable("http.garbage", f"HTTP {answer.status}, not a JSON object")
        if "errorCode" in found:
            # 500.001.1001 comes while the prompt is open, and at random for concluded payments too: it means nothing.
            code, text = foreign(found["errorCode"], 40), foreign(found.get("errorMessage"), 300)
            return Result(Outcome.PENDING, attempt.gateway_reference, code=code, detail=text)
        if answer.status != 200 or _reference(found) not in ("", attempt.gateway_reference):
            return Result(Outcome.PENDING, attempt.gateway_reference, code=f"HTTP {answer.status}", detail="not ours")
        return _result(found.get("ResultCode"), found, attempt.gateway_reference)

    def parse_event(self, incoming: Incoming) -> Result:
        try:
            callback = json.loads(incoming.body, parse_float=Decimal, parse_int=Decimal)["Body"]["stkCallback"]
            code = callback["ResultCode"]
            reference = _reference(callback)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Refused("event.garbage", type(error).__name__) from error
        if not reference:
            raise Refused("event.garbage", "no CheckoutRequestID")
        result = _result(code, callback, reference)
        if result.outcome is not Outcome.SUCCEEDED:
            return result
        items = _items(callback)
        receipt = items.get("MpesaReceiptNumber")
        if not isinstance(receipt, str) or not _RECEIPT.fullmatch(receipt := receipt.strip()):
            raise Refused("event.garbage", "a success without a receipt")
        return replace(
            result,
            receipt=receipt,
            amount=_amount(items.get("Amount")),
            paid_at=_instant(items.get("TransactionDate")),
            payer=foreign(items.get("PhoneNumber"), 80),
        )

    @classmethod
    def lists(cls, config: Mapping[str, str]) -> bool:
        return mpesa_pull.is_on(config)

    def list_register(self, callback_url: str) -> None:
        """Tell Safaricom once that this shortcode's payments are read; a second time is answered alike."""
        answer = self._call(mpesa_pull.REGISTER, mpesa_pull.registration(self.settings.config, callback_url))
        if not mpesa_pull.is_registered(self._listed(answer)):
            raise Retryable("payment.unknown", f"HTTP {answer.status}, not registered")

    def transactions_between(self, since: datetime, until: datetime, page: str) -> StatementPage:
        answer = self._call(mpesa_pull.QUERY, mpesa_pull.question(self.settings.config, since, until, page))
        found = mpesa_pull.page_of(self._listed(answer), page)
        if found is None:
            raise Retryable("http.garbage", f"HTTP {answer.status}, not a page of a statement")
        return found

    @staticmethod
    def _listed(answer: http.Answer) -> dict[str, Any]:
        """The body of an answer about the statement. Raises Retryable, and Refused where it is not ours to read."""
        body = _object(answer) or {}
        code, text = foreign(body.get("errorCode"), 40), foreign(body.get("errorMessage"), 300)
        if answer.status in _TURNED_AWAY:
            raise Refused(_TURNED_AWAY[answer.status], text, provider_code=code or str(answer.status))
        if answer.status != 200 or not body or code:
            raise Retryable("http.garbage", f"HTTP {answer.status} {code}")
        return body

    @classmethod
    def ack(cls) -> Ack:
        return Ack(200, '{"ResultCode":0,"ResultDesc":"Accepted"}')

    def ping(self) -> None:
        """A new token: the only question without consequences. Calls under way with the old one ask again."""
        self._new_token()

    def _call(self, path: str, body: Mapping[str, str]) -> http.Answer:
        """POST with a token; a token that a newer one killed is replaced once, since such a call did nothing."""
        token = self.settings.tokens.get() or self._new_token()
        answer = self._post(path, body, token)
        if _is_token_dead(answer):
            self.settings.tokens.drop(token)
            answer = self._post(path, body, self.settings.tokens.get() or self._new_token())
        return answer

    def _post(self, path: str, body: Mapping[str, str], token: str) -> http.Answer:
        return http.request(
            "POST",
            self._base + path,
            json=dict(body),
            headers={"Authorization": f"Bearer {token}"},
            read_timeout_s=self.answer_timeout_s,
        )

    def _new_token(self) -> str:
        """A token for an hour. Whatever goes wrong here, nothing was asked for and no money can have moved.

        Raises Refused where our keys are, and Retryable with ``sent=False`` where an answer is missing.
        """
        config = self.settings.config
        try:
            answer = http.request(
                "GET",
                self._base + "/oauth/v1/generate",
                params={"grant_type": "client_credentials"},
                basic=(config["consumer_key"], config["consumer_secret"]),
                read_timeout_s=self.answer_timeout_s,
            )
        except Retryable as error:
            raise Retryable("payment.token", error.code, sent=False) from error
        body = _object(answer) or {}
        if answer.status in _TURNED_AWAY:
            code = foreign(body.get("errorCode"), 40) or str(answer.status)
            raise Refused(_TURNED_AWAY[answer.status], "no access token was given", provider_code=code)
        token = body.get("access_token")
        if answer.status != 200 or not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise Retryable("payment.token", f"HTTP {answer.status} without a token", sent=False)
        self.settings.tokens.put(token, _lifetime_s(body.get("expires_in")))
        return token

    @classmethod
    def clean_config(cls, given: Mapping[str, Any]) -> dict[str, str]:
        config = super().clean_config(given)
        allowed = {
            "business_shortcode": r"\d{5,7}",
            "party_b": r"(\d{5,7})?",
            "transaction_type": "CustomerPayBillOnline|CustomerBuyGoodsOnline",
            "environment": "live|sandbox",
            "max_amount": r"[1-9]\d{0,8}",
        }
        wrong = [name for name, form in allowed.items() if not re.fullmatch(form, config[name])]
        wrong += mpesa_pull.wrong_settings(config)
        if wrong:
            raise Refused("config.invalid", f"not possible: {', '.join(wrong)}")
        return config


def _object(answer: http.Answer) -> dict[str, Any] | None:
    """The body if it is a JSON object: in front of Daraja stand others, who answer in HTML."""
    try:
        return answer.json_object()
    except (Retryable, RecursionError):
        return None


def _reference(body: Mapping[str, Any] | None) -> str:
    """Daraja's name for a prompt, cut to what we keep, here and wherever it comes back."""
    return foreign((body or {}).get("CheckoutRequestID"), 80)


def _is_token_dead(answer: http.Answer) -> bool:
    return answer.status == 401 or (answer.status >= 400 and _TOKEN_DEAD in answer.text)


def _lifetime_s(expires_in: Any) -> int:
    """Told as a number here and as text there; renewed a minute early."""
    try:
        return min(max(int(expires_in) - 60, 30), 3600)
    except (TypeError, ValueError, OverflowError):
        return 3539


def _push_error(status: int, body: Mapping[str, Any]) -> Exception:
    code = foreign(body.get("errorCode") or body.get("ResponseCode"), 40)
    text = foreign(body.get("errorMessage"), 300)
    if code == "500.001.1001":  # overloaded: only its known texts say that nothing was begun
        for word, reason in _OVERLOADED.items():
            if word in text.lower():
                return Refused(reason, text, provider_code=code)
    if code in _REFUSALS:
        return Refused(_REFUSALS[code], text, provider_code=code)
    if status in _TURNED_AWAY:
        return Refused(_TURNED_AWAY[status], text, provider_code=code or str(status))
    return Retryable("payment.unknown", f"HTTP {status} {code}")


def password(shortcode: str, passkey: str, timestamp: str) -> str:
    """base64 of the three, one after the other."""
    return base64.b64encode(f"{shortcode}{passkey}{timestamp}".encode()).decode()


def _result(code: Any, body: Mapping[str, Any], reference: str) -> Result:
    text = foreign(code, 40)
    outcome, reason = FINAL_CODES.get(text, (Outcome.PENDING, ""))
    detail = foreign(body.get("ResultDesc"), 300)
    return Result(outcome, gateway_reference=reference, code=text, detail=detail, reason=reason)


def _amount(value: Any) -> Money:
    """Shillings as told, rounded to cents: floats make 1499.9999 of 1500. Raises Refused for what is no amount."""
    try:
        told = Decimal(str(value))
        if told.is_finite() and told < _MOST and (amount := Money(told, "KES")).amount > 0:
            return amount
    except InvalidOperation:
        pass
    raise Refused("event.garbage", "a success without an amount")


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
        return datetime.strptime(str(value), "%Y%m%d%H%M%S").replace(tzinfo=NAIROBI).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
