"""Periods, prices and entitlement, as properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.calculations import Period, contained_tax, extended, quote
from billing.entitlement import Level, QuietHours, Reason, Terms, cut_at, entitlement
from ispbilling.kernel.money import Money

zones = st.sampled_from(["Africa/Nairobi", "Asia/Dhaka", "Asia/Manila", "America/New_York"]).map(ZoneInfo)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
units = st.sampled_from(["minute", "hour", "day", "month"])
kinds = st.builds(Period, unit=units, count=st.integers(1, 36), zone=zones, ends_at_midnight=st.booleans())
money = st.decimals(0, 1_000_000, places=2).map(lambda amount: Money(amount, "KES"))


def local(instant: datetime, zone: str) -> str:
    return instant.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def at(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@given(kinds, instants, st.integers(1, 60))
def test_more_periods_end_later(period: Period, anchor: datetime, periods: int) -> None:
    assert period.end(anchor, periods) < period.end(anchor, periods + 1)


@given(kinds, instants, st.integers(1, 60))
def test_a_period_ends_after_it_begins(period: Period, anchor: datetime, periods: int) -> None:
    assert period.end(anchor, periods) > anchor


@given(zones, instants, st.integers(1, 60))
def test_months_keep_the_day_or_take_the_last(zone: ZoneInfo, anchor: datetime, months: int) -> None:
    begin, end = anchor.astimezone(zone), Period("month", 1, zone).end(anchor, months).astimezone(zone)
    next_day = (end + timedelta(days=1)).day
    assert end.day == begin.day or (end.day < begin.day and next_day == 1)


@given(zones, instants, st.integers(1, 400))
def test_days_are_counted_on_the_local_calendar(zone: ZoneInfo, anchor: datetime, days: int) -> None:
    begin, end = anchor.astimezone(zone), Period("day", 1, zone).end(anchor, days).astimezone(zone)
    assert (end.date() - begin.date()).days == days


@given(st.sampled_from(["minute", "hour"]), zones, instants, st.integers(1, 500))
def test_minutes_and_hours_are_exact(unit: str, zone: ZoneInfo, anchor: datetime, count: int) -> None:
    assert Period(unit, 1, zone).end(anchor, count) - anchor == timedelta(**{f"{unit}s": count})


@given(st.sampled_from(["day", "month"]), st.sampled_from(["Africa/Nairobi", "Asia/Dhaka", "Asia/Manila"]), instants)
def test_the_tenants_midnight_ends_the_day(unit: str, name: str, anchor: datetime) -> None:
    end = Period(unit, 1, ZoneInfo(name), ends_at_midnight=True).end(anchor, 1)
    assert local(end, name).endswith("00:00")


@pytest.mark.parametrize(
    ("begin", "months", "end"),
    [
        ("2026-01-31 10:00", 1, "2026-02-28 10:00"),
        ("2026-01-31 10:00", 2, "2026-03-31 10:00"),
        ("2028-01-31 10:00", 1, "2028-02-29 10:00"),
        ("2024-02-29 10:00", 12, "2025-02-28 10:00"),
        ("2024-02-29 10:00", 48, "2028-02-29 10:00"),
        ("2026-12-15 23:59", 1, "2027-01-15 23:59"),
    ],
)
@pytest.mark.parametrize("zone", ["Africa/Nairobi", "Asia/Dhaka", "Asia/Manila", "America/New_York"])
def test_anchor_plus_months(begin: str, months: int, end: str, zone: str) -> None:
    assert local(Period("month", 1, ZoneInfo(zone)).end(at(begin, zone), months), zone) == end


def test_a_day_of_23_hours_keeps_its_wall_time() -> None:
    zone = "America/New_York"
    end = Period("day", 1, ZoneInfo(zone)).end(at("2026-03-07 12:00", zone), 1)
    assert end - at("2026-03-07 12:00", zone) == timedelta(hours=23)
    assert local(end, zone) == "2026-03-08 12:00"


def test_paying_early_and_paying_at_once_come_to_the_same() -> None:
    period, anchor = Period("month", 1, ZoneInfo("Africa/Nairobi")), at("2026-01-31 10:00", "Africa/Nairobi")
    one, count, end = extended(period, anchor=None, periods=0, expires_at=None, bought=1, at=anchor)
    later = anchor + timedelta(days=20)
    _, _, twice = extended(period, anchor=one, periods=count, expires_at=end, bought=1, at=later)
    _, _, at_once = extended(period, anchor=None, periods=0, expires_at=None, bought=2, at=anchor)
    assert twice == at_once


@given(kinds, instants, st.integers(1, 12), st.integers(0, 10_000_000))
def test_what_is_bought_is_never_less_than_one_period_from_now(
    period: Period, anchor: datetime, bought: int, seconds: int
) -> None:
    first, count, end = extended(period, anchor=None, periods=0, expires_at=None, bought=1, at=anchor)
    now = anchor + timedelta(seconds=seconds)
    _, _, new_end = extended(period, anchor=first, periods=count, expires_at=end, bought=bought, at=now)
    assert new_end > max(now, end if end > now else now)


@given(money, st.integers(1, 24), st.decimals(0, 100, places=2))
def test_a_quote_adds_up(price: Money, periods: int, percent: Decimal) -> None:
    made = quote(price, periods, percent)
    assert made.total + made.discount == made.subtotal == price * periods


@pytest.mark.parametrize(
    ("periods", "percent", "total"),
    [(1, 0, "1500"), (2, 0, "3000"), (3, 5, "4275"), (6, 10, "8100"), (12, 15, "15300")],
)
def test_the_usual_prices(periods: int, percent: int, total: str) -> None:
    made = quote(Money(Decimal(1500), "KES"), periods, Decimal(percent))
    assert made.total == Money(Decimal(total), "KES")


@given(money, st.decimals(0, 40, places=2))
def test_net_and_tax_add_up_to_the_price(total: Money, percent: Decimal) -> None:
    net, tax = contained_tax(total, percent)
    assert net + tax == total


def test_sixteen_per_cent_are_contained() -> None:
    net, tax = contained_tax(Money(Decimal("1160"), "KES"), Decimal(16))
    assert (net.amount, tax.amount) == (Decimal("1000.00"), Decimal("160.00"))


ORDER = [Level.BLOCKED, Level.WALLED, Level.THROTTLED, Level.FULL]
quiets = st.builds(
    QuietHours, zones, st.frozensets(st.integers(0, 6), max_size=6), st.integers(0, 23), st.integers(0, 23)
)
terms_of_all_kinds = st.builds(
    Terms,
    expires_at=instants,
    is_ended=st.booleans(),
    suspension=st.sampled_from([Level.WALLED, Level.BLOCKED]),
    grace=st.integers(0, 72).map(lambda hours: timedelta(hours=hours)),
    is_suspended=st.booleans(),
    held_until=st.none() | instants,
    quiet=quiets,
)


@given(terms_of_all_kinds, instants, instants)
def test_a_later_expiry_never_allows_less(terms: Terms, now: datetime, other: datetime) -> None:
    early, late = sorted([terms.expires_at or other, other])
    levels = [entitlement(replace(terms, expires_at=expiry), now).level for expiry in (early, late)]
    assert ORDER.index(levels[0]) <= ORDER.index(levels[1])


@given(terms_of_all_kinds, instants)
def test_nothing_changes_before_the_instant_it_names(terms: Terms, now: datetime) -> None:
    found = entitlement(terms, now)
    if found.until is not None:
        assert found.until > now
        assert entitlement(terms, found.until - timedelta(microseconds=1)).level == found.level
        assert entitlement(terms, found.until).reason != found.reason


@given(terms_of_all_kinds, instants)
def test_nobody_who_is_paid_for_is_cut_and_nobody_else_stays_for_ever(terms: Terms, now: datetime) -> None:
    found, cut = entitlement(terms, now), cut_at(terms)
    if terms.is_ended:
        assert (found.level, cut) == (Level.BLOCKED, None)
    elif terms.expires_at is not None and now < terms.expires_at:
        assert (found.level, found.reason) == (Level.FULL, Reason.PAID)
    else:
        assert cut is not None
        assert (found.reason is Reason.DUE) == (not terms.is_suspended and now >= cut)


@given(quiets, instants)
def test_cutting_begins_outside_the_quiet_and_within_a_week(quiet: QuietHours, at: datetime) -> None:
    allowed = quiet.end_after(at)
    assert at <= allowed <= at + timedelta(days=8)
    assert quiet.end_after(allowed) == allowed


@pytest.mark.parametrize(
    ("begins", "allowed"),
    [
        ("2026-11-27 15:00", "2026-11-27 15:00"),  # a Friday afternoon
        ("2026-11-27 18:00", "2026-11-30 07:00"),  # Friday evening: the night, the weekend, Monday's morning
        ("2026-11-28 12:00", "2026-11-30 07:00"),
        ("2026-11-30 06:59", "2026-11-30 07:00"),
        ("2026-12-01 23:59", "2026-12-02 07:00"),
    ],
)
def test_no_cut_at_night_and_at_weekends(begins: str, allowed: str) -> None:
    zone = "Africa/Nairobi"
    quiet = QuietHours(ZoneInfo(zone), frozenset({5, 6}), 18, 7)
    assert local(quiet.end_after(at(begins, zone)), zone) == allowed


def test_the_expiry_is_the_first_instant_that_is_not_paid_for() -> None:
    expiry = datetime(2026, 1, 1, tzinfo=UTC)
    terms = Terms(expiry, False, Level.BLOCKED, timedelta(0))
    assert entitlement(terms, expiry - timedelta(microseconds=1)).reason is Reason.PAID
    assert entitlement(terms, expiry).reason is Reason.DUE
    assert entitlement(replace(terms, is_suspended=True), expiry).level is Level.BLOCKED


def test_an_ended_subscription_is_blocked_whatever_was_paid() -> None:
    terms = Terms(datetime(2030, 1, 1, tzinfo=UTC), True, Level.WALLED, timedelta(0))
    assert entitlement(terms, datetime(2026, 1, 1, tzinfo=UTC)).level is Level.BLOCKED
