"""Prices and periods. Pure: no clock, no database."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ispbilling.kernel.money import Money

MINUTE, HOUR, DAY, MONTH = "minute", "hour", "day", "month"


@dataclass(frozen=True, slots=True)
class Period:
    """A package's validity: ``count`` of ``unit``, in the tenant's zone.

    ``ends_at_midnight``: periods of days and months end at the local midnight after their last day.
    """

    unit: str
    count: int
    zone: ZoneInfo
    ends_at_midnight: bool = False

    def end(self, anchor: datetime, periods: int) -> datetime:
        """The instant, UTC, at which ``periods`` periods counted from ``anchor`` are over.

        Always anchor + n, so that 31 January gives 28 February and then 31 March. Days and months are counted on the
        local calendar and keep the local time of day; minutes and hours are exact.
        """
        amount = periods * self.count
        if self.unit == MINUTE:
            return anchor + timedelta(minutes=amount)
        if self.unit == HOUR:
            return anchor + timedelta(hours=amount)
        local = anchor.astimezone(self.zone).replace(tzinfo=None)
        moved = local + timedelta(days=amount) if self.unit == DAY else add_months(local, amount)
        if self.ends_at_midnight:
            midnight = moved.replace(hour=0, minute=0, second=0, microsecond=0)
            moved = midnight if midnight == moved else midnight + timedelta(days=1)
        return _instant(moved, self.zone)


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a local wall time.

    A time that occurs twice in autumn is its first occurrence; one that spring leaves out is read with the offset from
    before the gap, which puts it as long after the gap as it was into it.
    """
    return local.replace(tzinfo=zone).astimezone(UTC)


def add_months(local: datetime, months: int) -> datetime:
    """The same day ``months`` later, or the month's last day where it has none."""
    index = local.year * 12 + local.month - 1 + months
    year, month = divmod(index, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)


@dataclass(frozen=True, slots=True)
class Quote:
    """What some periods of a package cost now."""

    periods: int
    subtotal: Money
    discount_percent: Decimal
    discount: Money
    total: Money


def quote(price: Money, periods: int, discount_percent: Decimal) -> Quote:
    """Price of ``periods`` periods, the discount rounded once."""
    subtotal = price * periods
    discount = subtotal.percent(discount_percent)
    return Quote(periods, subtotal, discount_percent, discount, subtotal - discount)


def contained_tax(total: Money, tax_percent: Decimal) -> tuple[Money, Money]:
    """(net, tax) of a price that contains tax; they add up to it exactly."""
    net_weight, tax_weight = Decimal(100), tax_percent
    net, tax = total.split([net_weight, tax_weight])
    return net, tax


def extended(
    period: Period,
    *,
    anchor: datetime | None,
    periods: int,
    expires_at: datetime | None,
    bought: int,
    at: datetime,
    is_unbroken: bool = False,
) -> tuple[datetime, int, datetime]:
    """(anchor, periods, expiry) after buying ``bought`` periods at ``at``.

    Paid before the expiry, or ``is_unbroken`` (renewed by itself, before anybody was cut): counted on from the same
    anchor. Paid later, or so late that the new expiry would be past already: a new anchor begins now.
    """
    if anchor is not None and expires_at is not None and (expires_at > at or is_unbroken):
        end = period.end(anchor, periods + bought)
        if end > at:
            return anchor, periods + bought, end
    return at, bought, period.end(at, bought)
