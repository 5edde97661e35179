"""Reads that span apps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import pgettext

from billing.selectors import dues_of, wallets_of
from customers.models import NEVER, Customer
from ispbilling.kernel import first_steps, tenancy
from ispbilling.kernel.money import Money
from network.models import Line

#: Standing → colour; the word always stands beside it.
STANDING_TONES = {
    "active": "ok",
    "grace": "warn",
    "pending": "info",
    "suspended": "bad",
    "stopped": "bad",
    "ended": "muted",
}


@dataclass(frozen=True, slots=True)
class Beside:
    """What other tables know of a customer for a list; empty where there is nothing. Of several lines the latest."""

    phone: str
    package: str
    line: str
    router: str
    is_online: bool


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One line of the customer list. ``balance`` is None for whoever may not see money; below zero he owes."""

    customer: Customer
    beside: Beside
    balance: Money | None

    @property
    def tone(self) -> str:
        """The colour of his state; the word stands in it."""
        return "muted" if self.customer.deleted_at is not None else STANDING_TONES.get(self.customer.standing, "muted")

    @property
    def state(self) -> str:
        deleted = self.customer.deleted_at is not None
        return pgettext("customer", "Deleted") if deleted else str(self.customer.get_standing_display())

    @property
    def paid_until(self) -> datetime | None:
        """None for whoever never paid for anything."""
        until: Any = self.customer.paid_until
        return None if until >= NEVER else until


#: One statement instead of four: what putting them together costs is most of what a list costs. Names alone, so that no
#: password is taken out of its encryption to show a user name.
_BESIDE = """
SELECT c.id, coalesce(p.number, ''), coalesce(k.name, ''), coalesce(l.username, ''), coalesce(r.name, ''),
    EXISTS (SELECT FROM network_line m
        JOIN network_session o ON o.tenant_id = m.tenant_id AND o.line_id = m.id AND o.stopped_at IS NULL
        JOIN network_router u ON u.tenant_id = o.tenant_id AND u.id = o.router_id AND u.is_up
        WHERE m.tenant_id = c.tenant_id AND m.customer_id = c.id)
FROM customers_customer c
LEFT JOIN LATERAL (SELECT number FROM customers_customerphone p WHERE p.tenant_id = c.tenant_id
    AND p.customer_id = c.id AND p.is_primary LIMIT 1) p ON true
LEFT JOIN packages_package k ON k.tenant_id = c.tenant_id AND k.id = c.package_key
LEFT JOIN LATERAL (SELECT username, router_id FROM network_line l WHERE l.tenant_id = c.tenant_id
    AND l.customer_id = c.id ORDER BY l.created_at DESC, l.id DESC LIMIT 1) l ON true
LEFT JOIN network_router r ON r.tenant_id = c.tenant_id AND r.id = l.router_id
WHERE c.tenant_id = %s AND c.id = ANY(%s)
"""


def beside(customer_ids: Sequence[UUID]) -> dict[UUID, Beside]:
    """In one query, however many they are. No router is asked; one that does not answer has nobody online."""
    with connection.cursor() as cursor:
        cursor.execute(_BESIDE, [tenancy.tenant_id_required(), list(customer_ids)])
        return {customer_id: Beside(*known) for customer_id, *known in cursor.fetchall()}


def customer_rows(customers: Sequence[Customer], *, currency: str, with_money: bool) -> list[CustomerRow]:
    """What the list shows of these customers: three queries at most, however many they are."""
    ids = [customer.id for customer in customers]
    known = beside(ids)
    zero = Money.zero(currency)
    wallets = wallets_of(ids, currency) if with_money else {}
    dues = dues_of([one.id for one in customers if one.is_owing], currency) if with_money else {}
    return [
        CustomerRow(
            customer=customer,
            beside=known[customer.id],
            balance=wallets.get(customer.id, zero) - dues.get(customer.id, zero) if with_money else None,
        )
        for customer in customers
    ]


def lines_all() -> QuerySet[Line]:
    """Every line of the tenant."""
    return Line.objects.all()


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One line of the first steps as one viewer sees it. ``is_next`` is the first that waits for somebody."""

    step: first_steps.Step
    is_done: bool
    is_next: bool
    may_do: bool


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """The way from an empty house to the first payment."""

    rows: list[FirstStep]

    @property
    def done(self) -> int:
        return sum(row.is_done for row in self.rows)

    @property
    def is_complete(self) -> bool:
        return self.done == len(self.rows)

    @property
    def next(self) -> FirstStep | None:
        return next((row for row in self.rows if row.is_next), None)


def first_steps_for(granted: Collection[str]) -> FirstSteps:
    """All steps of the current tenant as somebody with these permissions sees them. One query."""
    seen = first_steps.seen()
    coming = next((one.step for one in seen if not one.is_done), None)
    return FirstSteps(
        [FirstStep(one.step, one.is_done, one.step is coming, one.step.permission in granted) for one in seen]
    )
