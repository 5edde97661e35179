"""Reads that span apps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from billing.models import Subscription
from customers.models import Customer, CustomerPhone
from network.selectors import customers_online


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
