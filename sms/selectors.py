"""Reads of messages."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from ispbilling.kernel import clock, tenancy
from ispbilling.kernel.errors import NotFound
from ispbilling.kernel.ids import is_token
from sms.models import ChannelAccount, Message


def accounts_all() -> list[ChannelAccount]:
    """Every account of the tenant, those in use first, in its order."""
    return list(ChannelAccount.objects.order_by("-is_enabled", "sort_order", "label", "id"))


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
