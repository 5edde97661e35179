"""Prices and periods. Pure: no clock, no database."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID
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


def extended_end(expires_at: datetime | None, days: int, at: datetime, zone: ZoneInfo) -> datetime:
    """Where days given for nothing lead: after what is left, or from now on; days of the local calendar."""
    return Period(DAY, 1, zone).end(max(expires_at or at, at), days)


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
    tax_percent: Decimal = Decimal(0)  # contained in every amount here

    @property
    def unit_price(self) -> Money:
        """Of one period."""
        return Money(self.subtotal.amount / self.periods, self.subtotal.currency)

    @property
    def tax(self) -> Money:
        """What of the total is tax."""
        return contained_tax(self.total, self.tax_percent)[1]


def quote(price: Money, periods: int, discount_percent: Decimal, tax_percent: Decimal = Decimal(0)) -> Quote:
    """Price of ``periods`` periods, the discount rounded once. ``price`` is what is shown: it contains the tax."""
    subtotal = price * periods
    discount = subtotal.percent(discount_percent)
    return Quote(periods, subtotal, discount_percent, discount, subtotal - discount, tax_percent)


def price_with_tax(price: Money, tax_percent: Decimal, *, is_on_top: bool) -> Money:
    """What the customer is shown for one period. From here on tax is contained, whichever way it came in."""
    return price + price.percent(tax_percent) if is_on_top else price


def contained_tax(total: Money, tax_percent: Decimal) -> tuple[Money, Money]:
    """(net, tax) of a price that contains tax; they add up to it exactly. The one rule by which tax is rounded."""
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


@dataclass(frozen=True, slots=True)
class PaidTime:
    """Time that was bought: from ``begin`` to ``end``, both instants, and what of its price was not given back.

    ``source`` is the invoice it stands on. ``counts_until``: from there on it was taken back, or paid for once more by
    what was bought later.
    """

    begin: datetime
    end: datetime
    value: Money
    source: UUID
    counts_until: datetime | None = None


def unused_worth(time: PaidTime, *, at: datetime, expires_at: datetime) -> Money:
    """What is left of bought time at an instant, in proportion to the seconds; nothing beyond the expiry counts.

    Never rounded up: whoever goes back and forth between packages would else be given back what he used.
    """
    whole = time.end - time.begin
    left = min(time.end, expires_at, time.counts_until or time.end) - max(time.begin, at)
    if whole <= timedelta(0) or left <= timedelta(0):
        return Money.zero(time.value.currency)
    return time.value.share(_microseconds(left), _microseconds(whole))


#: More time than this is not bought at once by a change of package: ten years.
MOST_TIME = timedelta(days=3660)


class TooMuchTime(ValueError):
    """What is left would buy more time of the new package than anybody sells."""


def time_for(worth: Money, *, price: Money, period: Period, at: datetime) -> datetime:
    """Until when ``worth`` lasts from ``at`` on, at ``price`` a period: whole periods, then a share of the next.

    Down to the second, so that nobody gets time that was not paid for. Raises ValueError for a price of nothing,
    TooMuchTime beyond ten years.
    """
    if price.amount <= 0:
        raise ValueError("time that costs nothing cannot be bought")
    whole = int(worth.amount // price.amount)
    try:
        begin, end = period.end(at, whole) if whole else at, period.end(at, whole + 1)
    except (ValueError, OverflowError) as error:  # beyond the calendar
        raise TooMuchTime(f"{whole} periods") from error
    if begin - at > MOST_TIME:
        raise TooMuchTime(f"{whole} periods")
    share = (worth - price * whole).amount / price.amount
    seconds = int(Decimal(_microseconds(end - begin)) * share / 1_000_000)
    return begin + timedelta(seconds=seconds)


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Change:
    """What a change of package comes to. ``given_back`` names each piece of bought time with what is left of it.

    ``price`` is what the new package's first stretch costs and ``expires_at`` its end; ``wallet`` is what the customer
    has afterwards, ``missing`` what he lacks for it (then nothing is changed).
    """

    given_back: tuple[tuple[PaidTime, Money], ...]
    worth: Money
    price: Money
    expires_at: datetime
    wallet: Money
    missing: Money


def changed_into_time(
    times: Sequence[PaidTime], *, price: Money, period: Period, wallet: Money, at: datetime, expires_at: datetime
) -> Change:
    """The unused worth buys time of the new package; the wallet stays as it is."""
    given_back, worth = _given_back(times, wallet.currency, at, expires_at)
    until = time_for(worth, price=price, period=period, at=at)
    return Change(given_back, worth, worth, until, wallet, Money.zero(wallet.currency))


def changed_into_wallet(
    times: Sequence[PaidTime], *, price: Money, period: Period, wallet: Money, at: datetime, expires_at: datetime
) -> Change:
    """The unused worth goes into the wallet, which then pays one whole period of the new package."""
    given_back, worth = _given_back(times, wallet.currency, at, expires_at)
    rest = wallet + worth - price
    missing = max(-rest, Money.zero(wallet.currency))
    return Change(given_back, worth, price, period.end(at, 1), rest, missing)


def _given_back(
    times: Sequence[PaidTime], currency: str, at: datetime, expires_at: datetime
) -> tuple[tuple[tuple[PaidTime, Money], ...], Money]:
    found = [(time, unused_worth(time, at=at, expires_at=expires_at)) for time in times]
    kept = tuple((time, worth) for time, worth in found if worth)
    return kept, sum((worth for _, worth in kept), Money.zero(currency))


def credited_parts(net: Money, tax: Money, *, before: Money, amount: Money) -> tuple[Money, Money]:
    """(net, tax) of the next ``amount`` credited of an invoice of which ``before`` was credited already.

    Counted on the running sum, so that many small credits come to exactly the invoice's own net and tax.
    """
    weights = [net.amount, tax.amount]
    _, tax_before = before.split(weights)
    _, tax_after = (before + amount).split(weights)
    part = tax_after - tax_before
    return amount - part, part
