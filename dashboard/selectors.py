"""Reads that span apps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum

from accounts.selectors import tenant_current
from billing.models import Receipt, Subscription
from billing.selectors import cut_stop_open
from customers.models import Customer, CustomerPhone
from ispbilling.kernel import clock
from ispbilling.kernel.money import Money
from ispbilling.kernel.outbox import events_parked
from network.models import Line, Router
from network.selectors import customers_online, online_count


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One line of the customer list."""

    customer: Customer
    phone: str
    package: str
    state: str
    expires_at: Any
    is_online: bool


def customer_rows(customers: list[Customer]) -> list[CustomerRow]:
    """What the list shows of these customers, in a fixed number of queries."""
    ids = [customer.id for customer in customers]
    subscriptions: dict[UUID, Subscription] = {}
    rows = Subscription.objects.filter(customer_id__in=ids).select_related("package").order_by("created_at", "id")
    for row in rows:
        subscriptions[row.customer_id] = row
    phones: dict[UUID, str] = {}
    for customer_id, number in CustomerPhone.objects.filter(customer_id__in=ids, is_primary=True).values_list(
        "customer_id", "number"
    ):
        phones[customer_id] = number
    online = customers_online(ids)
    return [
        CustomerRow(
            customer=customer,
            phone=phones.get(customer.id, ""),
            package=subscriptions[customer.id].package.name if customer.id in subscriptions else "",
            state=subscriptions[customer.id].state if customer.id in subscriptions else "",
            expires_at=subscriptions[customer.id].expires_at if customer.id in subscriptions else None,
            is_online=customer.id in online,
        )
        for customer in customers
    ]


def home_figures() -> dict[str, Any]:
    """What the home page shows: who is online, what came in today, what is due, what is down."""
    tenant, now = tenant_current(), clock.now()
    today = clock.today(tenant.zone_info)
    paid = Receipt.objects.filter(received_at__gte=today, currency=tenant.currency).aggregate(sum=Sum("amount"))["sum"]
    lines = Line.objects.aggregate(all=Count("id"), waiting=Count("id", filter=~Q(applied_generation=F("generation"))))
    states = Subscription.objects.aggregate(
        active=Count("id", filter=Q(state=Subscription.State.ACTIVE)),
        suspended=Count("id", filter=Q(state=Subscription.State.SUSPENDED)),
        due=Count(
            "id",
            filter=Q(state=Subscription.State.ACTIVE, expires_at__gt=now, expires_at__lte=now + timedelta(days=3)),
        ),
    )
    routers = Router.objects.filter(is_enabled=True).aggregate(all=Count("id"), down=Count("id", filter=Q(is_up=False)))
    return {
        "online": online_count(),
        "collected": Money(paid or Decimal(0), tenant.currency),
        "active": states["active"],
        "suspended": states["suspended"],
        "due": states["due"],
        "lines": lines["all"],
        "lines_waiting": lines["waiting"],
        "routers": routers["all"],
        "routers_down": routers["down"],
        "cuts_stopped": cut_stop_open(),
        "events_parked": events_parked().count(),
    }
