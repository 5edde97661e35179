"""Reads for figures: what came in and what runs out, counted over a whole tenant in the database.

What was given back to whoever paid it did not come in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, DateField, Q, Sum
from django.db.models.functions import Trunc, TruncDate

from billing.models import Receipt, Subscription
from ispbilling.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Takings:
    """What came in on a local day, or in the week or month that begins with it, by one method."""

    day: date
    method: str
    amount: Money
    count: int


def takings(*, begin: datetime, currency: str, zone: ZoneInfo, by: str = "day") -> list[Takings]:
    """What came in since an instant, by local day (``week``, ``month``) and method, oldest first. One query."""
    rows = Receipt.objects.filter(received_at__gte=begin, currency=currency, returned_at=None)
    days = rows.annotate(day=Trunc("received_at", by, tzinfo=zone, output_field=DateField())).values("day", "method")
    found = days.annotate(sum=Sum("amount"), times=Count("id")).order_by("day", "method")
    return [Takings(row["day"], row["method"], Money(row["sum"], currency), row["times"]) for row in found]


@dataclass(frozen=True, slots=True)
class Paid:
    """What came in within a time, from how many customers, and how often."""

    amount: Money
    payers: int
    times: int


def paid(*, begin: datetime, end: datetime, currency: str) -> Paid:
    """What came in within ``[begin, end)``; money of nobody counts, and has no payer. One query."""
    rows = Receipt.objects.filter(received_at__gte=begin, received_at__lt=end, currency=currency, returned_at=None)
    found = rows.aggregate(sum=Sum("amount"), payers=Count("customer_id", distinct=True), times=Count("id"))
    return Paid(Money(found["sum"] or Decimal(0), currency), found["payers"], found["times"])


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
