"""What lists ask by stands beside the customer, whatever wrote the rows it comes from."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Subscription
from billing.selectors import dues_of
from billing.services import customer_hold, cycle_run, days_give, subscriptions_go_on, subscriptions_stop
from customers.models import NEVER, Customer
from dashboard.services import customer_bring_back, customer_remove
from ispbilling.kernel import clock
from ispbilling.kernel.errors import DomainError
from network.models import Line
from tests.factories import ACTOR, account_make, line_make, package_make, router_make, subscription_make
from tests.support_money import cash_pay

State = Subscription.State


def computed(customer: Customer) -> tuple[Any, ...]:
    """Standing, paid until, package, router, owing: from the rows themselves."""
    latest = Subscription.objects.filter(customer=customer).order_by("-created_at", "-id").first()
    line = Line.objects.filter(customer=customer).order_by("-created_at", "-id").first()
    standing = latest.state if latest else "pending"
    if latest is not None and latest.stopped_at is not None and standing not in ("pending", "ended"):
        standing = "stopped"
    return (
        standing,
        (latest.expires_at if latest else None) or NEVER,
        latest.package_id if latest else None,
        line.router_id if line else None,
        bool(dues_of([customer.id], "KES").get(customer.id)),
    )


def kept(customer: Customer) -> tuple[Any, ...]:
    row = Customer.objects.get(id=customer.id)
    return row.standing, row.paid_until, row.package_key, row.router_key, row.is_owing


def test_a_new_customer_is_pending_and_never_paid(tenant: Any) -> None:
    line = line_make()
    row = Customer.objects.get(id=line.customer_id)
    assert (row.standing, row.paid_until, row.router_key) == ("pending", NEVER, line.router_id)
    assert row.package_key == line.subscription.package_id


def test_one_that_was_stopped_says_so_and_goes_on_as_before(tenant: Any) -> None:
    subscription = subscription_make()
    days_give(customer_id=subscription.customer_id, days=3, reason="a try", actor=ACTOR)
    subscriptions_stop(customer_id=subscription.customer_id, actor=ACTOR)
    assert Customer.objects.get(id=subscription.customer_id).standing == "stopped"
    subscriptions_go_on(customer_id=subscription.customer_id, actor=ACTOR)
    assert Customer.objects.get(id=subscription.customer_id).standing == "active"


def test_the_latest_subscription_decides(tenant: Any) -> None:
    first = subscription_make()
    days_give(customer_id=first.customer_id, days=3, reason="a try", actor=ACTOR)
    second = subscription_make(customer=first.customer)
    row = Customer.objects.get(id=first.customer_id)
    assert (row.standing, row.package_key) == ("pending", second.package_id)
    second.delete()
    row.refresh_from_db()
    assert (row.standing, row.package_key) == ("active", first.package_id)


def test_a_set_written_in_one_statement_is_kept_too(tenant: Any) -> None:
    customers = [subscription_make().customer for _ in range(5)]
    Subscription.objects.filter(customer__in=customers).update(state=State.SUSPENDED, expires_at=clock.now())
    assert {Customer.objects.get(id=one.id).standing for one in customers} == {"suspended"}


def test_a_line_that_moves_takes_its_customer_along(tenant: Any) -> None:
    line, other = line_make(), router_make()
    Line.objects.filter(id=line.id).update(router=other)
    assert Customer.objects.get(id=line.customer_id).router_key == other.id


@pytest.mark.parametrize("seed", range(4))
def test_whatever_services_are_called_the_columns_equal_a_computation(
    tenant: Any, travel: Any, seed: int, django_capture_on_commit_callbacks: Any
) -> None:
    draw = random.Random(seed)
    account_make("cash")
    package = package_make(price=Decimal("100"))
    customers = [line_make(package=package).customer for _ in range(4)]

    def some() -> dict[str, Any]:
        return {"customer_id": draw.choice(customers).id, "actor": ACTOR}

    def pay() -> None:
        one = some()
        cash_pay(one["customer_id"], Decimal(draw.choice([40, 100, 250])))

    steps = [
        lambda: days_give(**some(), days=draw.randint(1, 20), reason="a try"),
        lambda: subscriptions_stop(**some()),
        lambda: subscriptions_go_on(**some()),
        lambda: customer_hold(**some(), until=clock.now() + timedelta(days=9), reason="a try"),
        lambda: customer_hold(**some(), until=None, reason=""),
        lambda: customer_remove(**some()),
        lambda: customer_bring_back(**some()),
        lambda: subscription_make(customer=draw.choice(customers), package=package),
        lambda: travel(days=draw.randint(1, 12)),
        cycle_run,
        pay,
    ]
    for _ in range(40):
        try:
            draw.choice(steps)()
        except DomainError:
            continue  # this customer was not in the state for it
        for customer in customers:
            assert kept(customer) == computed(customer)
