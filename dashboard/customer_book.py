"""Customers as a list shows them, from several apps, in a number of queries that does not grow with the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, QuerySet

from billing.models import Receipt, Subscription
from billing.selectors import status_of, wallets_of
from customers.models import Customer, CustomerPhone
from dashboard.customer_list import DELETED, Standing, customers_wanted
from ispbilling.kernel import clock
from ispbilling.kernel.money import Money
from network.models import Line, Session
from network.selectors import customers_online


@dataclass(frozen=True, slots=True)
class Card:
    """One customer. ``wallet`` and ``last_paid_at`` are None for whoever may not see money."""

    customer: Customer
    phone: str
    subscription: Subscription | None  # the latest
    line: Line | None
    lines: int
    wallet: Money | None
    last_paid_at: datetime | None
    is_online: bool
    currency: str
    status: str


def customers_asked(asked: Mapping[str, Any]) -> QuerySet[Customer]:
    """Those a program's query wants, in its order."""
    question = {"q": asked.get("search", ""), "package": asked.get("packageId")}
    rows = customers_wanted({**question, "standing": DELETED} if asked.get("deleted") else question)
    if asked.get("connectionType") not in (None, "pppoe"):
        rows = rows.none()
    if asked.get("status"):
        rows = _of_status(rows, asked["status"])
    way = "" if asked.get("sort_order") == "asc" else "-"
    column = {"name": "sort_name"}.get(asked.get("sort_by", ""), "created_at")
    return rows.order_by(f"{way}{column}", f"{way}id")


def _of_status(rows: QuerySet[Customer], status: str) -> QuerySet[Customer]:
    """As ``billing.selectors.status_of`` says it of one."""
    if status == "pending":
        return rows.filter(standing=Standing.PENDING)
    if status == "disabled":
        return rows.filter(standing__in=[Standing.ENDED, Standing.STOPPED])
    if status == "suspended":
        return rows.filter(standing=Standing.SUSPENDED)
    running = rows.filter(standing__in=[Standing.ACTIVE, Standing.GRACE])
    return (
        running.filter(paid_until__lte=clock.now())
        if status == "expired"
        else running.filter(paid_until__gt=clock.now())
    )


def cards(customers: Sequence[Customer], *, currency: str, with_money: bool) -> list[Card]:
    ids = [customer.id for customer in customers]
    at = clock.now()
    subscriptions: dict[UUID, Subscription] = {}
    rows = Subscription.objects.filter(customer_id__in=ids).select_related("package__speed_profile")
    for row in rows.order_by("created_at", "id"):
        subscriptions[row.customer_id] = row
    lines: dict[UUID, Line] = {}
    counts: Counter[UUID] = Counter()
    known = Line.objects.select_related("router").defer("password", "router__password")  # not decrypted for a list
    for line in known.filter(customer_id__in=ids).order_by("created_at", "id"):
        lines[line.customer_id] = line
        counts[line.customer_id] += 1
    primary = CustomerPhone.objects.filter(customer_id__in=ids, is_primary=True)
    phones = dict(primary.values_list("customer_id", "number"))
    wallets = wallets_of(ids, currency) if with_money else {}
    paid = Receipt.objects.filter(customer_id__in=ids).values("customer_id").annotate(last=Max("received_at"))
    last = {row["customer_id"]: row["last"] for row in paid} if with_money else {}
    online = customers_online(ids)
    zero = Money.zero(currency)
    return [
        Card(
            customer=customer,
            phone=phones.get(customer.id, ""),
            subscription=subscriptions.get(customer.id),
            line=lines.get(customer.id),
            lines=counts[customer.id],
            wallet=wallets.get(customer.id, zero) if with_money else None,
            last_paid_at=last.get(customer.id),
            is_online=customer.id in online,
            currency=currency,
            status=status_of(subscriptions.get(customer.id), at),
        )
        for customer in customers
    ]


def last_seen(customer_id: UUID) -> Session | None:
    """The session he was seen in last."""
    rows = Session.objects.filter(line__customer_id=customer_id)
    found: Session | None = rows.order_by("-started_at", "-id").first()
    return found
