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
from customers.models import Customer
from dashboard.customer_list import DELETED, Standing, customers_wanted
from dashboard.selectors import beside
from ispbilling.kernel import clock
from ispbilling.kernel.money import Money
from network.models import Line, Session


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


#: The columns of a list's rows; to read all of them takes longer than to find them.
_OF_SUBSCRIPTION = ("customer_id", "state", "stopped_at", "expires_at", "package__name", "package__price")
_OF_LINE = ("customer_id", "username", "router__name", "router__host")


def cards(customers: Sequence[Customer], *, currency: str, with_money: bool, is_full: bool = True) -> list[Card]:
    """``is_full``: also with what no list but the older app's shows, the speeds of the package and the last payment."""
    ids = [customer.id for customer in customers]
    at = clock.now()
    bought = Subscription.objects.filter(customer_id__in=ids).order_by("created_at", "id")
    opened = Line.objects.filter(customer_id__in=ids).order_by("created_at", "id")
    if is_full:
        bought = bought.select_related("package__speed_profile")
        opened = opened.select_related("router").defer("password", "router__password")  # not decrypted for a list
    else:
        bought = bought.select_related("package").only(*_OF_SUBSCRIPTION)
        opened = opened.select_related("router").only(*_OF_LINE)
    subscriptions: dict[UUID, Subscription] = {row.customer_id: row for row in bought}
    lines: dict[UUID, Line] = {}
    counts: Counter[UUID] = Counter()
    for line in opened:
        lines[line.customer_id] = line
        counts[line.customer_id] += 1
    known = beside(ids)
    wallets = wallets_of(ids, currency) if with_money else {}
    paid = Receipt.objects.filter(customer_id__in=ids).values("customer_id").annotate(last=Max("received_at"))
    last = {row["customer_id"]: row["last"] for row in paid} if with_money and is_full else {}
    zero = Money.zero(currency)
    return [
        Card(
            customer=customer,
            phone=known[customer.id].phone,
            subscription=subscriptions.get(customer.id),
            line=lines.get(customer.id),
            lines=counts[customer.id],
            wallet=wallets.get(customer.id, zero) if with_money else None,
            last_paid_at=last.get(customer.id),
            is_online=known[customer.id].is_online,
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
