"""M-Pesa's Pull Transactions: what was paid to a shortcode in the last 48 hours, for whoever registered for it.

It is the only way to a payment whose push was accepted without an answer and whose callback was lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop as _

from ispbilling.kernel.adapters import ConfigField
from ispbilling.kernel.money import Money
from ispbilling.kernel.text import foreign
from payments.providers.base import StatementEntry, StatementPage

REGISTER, QUERY = "/pulltransactions/v1/register", "/pulltransactions/v1/query"
NAIROBI = ZoneInfo("Africa/Nairobi")
#: 48 hours by the vendor; a little less, since its clock is not ours.
WINDOW = timedelta(hours=47, minutes=55)
#: How late an entry may appear (unverified: nothing is promised).
LATENESS = timedelta(hours=1)
CONFIG = {
    "pull": ConfigField(
        _("Read the statement"),
        _("yes or no. Finds payments whose callback was lost; needs Pull Transactions at Safaricom."),
        default="no",
    ),
    "nominated_number": ConfigField(
        _("Nominated number"),
        _("For the statement: the number registered with the shortcode, like 254722000000."),
        required=False,
    ),
}
#: ResponseCode of a page: 1000 has rows, 1001 none.
ROWS, NONE = "1000", "1001"
_DONE = {"0", ROWS, NONE}
_RECEIPT = re.compile(r"[A-Za-z0-9]{1,40}")
#: Kinds of rows that are money coming in, by their first letters; the vendor shows ``c2b-pay-bill-debit``.
_INCOME = ("c2b", "pay", "buy")
_MOST = Decimal(10) ** 12


def is_on(config: Mapping[str, str]) -> bool:
    return config.get("pull") == "yes"


def wrong_settings(config: Mapping[str, str]) -> list[str]:
    """Names of settings that cannot be."""
    wrong = [] if config["pull"] in ("yes", "no") else ["pull"]
    form = r"254\d{9}" if is_on(config) else r"(254\d{9})?"  # 07… was refused by the vendor
    return wrong if re.fullmatch(form, config["nominated_number"]) else [*wrong, "nominated_number"]


def registration(config: Mapping[str, str], callback_url: str) -> dict[str, str]:
    return {
        "ShortCode": config["business_shortcode"],
        "RequestType": "Pull",
        "NominatedNumber": config["nominated_number"],
        "CallBackURL": callback_url,
    }


def is_registered(body: Mapping[str, Any]) -> bool:
    """Whether the answer says so, now or since earlier. The vendor writes the name with a space, or without."""
    word = body.get("ResponseStatus", body.get("Response Status", body.get("ResponseCode")))
    return foreign(word, 10) in _DONE


def question(config: Mapping[str, str], since: datetime, until: datetime, page: str) -> dict[str, str]:
    return {
        "ShortCode": config["business_shortcode"],
        "StartDate": _local(since),
        "EndDate": _local(until + timedelta(seconds=1)),  # whole seconds, and what came in the last of them too
        "OffSetValue": page or "0",
    }


def page_of(body: Mapping[str, Any], page: str) -> StatementPage | None:
    """What an answer says; None for one that is no page."""
    code = foreign(body.get("ResponseCode"), 10)
    if code == NONE:
        return StatementPage(())
    rows = _flat(body.get("Response"))
    if code != ROWS or rows is None:
        return None
    read = [_entry(row) for row in rows]
    found = {entry.receipt: entry for entry in read if entry is not None}  # a row may stand there twice
    # A row that stands there twice may have been counted once: rather read some again than leave some out.
    following = str(int(page or "0") + (len(found) or len(rows))) if rows else ""
    return StatementPage(tuple(found.values()), following, read.count(None))


def _flat(rows: Any) -> list[Any] | None:
    """One list nested in another, or a flat one."""
    if not isinstance(rows, list):
        return None
    return [row for part in rows for row in (part if isinstance(part, list) else [part])]


def _entry(row: Any) -> StatementEntry | None:
    """One row; None for one that is no income or cannot be read."""
    if not isinstance(row, Mapping):
        return None
    receipt, kind = foreign(row.get("transactionId"), 41).strip(), foreign(row.get("transactiontype"), 40)
    amount = _amount(row.get("amount"))
    if not _RECEIPT.fullmatch(receipt) or amount is None:
        return None
    if kind and not kind.lower().startswith(_INCOME):
        return None
    return StatementEntry(
        receipt=receipt,
        amount=amount,
        at=_instant(row.get("trxDate")),
        payer=foreign(row.get("msisdn"), 80).strip(),
        account_text=foreign(row.get("billreference"), 120).strip(),
        kind=kind,
    )


def _amount(value: Any) -> Money | None:
    try:
        told = Decimal(str(value))
        amount = Money(told, "KES") if told.is_finite() and 0 < told < _MOST else None
    except InvalidOperation:
        return None
    return amount if amount is not None and amount.amount > 0 else None


def _local(at: datetime) -> str:
    return f"{at.astimezone(NAIROBI):%Y-%m-%d %H:%M:%S}"


def _instant(value: Any) -> datetime | None:
    """``2026-01-15 08:30:42``, ``2026-01-15T08:30:42Z``: the time of Nairobi, whatever letter follows."""
    text = foreign(value, 40).strip().replace("T", " ").removesuffix("Z").partition(".")[0].partition("+")[0]
    for form in ("%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=NAIROBI).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None
