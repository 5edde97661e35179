"""The page of coming cuts, and what can be done there."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import CutStop, Subscription
from billing.services import cycle_run
from ispbilling.kernel import clock
from tests.billing.test_cycle import many, month
from tests.billing.test_receipts import booked
from tests.staff_pages import browser_of


@pytest.fixture
def staff(tenant: Any, settings: Any) -> Any:
    settings.ALLOWED_HOSTS = [".localhost"]

    return partial(browser_of, tenant)


def test_tonights_list_shows_who_is_cut_renewed_and_kept(staff: Any, travel: Any) -> None:
    rows = [month(), month()]
    booked(rows[0], "1500", None, "B")
    travel(days=29, hours=12)
    text = staff("support").get("/dashboard/cuts/").content.decode()
    assert (text.count("renewed from the wallet"), text.count(">will be cut<")) == (1, 1)


def test_an_empty_night_says_so(staff: Any) -> None:
    month()
    assert "Nobody is cut in the next 24 hours" in staff("owner").get("/dashboard/cuts/").content.decode()


def test_a_long_list_costs_as_many_queries_as_a_short_one(staff: Any) -> None:
    owner = staff("owner")

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert owner.get("/dashboard/cuts/").status_code == 200
        return len([query for query in captured if "SAVEPOINT" not in query["sql"]])

    many(10, due=10)
    cost()  # what is remembered between requests is known from here on
    few = cost()
    Subscription.objects.all().delete()
    from customers.models import Customer
    from packages.models import Package

    Customer.objects.all().delete()
    Package.objects.all().delete()
    many(200, due=200)
    assert (few, few <= 12) == (cost(), True)


def test_an_owner_releases_a_stop_and_support_cannot(staff: Any) -> None:
    many(100, due=60)
    cycle_run()
    stop = CutStop.objects.get()
    assert "Cutting is stopped" in staff("support").get("/dashboard/cuts/").content.decode()
    assert "Cutting is stopped" in staff("support").get("/dashboard/home/cuts/").content.decode()
    assert staff("support").post(f"/dashboard/cuts/{stop.id}/release/").status_code == 403
    assert CutStop.objects.get().released_at is None
    assert staff("owner").post(f"/dashboard/cuts/{stop.id}/release/").status_code == 302
    cycle_run()
    assert Subscription.objects.filter(state="suspended").count() == 60


def test_releasing_twice_is_told(staff: Any) -> None:
    many(100, due=60)
    cycle_run()
    path = f"/dashboard/cuts/{CutStop.objects.get().id}/release/"
    owner = staff("owner")
    assert [owner.post(path).status_code for _ in range(2)] == [302, 409]


def test_a_hold_lasts_to_the_end_of_the_day_in_the_tenants_zone(staff: Any, tenant: Any) -> None:
    subscription = month()
    day = (clock.now().astimezone(tenant.zone_info) + timedelta(days=33)).date()
    path = f"/dashboard/customers/{subscription.customer_id}/hold/"
    assert staff("billing").post(path, {"until": day.isoformat(), "reason": "pays later"}).status_code == 302
    held = Subscription.objects.get().held_until
    assert held is not None
    there = held.astimezone(tenant.zone_info)
    assert (there.date(), there.hour) == (day + timedelta(days=1), 0)
    panel = staff("billing").get(f"/dashboard/customers/{subscription.customer_id}/money/").content.decode()
    assert "pays later" in panel
    assert staff("billing").post(path, {"until": "", "reason": ""}).status_code == 302
    assert Subscription.objects.get().held_until is None


@pytest.mark.parametrize("until", ["yesterday", "2020-01-01", "9999-12-31", "'; --"])
def test_a_hold_until_nonsense_is_a_clear_refusal(staff: Any, until: str) -> None:
    subscription = month()
    path = f"/dashboard/customers/{subscription.customer_id}/hold/"
    assert staff("owner").post(path, {"until": until, "reason": "x"}).status_code == 400
    assert Subscription.objects.get().held_until is None
