"""The home page: figures, parts, and who may see which."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from billing import figures as money
from billing.models import Subscription
from dashboard import home
from ispbilling.kernel import clock
from ispbilling.kernel.ids import uuid7
from ispbilling.kernel.money import Money
from network import figures as net
from network.models import Acknowledgement, Line, Router, Session
from tests import factories
from tests.billing.test_cycle import month
from tests.billing.test_receipts import booked
from tests.staff_pages import browser_of

PARTS = {
    "owner": {"revenue", "sessions", "due", "alerts", "cuts", "waits"},
    "admin": {"revenue", "sessions", "due", "alerts", "cuts", "waits"},
    "billing": {"revenue", "sessions", "due", "alerts", "cuts", "waits"},
    "support": {"revenue", "sessions", "due", "alerts", "cuts", "waits"},
    "technician": {"sessions", "alerts"},
}


@pytest.fixture
def staff(tenant: Any, settings: Any) -> Any:
    settings.ALLOWED_HOSTS = [".localhost"]

    return partial(browser_of, tenant)


@pytest.mark.parametrize("role", PARTS)
def test_a_role_is_shown_the_parts_it_may_open_and_no_others(staff: Any, role: str) -> None:
    client = staff(role)
    page = client.get("/dashboard/").content.decode()
    for part in home.PARTS:
        is_shown = part.name in PARTS[role]
        assert (f'hx-get="{part.url}"' in page) is is_shown, part.name
        assert client.get(part.url).status_code == (200 if is_shown else 403), part.name


def test_every_part_has_a_role_that_is_asked_about() -> None:
    assert set(PARTS) | {"reseller"} == set(Role.values)
    assert {part.name for part in home.PARTS} == set().union(*PARTS.values())


def test_a_technician_sees_no_money_on_the_first_paint(staff: Any) -> None:
    booked(month(), "1500", None, "A")
    page = staff("technician").get("/dashboard/").content.decode()
    assert "Collected today" not in page
    assert "Online now" in page


def test_an_empty_tenant_is_helped(staff: Any) -> None:
    client = staff("owner")
    page = client.get("/dashboard/").content.decode()
    assert "No router is entered" in page
    assert "No money came in yet." in client.get("/dashboard/home/revenue/").content.decode()
    assert "Nobody is online." in client.get("/dashboard/home/sessions/").content.decode()


def test_the_first_paint_costs_the_same_however_much_there_is(staff: Any) -> None:
    client = staff("owner")
    client.get("/dashboard/")

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get("/dashboard/?part=figures")
        return len(seen)

    few = cost()
    for number in range(5):
        booked(month(), "1500", None, f"N{number}")
    assert cost() <= few


def test_takings_are_summed_by_local_day_and_method(tenant: Any, travel: Any) -> None:
    subscription = month()
    booked(subscription, "1500", None, "A")
    booked(subscription, "500", None, "B")
    today = clock.today(tenant.zone_info)
    rows = money.takings(begin=today, currency="KES", zone=tenant.zone_info)
    assert sum(row.amount.amount for row in rows if row.day == today.date()) == sum(
        (row.amount.amount for row in rows), start=Decimal(0)
    )
    assert sum(row.count for row in rows) >= 2
    assert money.takings(begin=today + timedelta(days=1), currency="KES", zone=tenant.zone_info) == []


def test_what_is_due_is_counted_by_customer_and_price(tenant: Any, travel: Any) -> None:
    subscription = month()
    assert isinstance(subscription, Subscription)
    travel(days=28)
    found = money.due(at=clock.now(), days=3, shown=14, currency="KES", zone=tenant.zone_info)
    assert (found.customers, found.amount) == (1, Money(subscription.package.price, "KES"))
    assert sum(found.by_day.values()) == 1


def test_who_was_online_is_counted_at_each_instant(tenant: Any) -> None:
    line = factories.line_make()
    now = clock.machine_now()
    for began, ended in ((5, 3), (4, None), (1, None)):
        stopped = None if ended is None else now - timedelta(days=ended)
        at = now - timedelta(days=began)
        Session.objects.create(
            line=line, router=line.router, key=str(began), started_at=at, seen_at=at, stopped_at=stopped
        )
    instants = [now - timedelta(days=days, hours=-1) for days in (6, 4, 2, 1)]
    assert net.online_at(instants) == [0, 2, 1, 2]


def acknowledged(line: Line, generation: int, level: str, wished: Any, seen: Any) -> None:
    Acknowledgement.objects.create(
        id=uuid7(), line=line, generation=generation, level=level, reason="paid", download_kbps=1, upload_kbps=1,
        wished_at=wished, seen_at=seen,
    )  # fmt: skip


def test_a_payer_who_was_off_waited_from_his_money_to_his_router(tenant: Any) -> None:
    line = factories.line_make()
    before = clock.now()
    acknowledged(line, 1, "walled", before - timedelta(days=1), before - timedelta(days=1))
    receipt = booked(line.subscription, "1500", None, "A")
    at = receipt.booked_at
    acknowledged(line, 2, "full", at + timedelta(seconds=1), at + timedelta(seconds=8))
    found = net.paid_to_online(since=before - timedelta(hours=1))
    assert (found.count, [one.name for one in found.slowest]) == (1, [line.customer.name])
    assert found.median == found.slowest[0].took
    assert timedelta(seconds=8) <= found.slowest[0].took < timedelta(minutes=5)


def test_a_payer_who_was_online_waited_for_nothing(tenant: Any) -> None:
    line = factories.line_make()
    before = clock.now()
    acknowledged(line, 1, "full", before - timedelta(days=1), before - timedelta(days=1))
    at = booked(line.subscription, "1500", None, "A").booked_at
    acknowledged(line, 2, "full", at + timedelta(seconds=1), at + timedelta(seconds=8))
    assert net.paid_to_online(since=before - timedelta(hours=1)).count == 0


def test_alerts_say_what_is_down_to_whoever_may_see_it(staff: Any) -> None:
    factories.router_make(name="Hill")
    Router.objects.update(is_up=False, failures=3, last_error="gone")
    assert "Some routers do not answer." in staff("technician").get("/dashboard/home/alerts/").content.decode()
    assert "Some routers do not answer." not in staff("billing").get("/dashboard/home/alerts/").content.decode()


def test_who_is_not_told_of_all_checks_is_not_told_that_all_is_in_order(staff: Any) -> None:
    page = staff("technician").get("/dashboard/home/alerts/").content.decode()
    assert "Nothing for you to look after." in page
    assert "Everything is in order." not in page
