"""Another package: shown as it will be booked, then booked as it was shown."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing.models import Subscription
from billing.services import cash_receive, policy_set
from network.models import Line
from packages.models import Package
from tests import factories
from tests.portal.doors import signed_in


@pytest.fixture
def line(tenant: Any) -> Line:
    factories.account_make("cash")
    found = factories.line_make(package=factories.package_make(name="Basic 10"))
    cash_receive(customer_id=found.customer_id, amount=Decimal(1500), description="", key="k", actor=factories.ACTOR)
    return found


@pytest.fixture
def fast(line: Line) -> Package:
    return factories.package_make(name="Fast 20", price=Decimal(3000), download_kbps=20_000)


@pytest.fixture
def jane(visitor: Client, tenant: Any, line: Line) -> Client:
    return signed_in(visitor, tenant, line.customer_id)


def plan(line: Line) -> str:
    return f"/client/plan/{line.subscription_id}/"


def subscription(line: Line) -> Subscription:
    return Subscription.objects.get(id=line.subscription_id)


def test_a_look_changes_nothing_and_the_button_books_what_was_shown(jane: Client, line: Line, fast: Package) -> None:
    values = {"package": str(fast.id), "when": "now"}
    page = jane.post(plan(line), values).content.decode()
    assert subscription(line).package_id == line.subscription.package_id
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    answer = jane.post(plan(line), {**values, "seen": seen[1], "sure": "on"})
    assert answer["Location"] == "/client/"
    assert subscription(line).package_id == fast.id


def test_now_without_having_looked_is_refused(jane: Client, line: Line, fast: Package) -> None:
    answer = jane.post(plan(line), {"package": str(fast.id), "when": "now", "sure": "on"})
    assert answer.status_code == 422
    assert subscription(line).package_id == line.subscription.package_id


def test_a_change_is_ordered_for_the_next_time_and_taken_back(jane: Client, line: Line, fast: Package) -> None:
    jane.post(plan(line), {"package": str(fast.id), "when": "next", "sure": "on"})
    assert (subscription(line).package_id, subscription(line).next_package_id) == (
        line.subscription.package_id,
        fast.id,
    )
    jane.post(plan(line) + "keep/")
    assert subscription(line).next_package_id is None


@pytest.mark.parametrize("wanted", ["own", "hidden", "nonsense"])
def test_what_is_not_offered_is_not_taken(jane: Client, line: Line, fast: Package, wanted: str) -> None:
    Package.objects.filter(id=fast.id).update(is_active=False)
    package = {"own": str(line.subscription.package_id), "hidden": str(fast.id), "nonsense": "x"}[wanted]
    assert jane.post(plan(line), {"package": package, "when": "next", "sure": "on"}).status_code == 422
    assert subscription(line).next_package_id is None


def test_another_customers_plan_is_not_found(jane: Client, fast: Package) -> None:
    neighbour = factories.line_make()
    assert jane.get(plan(neighbour)).status_code == 404
    assert jane.post(plan(neighbour) + "keep/").status_code == 404


def test_prices_are_told_with_the_tax_they_are_asked_with(jane: Client, line: Line, fast: Package) -> None:
    policy_set(changes={"tax_mode": "on_top", "tax_percent": Decimal(16)}, actor=factories.ACTOR)
    page = jane.get(plan(line)).content.decode()
    assert "KES 1,740.00 · 1 month" in page
    assert "KES 3,480.00 · 1 month" in page
    preview = jane.post(plan(line), {"package": str(fast.id), "when": "next"}).content.decode()
    assert "Then the price is KES 3,480.00." in preview
