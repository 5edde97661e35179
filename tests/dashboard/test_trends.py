"""The trends page: its steps of time, its figures, and who may see which."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import figures as money
from customers import figures as people
from customers.models import Customer
from dashboard import trends
from ispbilling.kernel import clock
from network import figures as net
from network.models import Session
from tests import factories
from tests.billing.test_cycle import month
from tests.billing.test_receipts import booked
from tests.staff_pages import browser_of

NAIROBI = ZoneInfo("Africa/Nairobi")
HOUR = timedelta(hours=1)


@pytest.fixture
def staff(tenant: Any, settings: Any) -> Any:
    settings.ALLOWED_HOSTS = [".localhost"]
    return lambda role: browser_of(tenant, role)


@given(st.sampled_from(trends.SPANS), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_steps_follow_each_other_and_the_last_holds_today(span: trends.Span, today: date) -> None:
    starts = span.starts(today)
    assert len(starts) == span.count
    assert starts == sorted(set(starts))
    assert starts[-1] <= today
    gaps = {(after - before).days for before, after in pairwise(starts)}
    assert gaps <= {"day": {1}, "week": {7}, "month": {28, 29, 30, 31}}[span.unit]
    assert (today - starts[-1]).days <= {"day": 0, "week": 6, "month": 30}[span.unit]


def test_money_is_found_in_the_step_it_came_in(tenant: Any, travel: Any) -> None:
    subscription = month()  # paid 1,500
    booked(subscription, "1500", None, "A")
    travel(days=40)
    booked(subscription, "1000", None, "B")
    for span in trends.SPANS:
        report = trends.revenue(tenant, span)
        today = clock.today(tenant.zone_info).date()
        begins = span.starts(today)[0]
        wanted = 4000 if (today - begins).days >= 40 else 1000
        assert sum(sum(one["values"]) for one in report.data["series"]) == wanted, span.name
        assert len(report.rows) == span.count


def test_what_was_paid_is_compared_with_the_time_before(tenant: Any, travel: Any) -> None:
    subscription = month()  # paid 1,500
    booked(subscription, "500", None, "A")
    travel(days=40)
    booked(subscription, "2500", None, "B")
    booked(subscription, "500", None, "C")
    collected, payers, each = trends.figures(tenant, trends.SPANS[0])
    assert collected.value == "KES 3,000.00"
    assert collected.note == "+50 % than before, 2 payments"
    assert (payers.value, each.value) == ("1", "KES 3,000.00")


def test_money_that_was_given_back_did_not_come_in(tenant: Any) -> None:
    from billing.models import Receipt

    booked(month(), "1500", None, "A")
    Receipt.objects.update(returned_at=clock.now())
    found = money.paid(begin=clock.now() - timedelta(days=1), end=clock.now() + timedelta(days=1), currency="KES")
    assert (found.amount.amount, found.payers, found.times) == (0, 0, 0)


def test_who_came_and_who_stayed_away_is_counted_by_month(tenant: Any) -> None:
    factories.customer_make(name="New")
    gone, back = factories.customer_make(name="Gone"), factories.customer_make(name="Back")
    now = clock.now()
    ran_out = now - timedelta(days=3)
    Customer.objects.filter(id__in=[gone.id, back.id]).update(paid_until=ran_out)
    Customer.objects.filter(id=gone.id).update(standing=Customer.Standing.SUSPENDED)
    Customer.objects.filter(id=back.id).update(standing=Customer.Standing.ACTIVE)
    begin = now - timedelta(days=300)
    first = now.astimezone(NAIROBI).date().replace(day=1)
    assert people.joined(begin=begin, zone=NAIROBI, by="month") == {first: 3}
    month_of = ran_out.astimezone(NAIROBI).date().replace(day=1)
    assert people.lapsed(begin=begin, end=now, zone=NAIROBI, by="month") == {month_of: 1}


def test_whoever_is_online_is_counted_at_each_full_hour(tenant: Any) -> None:
    """Against a count of every session at every hour, with ends on and off the hour."""
    line = factories.line_make()
    monday = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    now = monday + 30 * HOUR + timedelta(minutes=20)
    times = [(0.5, 2.0), (2.0, 2.5), (2.1, 2.9), (3.0, None), (1.0, 26.25), (28.0, 29.0)]
    for number, (began, ended) in enumerate(times):
        at = monday + began * HOUR
        stopped = None if ended is None else monday + ended * HOUR
        Session.objects.create(
            line=line, router=line.router, key=str(number), started_at=at, seen_at=at, stopped_at=stopped
        )
    found = net.online_by_hour(now=now, zone=NAIROBI, weeks=4)
    wanted: dict[tuple[int, int], float | None] = {}
    for number in range(1, 31):
        at, local = monday + number * HOUR, (monday + number * HOUR).astimezone(NAIROBI)
        wanted[local.weekday(), local.hour] = sum(
            monday + began * HOUR <= at and (ended is None or monday + ended * HOUR > at) for began, ended in times
        )
    assert {
        (day, hour): found[day][hour] for day in range(7) for hour in range(24) if found[day][hour] is not None
    } == wanted


def test_hours_of_several_weeks_are_averaged_and_older_ones_left_out(tenant: Any) -> None:
    line = factories.line_make()
    now = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
    for weeks_ago in (6, 2):
        began = now - timedelta(weeks=weeks_ago)
        ended = began + HOUR / 2
        Session.objects.create(
            line=line, router=line.router, key=str(weeks_ago), started_at=began, seen_at=began, stopped_at=ended
        )
    local = now.astimezone(NAIROBI)
    # There are three such hours since somebody was first online within the four weeks, in one of which somebody was.
    assert net.online_by_hour(now=now, zone=NAIROBI, weeks=4)[local.weekday()][local.hour] == pytest.approx(1 / 3)


def test_nobody_was_ever_online(tenant: Any) -> None:
    found = net.online_by_hour(now=clock.machine_now(), zone=NAIROBI, weeks=4)
    assert found == [[None] * 24] * 7
    assert trends.busy(tenant).is_empty


def test_an_empty_tenant_is_told_so(staff: Any) -> None:
    page = staff("owner").get("/dashboard/trends/").content.decode()
    assert "No money came in within this time." in page
    assert "No full hour has been measured yet." in page


def test_the_page_opens_for_whoever_leads_and_keeps_the_books(staff: Any) -> None:
    for role, status in (("owner", 200), ("admin", 200), ("billing", 200), ("support", 403), ("technician", 403)):
        assert staff(role).get("/dashboard/trends/?span=12m").status_code == status, role


def test_an_unknown_span_is_the_first(staff: Any) -> None:
    page = staff("owner").get("/dashboard/trends/?span=%00<b>").content.decode()
    assert 'aria-current="page">30 days' in page
