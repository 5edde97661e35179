"""Reads that span apps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, Sum

from accounts.selectors import tenant_current
from billing.models import Receipt, Subscription
from billing.selectors import cut_stop_open, dues_of, wallets_of
from customers.models import Customer, CustomerPhone
from ispbilling.kernel import clock
from ispbilling.kernel.money import Money
from ispbilling.kernel.outbox import events_parked
from network.models import Line, Router
from network.selectors import customers_online, online_count
from packages.models import Package


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One line of the customer list. ``balance`` is None for whoever may not see money; below zero he owes."""

    customer: Customer
    phone: str
    package: str
    line: str
    router: str
    is_online: bool
    balance: Money | None


def customer_rows(customers: Sequence[Customer], *, currency: str, with_money: bool) -> list[CustomerRow]:
    """What the list shows of these customers: seven queries at most, however many they are. No router is asked."""
    ids = [customer.id for customer in customers]
    # Values, not rows: a password is not taken out of its encryption to show a name.
    shown = Line.objects.filter(customer_id__in=ids).order_by("created_at", "id")
    lines = {one: (name, router) for one, name, router in shown.values_list("customer_id", "username", "router__name")}
    keys = {customer.package_key for customer in customers if customer.package_key}
    packages = dict(Package.objects.filter(id__in=keys).values_list("id", "name"))
    primary = CustomerPhone.objects.filter(customer_id__in=ids, is_primary=True)
    phones = dict(primary.values_list("customer_id", "number"))
    online = customers_online(ids)
    zero = Money.zero(currency)
    wallets = wallets_of(ids, currency) if with_money else {}
    dues = dues_of([one.id for one in customers if one.is_owing], currency) if with_money else {}
    return [
        CustomerRow(
            customer=customer,
            phone=phones.get(customer.id, ""),
            package=packages.get(customer.package_key, ""),
            line=lines.get(customer.id, ("", ""))[0],
            router=lines.get(customer.id, ("", ""))[1],
            is_online=customer.id in online,
            balance=wallets.get(customer.id, zero) - dues.get(customer.id, zero) if with_money else None,
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
