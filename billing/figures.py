"""Reads for figures: what came in and what runs out, counted over a whole tenant in the database.

What was given back to whoever paid it did not come in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate

from billing.models import Receipt, Subscription
from ispbilling.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Takings:
    """What came in on a local day by one method."""

    day: date
    method: str
    amount: Money
    count: int


def takings(*, begin: datetime, currency: str, zone: ZoneInfo) -> list[Takings]:
    """What came in since an instant, by local day and method, oldest first. One query."""
    rows = Receipt.objects.filter(received_at__gte=begin, currency=currency, returned_at=None)
    days = rows.annotate(day=TruncDate("received_at", tzinfo=zone)).values("day", "method")
    found = days.annotate(sum=Sum("amount"), times=Count("id")).order_by("day", "method")
    return [Takings(row["day"], row["method"], Money(row["sum"], currency), row["times"]) for row in found]


def taken_between(*, begin: datetime, end: datetime, currency: str) -> Money:
    """What came in within ``[begin, end)``. One query."""
    rows = Receipt.objects.filter(received_at__gte=begin, received_at__lt=end, currency=currency, returned_at=None)
    return Money(rows.aggregate(sum=Sum("amount"))["sum"] or Decimal(0), currency)


@dataclass(frozen=True, slots=True)
class Due:
    """Lines that run out within some days: how many customers, what they would pay, and how many of them each day."""

    customers: int
    amount: Money
    by_day: dict[date, int]


def due(*, at: datetime, days: int, shown: int, currency: str, zone: ZoneInfo) -> Due:
    """What runs out within ``days``; ``by_day`` looks ``shown`` days ahead. Two queries."""
    rows = Subscription.objects.filter(state=Subscription.State.ACTIVE, expires_at__gt=at)
    soon = Q(expires_at__lte=at + timedelta(days=days))
    found = rows.filter(soon).aggregate(customers=Count("customer_id", distinct=True), sum=Sum("package__price"))
    ahead = rows.filter(expires_at__lte=at + timedelta(days=shown))
    by_day = ahead.annotate(day=TruncDate("expires_at", tzinfo=zone)).values("day").annotate(n=Count("id"))
    return Due(
        found["customers"],
        Money(found["sum"] or Decimal(0), currency),
        {row["day"]: row["n"] for row in by_day.order_by("day")},
    )


def running_out(*, at: datetime, days: int, limit: int) -> list[Subscription]:
    """Active subscriptions that run out within some days, soonest first, with customer and package."""
    rows = Subscription.objects.filter(
        state=Subscription.State.ACTIVE, expires_at__gt=at, expires_at__lte=at + timedelta(days=days)
    )
    return list(rows.select_related("customer", "package").order_by("expires_at", "id")[:limit])


def active_count() -> int:
    """Customers whose line is paid for or in grace."""
    running = [Subscription.State.ACTIVE, Subscription.State.GRACE]
    return int(Subscription.objects.filter(state__in=running).values("customer_id").distinct().count())
