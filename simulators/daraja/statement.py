"""Daraja's Pull Transactions: a shop registers once, then reads what was paid to it in the last 48 hours."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from simulators.daraja.till import NAIROBI, PAID, Push, Refusal, Shop
from simulators.faults import Faults
from simulators.web import Answer

WINDOW = timedelta(hours=48)
PAGE = 5  # small, so that a reader who does not ask for the next one is found out

_GARBAGE: dict[str, Any] = {
    "no_receipt": {"trxDate": "2026-01-15 08:30:42", "msisdn": "254700000001", "amount": "10.00"},
    "no_amount": {"transactionId": "TAF0000009", "trxDate": "2026-01-15 08:30:42", "msisdn": "254700000001"},
    "not_an_object": "row",
    "strange_amount": {"transactionId": "TAF0000008", "trxDate": "yesterday", "amount": "a lot"},
}


def register(shop: Shop, body: Mapping[str, Any]) -> Answer:
    """Once; a second time is said to be so."""
    if body.get("RequestType") != "Pull" or not re.fullmatch(r"254\d{9}", str(body.get("NominatedNumber"))):
        raise Refusal(400, "400.002.02", "Bad Request - Invalid NominatedNumber")
    if not str(body.get("CallBackURL")).startswith("http"):
        raise Refusal(400, "400.002.02", "Bad Request - Invalid CallBackURL")
    status, words = ("1001", "ShortCode already Registered") if shop.is_registered else ("1000", "Registered")
    shop.is_registered = True
    answer = {"ResponseRefID": "18633-7271215-1", "Response Status": status, "ShortCode": shop.shortcode,
              "Response Description": words}  # fmt: skip
    return Answer(200, json.dumps(answer))


def page(shop: Shop, body: Mapping[str, Any], pushes: Iterable[Push], others: Iterable[dict[str, str]],
         faults: Faults) -> Answer:  # fmt: skip
    """Rows of the asked time from the asked place on."""
    try:
        since, until = (_moment(body[name]) for name in ("StartDate", "EndDate"))
        offset = int(str(body["OffSetValue"]))
    except (KeyError, ValueError):
        raise Refusal(400, "400.002.02", "Bad Request - Invalid StartDate") from None
    if since < datetime.now(NAIROBI) - WINDOW - timedelta(minutes=5):
        raise Refusal(400, "400.002.02", "Bad Request - Invalid StartDate")
    rows = [_row(push) for push in pushes if _is_listed(push, shop)] + list(others)
    rows = [row for row in rows if since <= _moment(row["trxDate"]) <= until]
    found: list[Any] = sorted(rows, key=lambda row: (row["trxDate"], row["transactionId"]))[offset : offset + PAGE]
    if not shop.is_registered or not found:
        words = "No records found or Organization Name not available"
        answer = {"ResponseRefID": "26178-42530161-2", "ResponseCode": "1001", "ResponseMessage": words}
        return Answer(200, json.dumps({**answer, "Response": [[]]}))
    if faults.happens("pull_repeated"):
        found = [row for row in found for _ in range(2)]
    if bad := faults.one("pull_garbage"):
        found.insert(0, _GARBAGE[bad["kind"]])
    answer = {"ResponseRefID": "26178-42530161-2", "ResponseCode": "1000", "ResponseMessage": "Success"}
    return Answer(200, json.dumps({**answer, "Response": [found]}))


def masked(phone: str) -> str:
    """As the vendor shows a payer."""
    return f"{phone[:4]} ***** {phone[-3:]}"


def _row(push: Push) -> dict[str, str]:
    return {
        "transactionId": push.receipt,
        "trxDate": f"{datetime.strptime(push.ended_at, '%Y%m%d%H%M%S').replace(tzinfo=NAIROBI):%Y-%m-%d %H:%M:%S}",
        "msisdn": masked(push.phone),
        "sender": "MPESA",
        "transactiontype": "c2b-pay-bill-debit" if push.is_paybill else "c2b-buy-goods-debit",
        "billreference": push.reference if push.is_paybill else "",
        "amount": f"{push.amount}.00",
        "organizationname": "Simulated shop",
    }


def _is_listed(push: Push, shop: Shop) -> bool:
    return push.state == PAID and push.shortcode == shop.shortcode and push.listed_at <= time.time()


def _moment(text: Any) -> datetime:
    return datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S").replace(tzinfo=NAIROBI)
