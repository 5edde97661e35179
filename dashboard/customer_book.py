"""Customers as a list shows them, from several apps, in a number of queries that does not grow with the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, OuterRef, QuerySet, Subquery

from billing.models import Receipt, Subscription
from billing.selectors import status_of, wallets_of
from customers.models import Customer, CustomerPhone
from customers.selectors import customers_found
from ispbilling.kernel import clock
from ispbilling.kernel.money import Money
from network.models import Line, Session
from network.selectors import customers_online

State = Subscription.State


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
    """Those a query wants, in its order."""
    if asked.get("deleted"):
        rows: QuerySet[Customer] = Customer.objects.filter(kind=Customer.Kind.SUBSCRIBER, deleted_at__isnull=False)
    else:
        rows = customers_found(asked.get("search", ""))
    latest = Subscription.objects.filter(customer_id=OuterRef("id")).order_by("-created_at", "-id")
    if asked.get("packageId"):
        rows = rows.filter(subscriptions__package_id=asked["packageId"]).distinct()
    if asked.get("connectionType") not in (None, "pppoe"):
        rows = rows.none()
    if asked.get("status"):
        rows = _of_status(rows, latest, asked["status"])
    way = "" if asked.get("sort_order") == "asc" else "-"
    return rows.order_by(f"{way}{asked.get('sort_by', 'created_at')}", f"{way}id")


def _of_status(found: QuerySet[Customer], latest: QuerySet[Subscription], status: str) -> Any:
    """As ``billing.selectors.status_of`` says it of one."""
    rows: Any = found.annotate(
        state=Subquery(latest.values("state")[:1]),
        expires=Subquery(latest.values("expires_at")[:1]),
        stopped=Subquery(latest.values("stopped_at")[:1]),
    )
    running = rows.filter(state__in=[State.ACTIVE, State.GRACE], stopped=None)
    if status == "pending":
        return rows.filter(state=None) | rows.filter(state=State.PENDING)
    if status == "disabled":
        return rows.filter(state=State.ENDED) | rows.filter(stopped__isnull=False).exclude(state=State.PENDING)
    if status == "suspended":
        return rows.filter(state=State.SUSPENDED, stopped=None)
    if status == "expired":
        return running.filter(expires__lte=clock.now())
    return running.exclude(expires__lte=clock.now())


def cards(customers: Sequence[Customer], *, currency: str, with_money: bool) -> list[Card]:
    ids = [customer.id for customer in customers]
    at = clock.now()
    subscriptions: dict[UUID, Subscription] = {}
    rows = Subscription.objects.filter(customer_id__in=ids).select_related("package__speed_profile")
    for row in rows.order_by("created_at", "id"):
        subscriptions[row.customer_id] = row
    lines: dict[UUID, Line] = {}
    counts: Counter[UUID] = Counter()
    for line in Line.objects.filter(customer_id__in=ids).select_related("router").order_by("created_at", "id"):
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
