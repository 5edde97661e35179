"""Reads for figures: who was online when, and how long payers waited. Over a whole tenant, in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from statistics import fmean, median
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Q

from billing.entitlement import Level
from ispbilling.kernel import tenancy
from network.models import Router

#: What was is looked at anew after so long. Seconds.
PAST_FOR_S = 600
#: How many payments are looked at, at most.
MOST = 20_000
#: A wish that comes later than this after a payment is not what the payment set going.
FOLLOWS = timedelta(hours=1)


def online_at(instants: Sequence[datetime]) -> list[int]:
    """How many sessions were open at each of these instants of machine time, in the past. One query, or none."""
    tenant = tenancy.tenant_id_required()
    key = f"online_at:{tenant}:{instants[0].isoformat()}:{len(instants)}"
    known = cache.get(key)
    if known is not None:
        return list(known)
    counted = ", ".join(
        "count(*) FILTER (WHERE started_at <= %s AND (stopped_at IS NULL OR stopped_at > %s))" for _ in instants
    )
    values = [value for at in instants for value in (at, at)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {counted} FROM network_session WHERE tenant_id = %s AND (stopped_at IS NULL OR stopped_at > %s)",
            [*values, tenant, min(instants)],
        )
        found = list(cursor.fetchone())
    cache.set(key, found, PAST_FOR_S)
    return found


def online_by_hour(*, now: datetime, zone: ZoneInfo, weeks: int) -> list[list[float | None]]:
    """How many sessions were open on average at each full hour of the week, ``[weekday][hour]``, Monday first.

    Over the last ``weeks`` before ``now``, an instant of machine time, or as long as there are sessions; None for an
    hour that has not been yet. One query, or none.
    """
    end = now.replace(minute=0, second=0, microsecond=0)
    key = f"online_by_hour:{tenancy.tenant_id_required()}:{end.isoformat()}:{zone.key}:{weeks}"
    known: list[list[float | None]] | None = cache.get(key)
    if known is None:
        known = _weekly(_hourly(end - timedelta(weeks=weeks), end), zone)
        cache.set(key, known, PAST_FOR_S)
    return known


def _hourly(begin: datetime, end: datetime) -> list[tuple[datetime, int]]:
    """(full hour, sessions open then), from the first session on. Each session counts up once and down once."""
    # The full hour at which something that happened is first to be seen.
    seen = "date_trunc('hour', greatest({at}, %(begin)s) + interval '1 hour' - interval '1 microsecond', 'UTC')"
    of_tenant = "FROM network_session WHERE tenant_id = %(tenant)s AND started_at <= %(end)s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT hour, sum(change)::int FROM ("
            f" SELECT {seen.format(at='started_at')} AS hour, 1 AS change {of_tenant}"
            f"  AND (stopped_at IS NULL OR stopped_at > %(begin)s)"
            f" UNION ALL SELECT {seen.format(at='stopped_at')}, -1 {of_tenant} AND stopped_at > %(begin)s"
            f") AS changes GROUP BY hour",
            {"tenant": tenancy.tenant_id_required(), "begin": begin, "end": end},
        )
        changes = dict(cursor.fetchall())
    first = min(changes, default=end + timedelta(hours=1))
    hours = [first + timedelta(hours=number) for number in range(int((end - first) / timedelta(hours=1)) + 1)]
    return list(zip(hours, accumulate(changes.get(hour, 0) for hour in hours), strict=True))


def _weekly(hours: Sequence[tuple[datetime, int]], zone: ZoneInfo) -> list[list[float | None]]:
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for at, count in hours:
        local = at.astimezone(zone)
        found[local.weekday(), local.hour].append(count)
    return [[fmean(found[day, hour]) if (day, hour) in found else None for hour in range(24)] for day in range(7)]


@dataclass(frozen=True, slots=True)
class Boxes:
    """Routers that are spoken to, those of them that do not answer, and some of their names."""

    all: int
    down: int
    names: tuple[str, ...]


def routers_down() -> Boxes:
    """One query or two."""
    rows = Router.objects.filter(is_enabled=True)
    found = rows.aggregate(all=Count("id"), down=Count("id", filter=Q(is_up=False)))
    names = rows.filter(is_up=False).order_by("name").values_list("name", flat=True)[:2] if found["down"] else []
    return Boxes(found["all"], found["down"], tuple(names))


@dataclass(frozen=True, slots=True)
class Waited:
    """One payer, and how long it took from his money until his router was read and let him in."""

    customer_id: UUID
    name: str
    paid_at: datetime
    online_at: datetime

    @property
    def took(self) -> timedelta:
        return max(self.online_at - self.paid_at, timedelta(0))


@dataclass(frozen=True, slots=True)
class PaidToOnline:
    """``median`` is None when nobody who was off has paid."""

    count: int
    median: timedelta | None
    slowest: list[Waited]


def paid_to_online(*, since: datetime, slowest: int = 3) -> PaidToOnline:
    """How long payers who were off waited, since an instant of product time. One query.

    From the proof chain: the money's receipt, and the first acknowledgement of a router that lets in what it did not
    let in before. Whoever paid while he was online waited for nothing and is not counted.
    """
    open_levels = [Level.FULL.value, Level.THROTTLED.value]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (a.id) r.customer_id, c.name, least(r.received_at, r.booked_at), a.seen_at"
            " FROM billing_receipt r"
            " JOIN customers_customer c ON c.tenant_id = r.tenant_id AND c.id = r.customer_id"
            " JOIN network_line l ON l.tenant_id = r.tenant_id AND l.customer_id = r.customer_id"
            " JOIN network_acknowledgement a ON a.tenant_id = l.tenant_id AND a.line_id = l.id"
            "  AND a.level = ANY(%(open)s) AND a.wished_at >= r.booked_at"
            "  AND a.wished_at < r.booked_at + make_interval(secs => %(follows)s)"
            " LEFT JOIN LATERAL (SELECT b.level FROM network_acknowledgement b WHERE b.tenant_id = a.tenant_id"
            "  AND b.line_id = a.line_id AND b.seen_at < a.seen_at ORDER BY b.seen_at DESC LIMIT 1) before ON true"
            " WHERE r.tenant_id = %(tenant)s AND r.received_at >= %(since)s"
            "  AND (before.level IS NULL OR NOT before.level = ANY(%(open)s))"
            " ORDER BY a.id, r.booked_at DESC LIMIT %(most)s",
            {
                "open": open_levels,
                "follows": FOLLOWS.total_seconds(),
                "tenant": tenancy.tenant_id_required(),
                "since": since,
                "most": MOST,
            },
        )
        found = [Waited(*row) for row in cursor.fetchall()]
    if not found:
        return PaidToOnline(0, None, [])
    seconds = median(one.took.total_seconds() for one in found)
    found.sort(key=lambda one: one.took, reverse=True)
    return PaidToOnline(len(found), timedelta(seconds=seconds), found[:slowest])
