"""Reads for figures: who came and who stayed away, counted over a whole tenant in the database."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, DateField
from django.db.models.functions import Trunc

from customers.models import Customer
from customers.selectors import customers_known

#: Who ran out and has not come back.
GONE = (Customer.Standing.SUSPENDED, Customer.Standing.ENDED)


def joined(*, begin: datetime, zone: ZoneInfo, by: str) -> dict[date, int]:
    """How many subscribers were entered since an instant, by local ``day``, ``week`` or ``month``. One query."""
    return _counted("created_at", begin, None, zone, by)


def lapsed(*, begin: datetime, end: datetime, zone: ZoneInfo, by: str) -> dict[date, int]:
    """How many ran out within ``[begin, end)`` and have not come back, by when they ran out. One query."""
    return _counted("paid_until", begin, end, zone, by)


def _counted(column: str, begin: datetime, end: datetime | None, zone: ZoneInfo, by: str) -> dict[date, int]:
    rows = customers_known().filter(**{"kind": Customer.Kind.SUBSCRIBER, f"{column}__gte": begin})
    if end is not None:
        rows = rows.filter(**{f"{column}__lt": end, "standing__in": GONE})
    times = rows.annotate(at=Trunc(column, by, tzinfo=zone, output_field=DateField()))
    return dict(times.values("at").annotate(n=Count("id")).order_by("at").values_list("at", "n"))
