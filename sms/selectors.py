"""Reads of messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from customers.selectors import customers_found
from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.errors import NotFound
from ispbilling.kernel.ids import is_token
from sms.channels.segments import Count, count, normalise
from sms.filling import filled
from sms.models import ChannelAccount, Message, Template
from sms.wording import FIELDS

#: A search that means more customers than this means nobody in particular: their newest are looked at.
CUSTOMERS_MOST = 500
#: Among so many messages the last price is looked for.
RECENT_MOST = 200


@dataclass(frozen=True, slots=True)
class Preview:
    """A text before it is sent. ``cost`` is what the same parts cost last, in ``currency``; None where nobody told."""

    text: str
    count: Count
    cost: Decimal | None
    currency: str


def accounts_all() -> list[ChannelAccount]:
    """Every account of the tenant, those in use first, in its order."""
    return list(ChannelAccount.objects.order_by("-is_enabled", "sort_order", "label", "id"))


def accounts_enabled() -> QuerySet[ChannelAccount]:
    """Accounts that messages leave by."""
    return ChannelAccount.objects.filter(is_enabled=True)


def account_get(account_id: UUID) -> ChannelAccount:
    """Raises NotFound."""
    found: ChannelAccount | None = ChannelAccount.objects.filter(id=account_id).first()
    if found is None:
        raise NotFound("channel.account", "There is no such account.")
    return found


def messages_recent() -> QuerySet[Message]:
    """All messages, newest first."""
    rows: QuerySet[Message] = Message.objects.select_related("customer")
    return rows.order_by("-created_at", "-id")


def messages_asked(asked: Mapping[str, Any], zone: ZoneInfo) -> QuerySet[Message]:
    """By the filter of ``MessageFilterForm``: what is empty narrows nothing, days are whole days of ``zone``."""
    rows = messages_recent()
    if asked.get("q"):
        found = customers_found(asked["q"]).order_by("-created_at", "-id").values_list("id", flat=True)
        rows = rows.filter(customer_id__in=list(found[:CUSTOMERS_MOST]))
    if asked.get("state"):
        rows = rows.filter(state=asked["state"])
    if asked.get("kind"):
        rows = rows.filter(code=asked["kind"])
    if asked.get("since"):
        rows = rows.filter(created_at__gte=_begin_of(asked["since"], zone))
    if asked.get("until"):
        rows = rows.filter(created_at__lt=_begin_of(asked["until"] + timedelta(days=1), zone))
    return rows


def _begin_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


def message_get(message_id: UUID) -> Message:
    """Raises NotFound."""
    found: Message | None = messages_recent().select_related("account", "again_of").filter(id=message_id).first()
    if found is None:
        raise NotFound("message.unknown", "There is no such message.")
    return found


def count_of(text: str) -> Count:
    """What sending a text takes."""
    return count(text)


def preview_of(text: str) -> Preview:
    """A text as it would leave, and what it takes."""
    words = normalise(text)
    taken = count(words)
    recent = Message.objects.order_by("-created_at", "-id").values_list("text", "cost", "cost_currency")
    for last, cost, currency in recent[:RECENT_MOST]:
        if last and cost:
            each = cost / max(1, count(last).segments)
            return Preview(words, taken, (each * taken.segments).quantize(Decimal("0.01")), currency)
    return Preview(words, taken, None, "")


def wordings_own() -> dict[tuple[str, str], str]:
    """What the tenant says in its own words: (code, language) → text."""
    rows = Template.objects.values_list("code", "language", "body")
    return {(code, language): body for code, language, body in rows}


def preview_of_wording(body: str, name_of_isp: str) -> Preview:
    """A wording with values to try it with."""
    values = {name: example for name, (_, example) in FIELDS.items()}
    return preview_of(filled(body, {**values, "isp": name_of_isp}))


def messages_of(customer_id: UUID, limit: int = 20) -> list[Message]:
    """A customer's messages, newest first."""
    return list(Message.objects.filter(customer_id=customer_id).order_by("-created_at", "-id")[:limit])


def messages_before(customer_id: UUID, before: datetime | None, limit: int) -> list[Message]:
    """A customer's messages written before an instant (None: all), newest first."""
    rows = Message.objects.filter(customer_id=customer_id)
    if before is not None:
        rows = rows.filter(created_at__lt=before)
    return list(rows.order_by("-created_at", "-id")[:limit])


def tenants_with_due_messages() -> list[UUID]:
    """For the sweep."""
    with tenancy.platform("sms: whose messages are due"):
        rows = Message.objects.filter(clock.has_come("next_try_at", longest=Message.LONGEST_WAIT))
        return list(rows.values_list("tenant_id", flat=True).distinct())


def account_of_token(token: str) -> ChannelAccount | None:
    """Whose delivery report this is, over all tenants."""
    if not is_token(token):
        return None
    with tenancy.platform("sms: whose report is this"):
        found: ChannelAccount | None = ChannelAccount.objects.filter(token=token).first()
    return found
